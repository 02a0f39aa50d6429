"""Where work runs: in this process, in threads of it, or spread over local processes."""

import ctypes
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from threadpoolctl import threadpool_limits

from terrashot.errors import WorkerLostError

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLOSC_NTHREADS"), "1")
"""Workers share the cores, so each library inside one keeps to its own core."""
C_LIBRARY = ctypes.CDLL(None) if os.name == "posix" else object()


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory_bytes() -> int:
    """Memory that nobody uses; 0 where the system does not tell."""
    names = ("SC_AVPHYS_PAGES", "SC_PAGE_SIZE")
    return math.prod(os.sysconf(name) for name in names) if set(names) <= set(os.sysconf_names) else 0


def give_back_memory() -> None:
    """Memory that was freed is the system's again, where the C library would keep it for later (glibc)."""
    trim = getattr(C_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)


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
    with ProcessPoolExecutor(min(workers, len(items)), get_context("spawn"), _begin_worker) as pool:
        try:
            yield from pool.map(function, items, chunksize=chunk)
        except BrokenProcessPool:
            raise WorkerLostError(
                f"one of {workers} worker processes ended without a word (killed, or out of memory); "
                "run again, what is finished is kept; with fewer [study] workers each has more memory"
            ) from None


def as_finished(
    function: Callable[[Item], Outcome], items: Sequence[Item], workers: int
) -> Iterator[tuple[int, Outcome]]:
    """Number and outcome of each item as it is done, by threads of this process, the first items begun first.

    For functions that spend their time in compiled code that lets other threads run; each keeps to one core.
    """
    if workers <= 1:
        with threadpool_limits(1):
            yield from enumerate(map(function, items))
        return
    # A limit holds for the thread that sets it, so each sets its own.
    with ThreadPoolExecutor(workers, initializer=threadpool_limits, initargs=(1,)) as pool:
        number_of = {pool.submit(function, item): number for number, item in enumerate(items)}
        try:
            for future in as_completed(number_of):
                # Taken out, so that no outcome is held longer than its receiver wants it.
                yield number_of.pop(future), future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    os.environ.update(ONE_THREAD)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when its parent is gone: a worker of a killed run must not go on writing beside the next run."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def cut(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Consecutive runs of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))
