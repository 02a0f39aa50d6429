"""Vectors of the chips of one fold: of a model, of the same model untrained, and of every floor.

All that is learnt on the way (scales of channels, filters, bins, components) is learnt from the fold's training chips alone.
"""

import tempfile
from pathlib import Path

import numpy as np
import simple_floors
from real_chips import RealChips
from simple_floors import (
    BINS,
    colour_histograms,
    joint_bins,
    joint_histograms,
    learn_bins,
    learn_components,
    local_binary_patterns,
)

from terrashot.domain.normalize import ChannelStats
from terrashot.domain.tables import Chips, shared_rows
from terrashot.durable.files import sha256_of, write_atomically
from terrashot.durable.parts import DiskParts
from terrashot.embed.floors import make_floors, make_layout, read_images
from terrashot.embed.in_parts import embed_in_parts
from terrashot.model.checkpoint import Model
from terrashot.model.towers import Towers, make_towers
from terrashot.steps.embed_chips import embed_choices
from terrashot.steps.embed_tables import KEPT_DTYPE, UNTRAINED_SEED_OFFSET, table_job, with_possible_stand_in
from terrashot.steps.progress import finish
from terrashot.store.statistics import measure_channels, measure_differences

SEED = 0
TOGETHER = ("image_stats", "colour_histogram", "joint_histogram", "local_binary_patterns")
Vectors = dict[str, dict[str, np.ndarray]]
"""By feature set, then by modality: (N, D) in the chips' rows."""


def model_vectors(model: Model, real: RealChips, fold: Chips) -> Vectors:
    """Of the model, as `embedding`, and of the same towers untrained."""
    fresh = make_towers(model.towers.config, SEED + UNTRAINED_SEED_OFFSET)
    stats = _stats(real, fold)
    if model.stats.has_differences:
        stats = measure_differences(real.store, stats, _train_ids(fold), SEED)
    both = (("embedding", model.towers), ("untrained", fresh))
    return {name: _embedded(towers, stats, real, fold) for name, towers in both}


def _embedded(towers: Towers, stats: ChannelStats, real: RealChips, fold: Chips) -> dict[str, np.ndarray]:
    """Vectors in half precision, as `terrashot embed` writes them."""
    choices = embed_choices(real.asked.channels, "training-mean", "float16", "float32")
    found: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        parts = DiskParts(Path(folder) / "parts", "vectors")
        table = table_job(towers, stats, real.store, fold, choices, parts)
        made = finish(embed_in_parts(table.job, table.chips.ids, parts, name="embed", dtype=KEPT_DTYPE))
        table = finish(with_possible_stand_in(table, made.groups))
        groups = list(table.stand_ins(made.groups))
    rows, own = shared_rows(fold.ids, [chip_id for group in groups for chip_id in group.chips.ids])
    assert len(rows) == len(fold), "every chip has a vector"
    for name in groups[0].blocks:
        found[name] = np.concatenate([group.blocks[name] for group in groups]).astype(np.float16)[own]
    return found


def floor_vectors(real: RealChips, fold: Chips, cache: Path) -> Vectors:
    """Of every floor that needs no model; kept in the cache until the code of the simple ones changes."""
    code = Path(simple_floors.__file__).read_bytes() + Path(__file__).read_bytes()
    made_from = sha256_of(code + repr((fold.ids, fold.split)).encode())[:16]
    path = cache / real.name / f"floors-{made_from}.npz"
    if not path.is_file():
        made = {f"{kind}:{name}": own for kind, of in _floor_vectors(real, fold).items() for name, own in of.items()}
        write_atomically(path, lambda file: np.savez(file, **made))
    vectors: Vectors = {}
    with np.load(path) as stored:
        for key in stored.files:
            kind, modality = key.split(":")
            vectors.setdefault(kind, {})[modality] = stored[key]
    return vectors


def _floor_vectors(real: RealChips, fold: Chips) -> Vectors:
    found, is_train = _package_floors(real, fold), np.array([name == "train" for name in fold.split])
    for modality in real.store.modalities:
        layout = make_layout(real.store, modality, _train_ids(fold), stats=_stats(real, fold))
        assert layout is not None, "training chips have every modality"
        images = read_images(real.store, layout, fold.ids)
        train = images[is_train]
        own = {
            "colour_histogram": colour_histograms(images, learn_bins(train, BINS)),
            "joint_histogram": joint_histograms(images, learn_bins(train, joint_bins(images.shape[1]))),
            "local_binary_patterns": local_binary_patterns(images),
            "pixel_pca": learn_components(train).of(images),
        }
        for name, vectors in own.items():
            found.setdefault(name, {})[modality] = vectors
        found.setdefault("together", {})[modality] = np.hstack([found[name][modality] for name in TOGETHER])
    return found


def _package_floors(real: RealChips, fold: Chips) -> Vectors:
    """Image statistics and random convolutions."""
    found: Vectors = {}
    with tempfile.TemporaryDirectory() as folder:
        work = make_floors(
            real.store, fold.ids, stats=_stats(real, fold), train_ids=_train_ids(fold), seed=SEED,
            parts=DiskParts(Path(folder) / "parts", "floors"),
        )  # fmt: skip
        groups = [blocks for _, blocks in finish(work).groups()]
    for key in groups[0]:
        kind, modality = key.split(":")
        found.setdefault(kind, {})[modality] = np.concatenate([blocks[key] for blocks in groups])
    return found


def _train_ids(fold: Chips) -> list[str]:
    return [fold.ids[row] for row in fold.rows_in("train")]


def _stats(real: RealChips, fold: Chips) -> ChannelStats:
    return measure_channels(real.store, _train_ids(fold), SEED)
