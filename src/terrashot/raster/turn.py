"""One thread of a process at a time is inside GDAL; while it waits for the network, the next one is.

GDAL allows several threads with a dataset each, but opening through rasterio's `opener` beside a warp in another thread ended the
process in one of six harvests of 50 chips (rasterio 1.4.4, GDAL 3.10). Processes share the work, threads only the waiting.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TURN = threading.Lock()


@contextmanager
def in_gdal() -> Iterator[None]:
    """Until its end no other thread is in GDAL, but while this one is `out_of_gdal`. Not to be entered twice."""
    with _TURN:
        yield


@contextmanager
def out_of_gdal() -> Iterator[None]:
    """For what GDAL calls and what takes long: others take their turn meanwhile."""
    _TURN.release()
    try:
        yield
    finally:
        _TURN.acquire()
