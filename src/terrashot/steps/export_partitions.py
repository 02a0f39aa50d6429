"""`terrashot export`: a study's chips and their split in the layouts of other programs."""

from dataclasses import dataclass
from pathlib import Path

from terrashot.areas.partition_files import partition_files
from terrashot.durable.files import make_folder, write_bytes
from terrashot.durable.lock import sole_writer
from terrashot.errors import InputError, UsageError
from terrashot.steps.answer import Answer
from terrashot.steps.out_folder import OutFolder
from terrashot.steps.progress import Progress, Work
from terrashot.store.tables import read_chips

KINDS = ("geetiles",)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What the command was given."""

    kind: str
    chips: Path
    out: Path
    overwrite: bool = False


def export_files(request: ExportRequest) -> Work[Answer]:
    """What was written: of each area a GeoJSON and a CSV, each whole or absent.

    Raises:
        UsageError: an unknown kind.
        InputError: no such table, or chips without outline or split.
        StorageError: `out` holds something else.
    """
    if request.kind not in KINDS:
        raise UsageError(f"export {request.kind}: no such kind; kinds are {', '.join(KINDS)}")
    if not request.chips.is_file():
        raise InputError(f"{request.chips}: no such table of chips; a study leaves chips.parquet")
    chips = read_chips(request.chips)
    written = partition_files(chips)
    out = OutFolder(request.out, {"chips": request.chips}, written[-1].csv, {"kind": request.kind})
    if not request.overwrite:
        out.refuse_if_taken()
    with sole_writer(make_folder(request.out)):
        out.begin()
        for number, files in enumerate(written, 1):
            write_bytes(request.out / files.geojson, files.features)
            write_bytes(request.out / files.csv, files.rows)
            yield Progress("export", number, len(written), files.geojson)
    names = [name for files in written for name in (files.geojson, files.csv)]
    n_buffer = chips.split.count("buffer")
    left = f"{n_buffer} chips of the buffer have split null there, and no row in the CSV"
    lines = (*(f"wrote {request.out / name}" for name in names), *([left] if n_buffer else []))
    return Answer(lines, {"out": str(request.out), "files": names, "chips": len(chips), "buffer": n_buffer})
