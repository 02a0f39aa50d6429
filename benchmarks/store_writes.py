"""What writing a chip store costs beside writing the same stored numbers as they are."""

import os
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from interleaved import seconds_a_call

from terrashot.domain.modality import Imagery
from terrashot.errors import MissingImageryError
from terrashot.ingest.harvest import harvest
from terrashot.ingest.source import ImagerySource
from terrashot.store.encode import encode
from terrashot.store.encoding import encoding_for


class Remembered:
    """A source whose chips lie in memory after the first reading, so that what is timed is writing."""

    def __init__(self, source: ImagerySource) -> None:
        self._source = source
        self.read = cache(source.read)

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)


def write_seconds(
    source: ImagerySource, chip_ids: Sequence[str], folder: Path, *, rounds: int
) -> dict[str, list[float]]:
    """Seconds a round: `ours` (packed, summed, flushed, named in the ledger), `raw` and `flushed` (raw, then fsync)."""
    ready = Remembered(source)
    raw = b"".join(_stored_bytes(ready, chip_id) for chip_id in chip_ids)
    return seconds_a_call(
        {
            "ours": lambda: _store_anew(ready, chip_ids, folder / "written"),
            "raw": lambda: _write_raw(raw, folder / "raw", is_flushed=False),
            "flushed": lambda: _write_raw(raw, folder / "raw", is_flushed=True),
        },
        rounds=rounds,
    )


def _stored_bytes(source: ImagerySource, chip_id: str) -> bytes:
    try:
        found: Imagery = source.read(chip_id)
    except MissingImageryError:
        return b""
    return encode(encoding_for({source.unit}), found.values)[0].tobytes()


def _store_anew(source: ImagerySource, chip_ids: Sequence[str], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for _ in harvest([source], chip_ids, folder, workers=1):
        pass


def _write_raw(content: bytes, path: Path, *, is_flushed: bool) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.write(content)
        if is_flushed:
            file.flush()
            os.fsync(file.fileno())
