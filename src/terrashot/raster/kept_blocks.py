"""Unpacked blocks of the files that this process reads: neighbouring chips lie in the same ones."""

import threading
from collections import OrderedDict

import numpy as np

MOST_BYTES = 512 << 20
"""As much as GDAL may keep of the files that it unpacks (`geotiff.py`)."""
MOST_ASKED = 2048
"""Blocks that are asked for until one that was not among them goes: by then chips are read that lie elsewhere, and without this a
harvest of few files would take more memory the longer it is. Some ten chips of a hundred windows."""


class KeptBlocks:
    """Arrays by file and number, at most so many bytes and none that nobody asks for; those not asked for longest go first."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_asked: int = MOST_ASKED) -> None:
        self._most, self._most_asked = most_bytes, most_asked
        self._bytes = self._asked = 0
        self._blocks: OrderedDict[tuple[object, int], tuple[np.ndarray, int]] = OrderedDict()
        """And after how many questions each was asked for."""
        self._lock = threading.Lock()

    def get(self, file: object, number: int) -> np.ndarray | None:
        """The block, if it is still there.

        Args:
            file: any object that is equal to itself alone.
        """
        with self._lock:
            self._asked += 1
            found = self._blocks.pop((file, number), None)
            if found is None:
                return None
            self._blocks[file, number] = found[0], self._asked
            return found[0]

    def put(self, file: object, number: int, block: np.ndarray) -> None:
        """Nothing; the block is kept, unless there is no room for it at all."""
        with self._lock:
            self._drop((file, number))
            self._blocks[file, number] = block, self._asked
            self._bytes += block.nbytes
            while self._blocks and self._is_over(next(iter(self._blocks))):
                self._drop(next(iter(self._blocks)))

    def forget(self, file: object) -> None:
        """Nothing; no block of that file is kept."""
        with self._lock:
            for key in [key for key in self._blocks if key[0] is file]:
                self._drop(key)

    def _is_over(self, oldest: tuple[object, int]) -> bool:
        return self._bytes > self._most or self._asked - self._blocks[oldest][1] > self._most_asked

    def _drop(self, key: tuple[object, int]) -> None:
        kept = self._blocks.pop(key, None)
        if kept is not None:
            self._bytes -= kept[0].nbytes
