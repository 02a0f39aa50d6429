"""Unpacked blocks of the files that this process reads: neighbouring chips lie in the same ones."""

import threading
from collections import OrderedDict

import numpy as np

MOST_BYTES = 512 << 20
"""As much as GDAL may keep of the files that it unpacks (`geotiff.py`)."""


class KeptBlocks:
    """Arrays by file and number, at most so many bytes; those not asked for longest go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._blocks: OrderedDict[tuple[object, int], np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, file: object, number: int) -> np.ndarray | None:
        """The block, if it is still there.

        Args:
            file: any object that is equal to itself alone.
        """
        with self._lock:
            found = self._blocks.get((file, number))
            if found is not None:
                self._blocks.move_to_end((file, number))
            return found

    def put(self, file: object, number: int, block: np.ndarray) -> None:
        """Nothing; the block is kept, unless there is no room for it at all."""
        with self._lock:
            self._drop((file, number))
            self._blocks[file, number] = block
            self._bytes += block.nbytes
            while self._bytes > self._most:
                self._drop(next(iter(self._blocks)))

    def forget(self, file: object) -> None:
        """Nothing; no block of that file is kept."""
        with self._lock:
            for key in [key for key in self._blocks if key[0] is file]:
                self._drop(key)

    def _drop(self, key: tuple[object, int]) -> None:
        block = self._blocks.pop(key, None)
        if block is not None:
            self._bytes -= block.nbytes
