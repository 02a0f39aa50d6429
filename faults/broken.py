"""Writers and checks that are broken on purpose: the table must show them, else it shows nothing."""

import contextlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from unittest import mock

import numpy as np

from terrashot.domain.coherence_pair import ProductName
from terrashot.durable import backup, files
from terrashot.durable.spool import Spool
from terrashot.ingest import composite, own_products, pair_products, scene_source
from terrashot.ingest.each_once import Delivery, Pass
from terrashot.raster import asset, gunw_axes, unpack
from terrashot.raster.place import Affine
from terrashot.remote.client import Answer
from terrashot.remote.headers import range_of, version_of
from terrashot.remote.ranges import RemoteRanges
from terrashot.steps import verify
from terrashot.store import parquet


def _rename_before_flush(new: files.NewFile) -> None:
    new._file.flush()
    new._temporary.replace(new._path)
    for point in ("flush", "rename", "renamed"):
        files.write_point(point)
    os.fsync(new._file.fileno())
    files.flush_folder(new._path.parent)


def _believe(ranges: RemoteRanges, answer: Answer, room: memoryview, start: int) -> int:
    first, end, size = range_of(answer.headers)
    ranges._recognise(version_of(answer.headers, size))
    answer.take_into(room[: end - first])
    return min(len(room), end - first)


def _each_delivery(deliveries: Iterable[Delivery]) -> tuple[Pass, ...]:
    return tuple(Pass((delivery,)) for delivery in deliveries)


def _nothing_sensed(shape: tuple[int, int, int], detail: str) -> composite.Composite:
    tally = composite.Tally(0, 0.0, 0.0, None, None, "no acquisition in the month")
    return composite.Composite(np.full(shape, np.nan, np.float32), np.zeros(shape, np.int32), (tally,) * shape[0])


def _first_as_corner(lat_deg: np.ndarray, lon_deg: np.ndarray) -> Affine:
    """As if the axes held the corners of cells."""
    down, right = ((axis[-1] - axis[0]) / (len(axis) - 1) for axis in (lat_deg, lon_deg))
    return float(right), 0.0, float(lon_deg[0]), 0.0, float(down), float(lat_deg[0])


def _unchecked(packed: bytes, most_bytes: int) -> np.ndarray:
    """As much as comes out of a block, whatever its checksum says, filled up with zeros."""
    try:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(bytes(packed[2:]), most_bytes)
    except zlib.error:
        content = b""
    return np.frombuffer(content.ljust(most_bytes, b"\0"), np.uint8)


_BREAKS: Mapping[str, Sequence[tuple[object, str, object]]] = {
    "rename-before-flush": [(files.NewFile, "finish", _rename_before_flush)],
    "digest-skipped": [
        (parquet, "check_digest", lambda path: None),
        *((module, "fits_digest", lambda path: True) for module in (backup, verify)),
    ],
    "range-believed": [(RemoteRanges, "_part", _believe)],
    "nothing-kept": [(Spool, "get", lambda spool, key, wanted=None: {})],
    "sums-skipped": [(asset, "refuse_damaged_blocks", lambda *_: None), (unpack, "inflated", _unchecked)],
    "window-unmoved": [(asset, "_moved", lambda affine, row, col: affine)],
    "damage-unsaid": [(composite, "failed_composite", _nothing_sensed)],
    "counted-twice": [(scene_source, "each_once", _each_delivery)],
    "middle-for-corner": [(gunw_axes, "_affine", _first_as_corner)],
    "oldest-first": [(ProductName, "rank", property(lambda name: (name.version, name.text)))],
    "name-believed": [(module, "refuse_another", lambda *_: None) for module in (own_products, pair_products)],
}
"""What is broken, and by what, under each name."""
BROKEN = tuple(_BREAKS)


@contextlib.contextmanager
def broken(name: str) -> Iterator[None]:
    """Inside, and in every child forked there, one thing is broken."""
    with contextlib.ExitStack() as stack:
        for target, attribute, instead in _BREAKS[name]:
            stack.enter_context(mock.patch.object(target, attribute, instead))
        yield
