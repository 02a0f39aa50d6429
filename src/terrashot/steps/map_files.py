"""`terrashot map`: a user's labels on any embedding table, spread over all its chips."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from terrashot import __version__
from terrashot.domain.tables import Chips, Embeddings, Labels, shared_rows
from terrashot.domain.tasks import Classes, make_classes
from terrashot.durable.backup import forget_digest
from terrashot.durable.files import make_folder, remove, sha256_of_file
from terrashot.durable.lock import sole_writer
from terrashot.errors import InputError, UsageError
from terrashot.evaluate.protocol.feature_sets import CONCATENATED, feature_sets
from terrashot.heads.pool import HEADS
from terrashot.ingest.channel_file import nearest
from terrashot.raster.cog import need_rasterio
from terrashot.steps.answer import Answer
from terrashot.steps.given_tables import EXAMPLES, described
from terrashot.steps.map_layers import Learned, MapTask, learn_map
from terrashot.steps.map_raster import RasterPlan, plan_rasters
from terrashot.steps.map_write import write_map_facts, write_map_picture, write_map_raster, write_map_table
from terrashot.steps.out_folder import OutFolder
from terrashot.steps.progress import Said, Work
from terrashot.store.label_table import read_labels
from terrashot.store.vectors import read_embeddings

FEWEST_LABELS = 6
DEFAULT_HEAD = "forest"
DONE = "map.json"
OUR_RASTER = re.compile(r"map(_\d+(_\d+m)?)?\.tif")


@dataclass(frozen=True, slots=True)
class MapRequest:
    """What the command was given."""

    embeddings: Path
    labels: Path
    out: Path
    chips: Path | None = None
    target: str | None = None
    features: str | None = None
    head: str | None = None
    overwrite: bool = False


def map_files(request: MapRequest) -> Work[Answer]:
    """What was written, and how far it may be believed.

    Raises:
        StorageError: `out` holds something.
        UsageError: no such target, features or head.
        InputError, MisalignedError: the tables cannot be used, share no chip, or have too few labels.
    """
    out = _out_folder(request)
    if not request.overwrite:
        out.refuse_if_taken()
    table, labels = read_embeddings(request.embeddings), read_labels(request.labels)
    yield from _say_lost(table.chips, labels)
    chips = described(table.chips, request.chips)
    task = _task(request, table, chips, labels)
    plan = plan_rasters(chips)
    if plan.rasters:
        need_rasterio()
    for note in plan.notes:
        yield Said(note)
    with sole_writer(make_folder(request.out)):
        _begin(out)
        learned = yield from learn_map(task, chips)
        yield from _say_learned(learned)
        facts = _write(out, chips, learned, plan)
    return Answer((*_lines(learned), f"map: {request.out}"), {"out": str(request.out), **facts})


def _out_folder(request: MapRequest) -> OutFolder:
    read = {"embeddings": request.embeddings, "labels": request.labels, "chips": request.chips}
    chosen = {"target": request.target, "features": request.features, "head": request.head}
    return OutFolder(request.out, read, DONE, chosen)


def _begin(out: OutFolder) -> None:
    """Nothing of an earlier map stays: this one may have other zones."""
    out.begin()
    for raster in out.path.glob("map*.tif"):
        if OUR_RASTER.fullmatch(raster.name):
            forget_digest(raster)
            remove(raster)


def _say_lost(chips: Chips, labels: Labels) -> Work[None]:
    """Tells of labels without a vector; a vector without a label is what a map is for."""
    shared_rows(chips.ids, labels.chip_ids)
    if lost := set(labels.chip_ids) - set(chips.ids):
        yield Said(f"{len(lost)} labels without a vector, such as {', '.join(sorted(lost)[:EXAMPLES])}")


def _task(request: MapRequest, table: Embeddings, chips: Chips, labels: Labels) -> MapTask:
    target = _chosen(request.target, list(labels.targets), f"{request.labels}: target", "--target")
    sets = feature_sets(replace(table, chips=chips), None)
    del sets["majority"]
    whole = CONCATENATED if CONCATENATED in sets else next(iter(sets))
    features = _chosen(request.features or whole, list(sets), f"{request.embeddings}: features", "--features")
    classes = _classes(target, chips, labels, sets[features].complete(len(chips)))
    head = _chosen(request.head or DEFAULT_HEAD, list(HEADS), "head", "--head")
    return MapTask(target, classes, features, sets[features], head)


def _chosen(name: str | None, known: Sequence[str], what: str, option: str) -> str:
    """The name, if it is known; of none, the only one there is."""
    if name is None and len(known) > 1:
        raise UsageError(f"{what}: there are several; choose one with {option}: {', '.join(known)}")
    if name is None:
        return known[0]
    if name not in known:
        hint = nearest(name, known) or f"there are {', '.join(known)}"
        raise UsageError(f"{what}: no '{name}' ({option}); {hint}")
    return name


def _classes(target: str, chips: Chips, labels: Labels, there: Bool[np.ndarray, " N"]) -> Classes:
    """The target of each chip as classes; -1 where it has no label or no vector."""
    ours, theirs = shared_rows(chips.ids, labels.chip_ids)
    own = labels.targets[target]
    values = np.full(len(chips), None if own.dtype == object else np.nan, dtype=own.dtype)
    values[ours] = own[theirs]
    values[~there] = None if own.dtype == object else np.nan
    classes = make_classes(target, values, np.ones(len(chips), dtype=bool), "nearest")
    found = int((classes.y >= 0).sum())
    if found < FEWEST_LABELS:
        raise InputError(f"label '{target}': {found} chips with a vector have it; a map needs {FEWEST_LABELS} or more")
    return classes


def _say_learned(learned: Learned) -> Work[None]:
    absent = int(np.isnan(learned.layers.distance).sum())
    if absent:
        yield Said(f"{absent} chips lack a vector; they have neither probability nor distance")
    if learned.fold_kind == "chips":
        yield Said(
            "no groups or spatial blocks tell the labelled chips apart: the folds are random chips, whose neighbours may "
            "be in another, so that calibration and distance are judged too kindly"
        )


def _write(out: OutFolder, chips: Chips, learned: Learned, plan: RasterPlan) -> dict[str, Any]:
    folder, layers = out.path, learned.layers
    write_map_table(folder / "map.parquet", chips, layers)
    rasters = [write_map_raster(folder, raster, layers) for raster in plan.rasters]
    write_map_picture(folder / "map.png", chips, layers)
    facts = {**_facts(learned), "inputs": out.digests, "terrashot": __version__, "notes": list(plan.notes)}
    files = ["map.parquet", *(path.name for path in rasters), "map.png"]
    digests = {name: sha256_of_file(folder / name) for name in files}
    write_map_facts(folder / DONE, {**facts, "outputs": digests})
    return {**facts, "files": [str(folder / name) for name in (*files, DONE)]}


def _facts(learned: Learned) -> dict[str, Any]:
    layers, task = learned.layers, learned.task
    counts = np.bincount(layers.label[layers.label >= 0], minlength=len(layers.classes)).tolist()
    known = ~np.isnan(layers.distance)
    return {
        "target": layers.target,
        "classes": list(layers.classes),
        "labels": dict(zip(layers.classes, counts, strict=True)),
        "threshold": task.classes.threshold,
        "features": task.features,
        "head": task.head,
        "n_labels": sum(counts),
        "n_chips": len(layers.distance),
        "n_mapped": int(known.sum()),
        "folds": {"number": learned.folds, "of": learned.fold_kind},
        "calibration": {
            "slope": learned.calibration.slope,
            "shift": learned.calibration.shift.tolist(),
            "before": asdict(learned.before),
            "after": asdict(learned.after),
        },
        "distance_threshold": layers.threshold,
        "share_inside": float((layers.distance[known] <= layers.threshold).mean()),
    }


def _lines(learned: Learned) -> tuple[str, ...]:
    layers, before, after = learned.layers, learned.before, learned.after
    facts = _facts(learned)
    counts = ", ".join(f"{count} {name}" for name, count in facts["labels"].items())
    return (
        f"{layers.target}: {facts['head']} on {facts['features']}, {facts['n_labels']} labels ({counts})",
        f"out of fold ({learned.folds} folds of {learned.fold_kind}), before and after calibration: log loss "
        f"{before.log_loss:.3f} and {after.log_loss:.3f}, Brier score {before.brier:.3f} and {after.brier:.3f}, "
        f"calibration error {before.calibration_error:.3f} and {after.calibration_error:.3f}",
        f"{100 * facts['share_inside']:.0f} % of {facts['n_mapped']:,} chips lie within reach of the labels "
        f"(distance up to {layers.threshold:.3f})",
    )
