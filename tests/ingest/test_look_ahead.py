"""Work begun ahead by threads: the same answers, in the order asked for, and no more of them held than allowed."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.ingest.look_ahead import LookAhead


@given(st.lists(st.integers(0, 99), unique=True, max_size=12), st.integers(1, 5), st.randoms())
def test_answers_are_those_of_the_function_whatever_is_passed_over_and_however_many_threads(items, threads, random):
    asked = [item for item in items if random.random() < 0.7]
    with LookAhead(lambda item: item * item, items, threads) as ahead:
        assert [ahead(item) for item in asked] == [item * item for item in asked]


def test_no_more_than_the_threads_are_begun_before_the_first_is_asked_for_again():
    begun, gate = [], threading.Event()

    def wait(item):
        begun.append(item)
        gate.wait(5)
        return item

    with LookAhead(wait, list(range(20)), 3) as ahead:
        asker = threading.Thread(target=ahead, args=(0,))
        asker.start()
        gate.set()
        asker.join()
        assert max(begun) <= 2


def test_an_error_comes_where_its_item_is_asked_for_and_nowhere_else():
    def broken(item):
        if item == 1:
            raise ValueError("one")
        return item

    with LookAhead(broken, [0, 1, 2], 3) as ahead:
        assert ahead(0) == 0
        with pytest.raises(ValueError, match="one"):
            ahead(1)
        assert ahead(2) == 2


def test_a_function_that_looks_ahead_itself_waits_for_no_thread_that_waits_for_it():
    def outer(number):
        with LookAhead(lambda item: item * number, [1, 2, 3], 2) as inner:
            return sum(inner(item) for item in (1, 2, 3))

    with LookAhead(outer, list(range(6)), 2, "chips") as ahead:
        assert [ahead(number) for number in range(6)] == [0, 6, 12, 18, 24, 30]
