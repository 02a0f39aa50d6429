"""`terrashot import geetiles | m3leo`: published chips, splits, labels and coherence, brought into a chip folder."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final, get_args

from terrashot.durable.files import make_folder, remove
from terrashot.durable.lock import sole_writer
from terrashot.durable.parts import DiskParts, Parts, read_part
from terrashot.engine import available_cores, cut, ordered_map
from terrashot.errors import InputError, StorageError, UsageError
from terrashot.ingest.channel_file import nearest
from terrashot.ingest.each_once import Orbits
from terrashot.ingest.geetiles.chip import Outcome, import_chip
from terrashot.ingest.geetiles.lattice import Lattice
from terrashot.ingest.geetiles.names import IMAGERY
from terrashot.ingest.geetiles.parquet_rows import parquet_files, unpack
from terrashot.ingest.geetiles.plan import ChipJob, Choices, ImportPlan
from terrashot.ingest.geetiles.stored import ZEROS
from terrashot.raster.chip_geotiff import need_rasterio_for_chips
from terrashot.steps.answer import Answer
from terrashot.steps.import_chips_found import Found, find_chips
from terrashot.steps.import_chips_write import OURS, answer_of, write_folder
from terrashot.steps.out_folder import INPUTS, OutFolder
from terrashot.steps.progress import Progress, Said, Work
from terrashot.store.manifest import digest_of

KINDS: Final = ("geetiles", "m3leo")
CHIPS_A_PART: Final = 32
"""What a killed import does again; their images lie whole in the folder before the part is told as done."""
WORK: Final = ".work"
MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class ChipImport:
    """What the command was given."""

    kind: str
    source: Path
    out: Path
    choices: Choices
    splits: str | None = None
    group: str | None = None
    max_failed_share: float = 0.0
    workers: int = 0
    overwrite: bool = False


def import_chip_folder(request: ChipImport) -> Work[Answer]:
    """What was written: a chip folder that a study of kind `folder` takes as it is.

    Raises:
        UsageError: an unknown choice.
        InputError: the source is not in the layout, or more chips failed than may; all others were tried first.
        StorageError: the folder holds something else.
    """
    _check(request)
    need_rasterio_for_chips()
    out = _out_folder(request)
    with sole_writer(make_folder(request.out)):
        out.begin()
        source = request.source
        if request.kind == "m3leo":
            source = yield from _unpacked(request)
        found = yield from find_chips(
            source, request.source, request.out, request.choices, request.splits, request.group
        )
        for name in IMAGERY:
            make_folder(request.out / name)
        outcomes = yield from _outcomes(request, found)
        _refuse_failures(outcomes, request.max_failed_share)
        told = write_folder(request.out, found, outcomes, request.kind)
        remove(request.out / WORK)
    for note in told.notes:
        yield Said(note)
    return answer_of(request.out, request.kind, found, outcomes, told)


def choices_of(months: str | None, max_days: int | None, orbits: str, zero: str, lattice: str) -> Choices:
    """What a person chose, in words.

    Raises:
        UsageError: no such choice, or no months.
    """
    named = tuple(sorted({month.strip() for month in months.split(",")})) if months is not None else ()
    odd = next((month for month in named if not MONTH.fullmatch(month)), None)
    if odd is not None:
        raise UsageError(f"--months {odd[:20]!r}: months are written 2020-01, between commas")
    for what, value, known in (
        ("--orbits", orbits, get_args(Orbits)),
        ("--zero", zero, ZEROS),
        ("--lattice", lattice, get_args(Lattice)),
    ):
        if value not in known:
            raise UsageError(f"{what} {value}: none of {', '.join(known)}; {nearest(value, known)}".rstrip("; "))
    return Choices(named, orbits, zero, lattice, max_days)  # type: ignore[arg-type]


def _check(request: ChipImport) -> None:
    if request.kind not in KINDS:
        raise UsageError(f"import {request.kind}: no such kind; kinds are {', '.join(KINDS)}")
    if not request.source.is_dir():
        raise InputError(f"{request.source}: no such folder")
    if request.out.resolve().is_relative_to(request.source.resolve()):
        raise UsageError(f"--out {request.out} lies in {request.source}; name a folder elsewhere")


def _out_folder(request: ChipImport) -> OutFolder:
    """The folder, free or begun with the same wishes."""
    chosen = {key: str(value) for key, value in asdict(request.choices).items()}
    asked = {
        "kind": request.kind,
        "source": str(request.source.resolve()),
        "splits": request.splits,
        "group": request.group,
    }
    out = OutFolder(request.out, {}, "chips.csv", {**chosen, **asked})
    try:
        out.refuse_if_taken()
    except StorageError:
        if not request.overwrite or not (request.out / INPUTS).is_file():
            raise
        for name in (*OURS, WORK):
            if (request.out / name).exists():
                remove(request.out / name)
    return out


def _unpacked(request: ChipImport) -> Work[Path]:
    """The folder that has the layout of geetiles: that of the source, or one into which its Parquet files are unpacked."""
    files = parquet_files(request.source)
    if not files:
        return request.source
    into = make_folder(request.out / WORK / "unpacked")
    parts = DiskParts(request.out / WORK / "unpacked.parts", digest_of([str(request.source.resolve()), FORMAT]))
    for number, path in enumerate(files, 1):
        key = f"file-{digest_of([str(path), path.stat().st_size, path.stat().st_mtime_ns])[:32]}"
        if parts.get(key) is None:
            parts.put(key, str(unpack(path, request.source, into)).encode())
        yield Progress("unpack", number, len(files), path.name)
    return into


def _outcomes(request: ChipImport, found: Found) -> Work[list[Outcome]]:
    """Of every chip, in order; what is done, and made from the same files, is not done again."""
    identity = digest_of([FORMAT, str(found.plan.source), str(asdict(found.plan))])
    parts = DiskParts(make_folder(request.out / WORK) / "parts", identity)
    runs = list(cut(found.jobs, CHIPS_A_PART))
    keys = [f"chips-{_fingerprint(run)[:40]}" for run in runs]
    kept = {number: told for number, key in enumerate(keys) if (told := _kept(parts, key, request.out)) is not None}
    left = [number for number in range(len(runs)) if number not in kept]
    work = ordered_map(
        partial(_import_run, plan=found.plan), [runs[number] for number in left], request.workers or available_cores()
    )
    done = sum(len(kept[number]) for number in kept)
    yield Progress("import", done, len(found.jobs))
    for number, outcomes in zip(left, work, strict=True):
        if not any(outcome.failed for outcome in outcomes):
            parts.put(keys[number], json.dumps([asdict(outcome) for outcome in outcomes]).encode())
        kept[number] = outcomes
        done += len(outcomes)
        yield Progress("import", done, len(found.jobs))
    return [outcome for number in range(len(runs)) for outcome in kept[number]]


def _import_run(run: Sequence[ChipJob], plan: ImportPlan) -> list[Outcome]:
    return [import_chip(job, plan) for job in run]


def _kept(parts: Parts, key: str, out: Path) -> list[Outcome] | None:
    """Outcomes of an earlier, killed import whose images still lie there."""
    told = read_part(parts, key, lambda content: [Outcome(**row) for row in json.loads(content)])
    if told is None or not all((out / name / f"{one.id}.tif").is_file() for one in told for name in one.wrote):
        return None
    return told


def _fingerprint(run: Sequence[ChipJob]) -> str:
    """Digest of the names, sizes and times of a run's files, by which a mended one is noticed."""
    paths = [path for job in run for path in (*(tile.path for tile in job.tiles), *job.skipped.values())]
    told = [(str(path), stat.st_size, stat.st_mtime_ns) for path in paths if path.is_file() for stat in (path.stat(),)]
    return digest_of([[job.id, job.bounds_deg] for job in run] + told)


def _refuse_failures(outcomes: Sequence[Outcome], most: float) -> None:
    failed: Mapping[str, str] = {one.id: next(iter(one.failed.values())) for one in outcomes if one.failed}
    if len(failed) > most * len(outcomes):
        listed = "; ".join(f"{chip_id}: {reason}" for chip_id, reason in list(failed.items())[:3])
        raise InputError(
            f"{len(failed)} of {len(outcomes)} chips failed, all others are kept: {listed}{'; ...' if len(failed) > 3 else ''}; "
            "mend the files and run again, or allow it with --max-failed-share"
        )
