"""The next batches are made while the current one is learnt from."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Job = TypeVar("Job")
Made = TypeVar("Made")


def read_ahead(
    make: Callable[[Job], Made], jobs: Iterable[Job], *, ahead: int = 2
) -> Generator[tuple[Made, float], None, None]:
    """What `make` gives for each job, in their order, and the seconds that the caller stood still for it.

    One thread makes up to `ahead` more than the caller has asked for. It alone calls `make`, so that a chip store which
    only `make` reads needs no lock. An error in `make` is raised where its job's turn comes. The thread ends with the
    generator: after the last job, an error, or `close`.
    """
    coming = iter(jobs)
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead")
    try:
        while True:
            waiting.extend(pool.submit(make, job) for job in islice(coming, ahead + 1 - len(waiting)))
            if not waiting:
                return
            # No name here for what is made: it would keep one batch more in memory.
            yield _waited(waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _waited(future: Future[Made]) -> tuple[Made, float]:
    started = time.perf_counter()
    return future.result(), time.perf_counter() - started
