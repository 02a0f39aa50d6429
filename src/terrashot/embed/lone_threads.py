"""Threads that keep to one core each, for many small products of torch."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def lone_threads(n_threads: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads, each for images of its own.

    Threads that share one small product wait for each other at its end (on a busy machine that took 20 times as long as
    the work itself), and what they add up rounds by their number.
    """
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        # What a worker sets holds for itself and for threads yet to come.
        torch.set_num_threads(before)
