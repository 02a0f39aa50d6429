"""Imports one chip: writes its images, and tells what was mended, what failed, and what its labels are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from terrashot.domain.modality import Imagery
from terrashot.durable.files import remove, write_bytes
from terrashot.errors import InputError, one_line
from terrashot.ingest.geetiles.coherence_tiles import coherence
from terrashot.ingest.geetiles.labels import built_up, class_counts, tree_cover
from terrashot.ingest.geetiles.monthly_tiles import optical, radar
from terrashot.ingest.geetiles.plan import ChipJob, ImportPlan
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.skipped import SKIPPED, skipped_reason
from terrashot.raster.chip_geotiff import chip_geotiff
from terrashot.raster.place import RasterPlace


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one chip; JSON can hold it."""

    id: str
    wrote: tuple[str, ...]
    """Modalities with an image."""
    failed: Mapping[str, str]
    """What could not be used and why, by modality or label."""
    mended: Mapping[str, Mapping[str, int]]
    """Counts of `Mended`, by modality."""
    n_pairs: int
    classes: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, Sequence[float]] = field(default_factory=dict)


def import_chip(job: ChipJob, plan: ImportPlan) -> Outcome:
    """The chip's images now lie in their folders, each whole or absent; a modality that is not there has its reason beside."""
    failed: dict[str, str] = {}
    found_optical, found_radar, found_pairs = (
        _tried(name, read, job, plan, failed)
        for name, read in (("s2rgbm", optical), ("s1grdm", radar), ("gunw", coherence))
    )
    images = {
        "s2rgbm": (found_optical and found_optical[0], plan.place),
        "s1grdm": (found_radar and found_radar[0], plan.place),
        "gunw": (found_pairs, plan.coherence_place),
    }
    wrote = tuple(
        name for name, (image, place) in images.items() if _write(name, image, place(job.bounds_deg), job, plan, failed)
    )
    mended = {name: asdict(found[1]) for name, found in (("s2rgbm", found_optical), ("s1grdm", found_radar)) if found}
    classes = _tried("land cover", class_counts, job, plan, failed)
    values = {
        "vegetation": _tried("vegetation", tree_cover, job, plan, failed),
        "builtup": _tried("builtup", built_up, job, plan, failed),
    }
    pairs = len(found_pairs.channels) if isinstance(found_pairs, Imagery) else 0
    return Outcome(
        job.id, wrote, failed, mended, pairs, {str(k): v for k, v in (classes or {}).items()},
        {name: value for name, value in values.items() if value is not None},
    )  # fmt: skip


def _tried(
    name: str, read: Callable[[ChipJob, ImportPlan], Any], job: ChipJob, plan: ImportPlan, failed: dict[str, str]
) -> Any:
    """What was read; None where it failed, for one bad tile must not stop the others."""
    try:
        return read(job, plan)
    except InputError as error:
        failed[name] = one_line(error, 400)
        return None


def _write(
    name: str,
    image: Imagery | str | None,
    place: RasterPlace,
    job: ChipJob,
    plan: ImportPlan,
    failed: Mapping[str, str],
) -> bool:
    """Whether there is an image now; if not, why lies beside."""
    beside = plan.out / name / f"{job.id}{SKIPPED}"
    if isinstance(image, Imagery):
        write_bytes(plan.out / name / f"{job.id}.tif", chip_geotiff(image.values, image.channels, place))
        if beside.is_file():  # of an earlier try, before its tile was mended
            remove(beside)
        return True
    reason = failed.get(name) or image or _told(job, name, plan)
    if reason:
        write_bytes(beside, f"{reason}\n".encode())
    return False


def _told(job: ChipJob, name: str, plan: ImportPlan) -> str | None:
    """The reason that the authors' program left."""
    path = job.skipped.get(name)
    if path is None:
        return None
    refuse_outside(path, plan.source)
    return skipped_reason(path)
