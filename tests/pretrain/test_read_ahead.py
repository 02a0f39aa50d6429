"""Batches made ahead by a thread are those made one by one, and nothing of the thread is left over."""

import threading
import time
import weakref
from contextlib import closing

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fake_chip_store import textured_store
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.pretrain.dataset import batches, make_draws
from terrashot.pretrain.read_ahead import read_ahead


def threads_left():
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


@given(st.lists(st.integers(), max_size=8), st.integers(0, 10))
def test_everything_is_made_once_and_in_its_order(jobs, ahead):
    made = list(read_ahead(lambda job: (job, threading.current_thread().name), jobs, ahead=ahead))
    assert [result[0] for result, _ in made] == jobs
    assert all(name.startswith("read-ahead") and seconds >= 0 for (_, name), seconds in made)
    assert threads_left() == []


def test_batches_of_chips_are_those_made_without_a_thread():
    store = textured_store([f"c{i}" for i in range(9)], {"optical": 3, "radar": 2})
    stats = ChannelStats({name: {"all": KindStats(1.0, 2.0, 9, "unit")} for name in store.modalities})
    draws = make_draws(store, stats, store.chip_ids, seed=0)
    cuts = list(batches(draws.order("epoch 0"), 4))
    for cut, (views, _) in zip(
        cuts, read_ahead(lambda cut: draws.views(cut, "epoch 0", augment=True), cuts), strict=True
    ):
        alone = draws.views(cut, "epoch 0", augment=True)
        assert views.chip_ids == alone.chip_ids == tuple(cut)
        assert all(torch.equal(views.pixels[name], alone.pixels[name]) for name in store.modalities)


def test_the_next_are_made_while_the_caller_works():
    made = {job: threading.Event() for job in range(5)}
    for job, _ in read_ahead(lambda job: made[job].set() or job, range(5), ahead=2):
        assert all(made[later].wait(timeout=60) for later in range(job, min(job + 3, 5)))


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_no_more_are_held_than_asked_for(ahead):
    class Batch:
        """Can be counted while it lives."""

    alive, most, begun = weakref.WeakSet(), [], []

    def make(job):
        begun.append(job)
        most.append(len(alive))
        alive.add(batch := Batch())
        return batch

    for number, (batch, _) in enumerate(read_ahead(make, range(20), ahead=ahead)):
        assert len(begun) <= number + 1 + ahead
        del batch
    assert max(most) <= ahead + 1


def test_jobs_without_end_are_taken_as_they_are_needed():
    taken = []

    def jobs():
        while True:
            taken.append(len(taken))
            yield taken[-1]

    with closing(read_ahead(lambda job: job, jobs(), ahead=2)) as made:
        assert [next(made)[0] for _ in range(3)] == [0, 1, 2]
        assert taken == [0, 1, 2, 3, 4]


def test_an_error_comes_in_the_turn_of_its_job():
    def make(job):
        if job == 3:
            raise ValueError("no such chip")
        return job

    seen = []
    with pytest.raises(ValueError, match="no such chip"):
        for job, _ in read_ahead(make, range(10), ahead=5):
            seen.append(job)
    assert seen == [0, 1, 2] and threads_left() == []


def test_nothing_is_left_when_the_caller_stops_early():
    with closing(read_ahead(lambda job: job, range(1000))) as made:
        next(made)
    assert threads_left() == []
    for _, _ in read_ahead(lambda job: job, range(1000)):
        break
    assert threads_left() == []


def test_nothing_is_left_when_the_caller_fails():
    def fail():
        for _, _ in read_ahead(lambda job: job, range(1000)):
            raise RuntimeError("the loss is not finite")

    with pytest.raises(RuntimeError):
        fail()
    assert threads_left() == []


def test_what_is_ready_is_not_waited_for_and_what_is_not_is():
    ready = [threading.Event(), threading.Event()]

    def make(job):
        end = time.perf_counter() + 0.2
        while time.perf_counter() < end:
            pass
        ready[job].set()

    made = read_ahead(make, range(2), ahead=1)
    _, first_s = next(made)
    assert ready[1].wait(timeout=60)
    _, second_s = next(made)
    assert first_s > second_s
