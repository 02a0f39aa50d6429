"""Where work runs: in this process, or spread over local processes; results come in the order of the items."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLOSC_NTHREADS"), "1")
"""Workers share the cores, so each library inside one keeps to its own core."""


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[[Item], Outcome], items: Sequence[Item], workers: int, *, chunk: int = 1
) -> Iterator[Outcome]:
    """`function` of each item, in order; with more than one worker, `function` and items must be picklable.

    Args:
        chunk: items handed to a worker at once; more for many small items.
    """
    if workers <= 1 or len(items) <= 1:
        yield from map(function, items)
        return
    # spawn, not fork: a forked child inherits locks of threads that do not exist in it.
    with ProcessPoolExecutor(min(workers, len(items)), get_context("spawn"), _keep_to_one_thread) as pool:
        yield from pool.map(function, items, chunksize=chunk)


def _keep_to_one_thread() -> None:
    os.environ.update(ONE_THREAD)


def cut(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Consecutive runs of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))
