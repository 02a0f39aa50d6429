"""One piece of work is done behind the thread that asks for it, never two."""

import threading

import numpy as np
import pytest
from numcodecs import blosc

from terrashot.ingest.behind import Behind
from terrashot.store.shard import pack

RNG = np.random.default_rng(0)


def test_all_is_done_at_the_end_in_the_order_asked_for_and_never_two_at_once():
    done, at_once = [], threading.Semaphore(1)

    def work(number):
        assert at_once.acquire(blocking=False)
        done.append(number)
        at_once.release()

    with Behind() as behind:
        for number in range(20):
            behind.do(lambda number=number: work(number))
    assert done == list(range(20))


def test_who_asks_goes_on_meanwhile_and_waits_before_the_next_piece():
    begun, go = threading.Event(), threading.Event()
    with Behind() as behind:
        behind.do(lambda: begun.set() or go.wait(10))
        assert begun.wait(10)
        go.set()
        behind.do(lambda: None)


@pytest.mark.parametrize("is_last", [False, True])
def test_what_a_piece_raised_is_raised_to_who_asked(is_last):
    with pytest.raises(KeyError, match="lost"), Behind() as behind:
        behind.do(lambda: {}["lost"])
        if not is_last:
            behind.do(lambda: None)


def test_an_error_of_the_one_who_asks_goes_before_that_of_the_piece():
    with pytest.raises(ZeroDivisionError), Behind() as behind:
        behind.do(lambda: {}["lost"])
        raise ZeroDivisionError


def test_a_large_chunk_packed_behind_is_the_same_whatever_the_cores():
    values = (RNG.normal(0, 1, (1024, 1024)).cumsum(axis=1) * 100).astype("<u2")
    found, before = [], blosc.get_nthreads()
    try:
        for threads in (1, 2):
            blosc.set_nthreads(threads)
            with Behind() as behind:
                behind.do(lambda: found.append(pack(values)))
    finally:
        blosc.set_nthreads(before)
    assert found[0] == found[1]
