"""One head, fitted on a user's labels, and asked about every chip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from terrashot.domain.tables import Chips
from terrashot.domain.tasks import Classes
from terrashot.evaluate.mapping.calibration import (
    Calibration,
    Reliability,
    cross_calibrated,
    fit_calibration,
    reliability,
)
from terrashot.evaluate.mapping.out_of_fold import make_folds, out_of_fold
from terrashot.evaluate.mapping.support import Support, make_support
from terrashot.evaluate.protocol.feature_sets import FeatureSet
from terrashot.heads.lesson import HeadSettings
from terrashot.heads.pool import make_pool, predict
from terrashot.plots.label_map import MapLayers
from terrashot.steps.progress import Progress, Work

BACKGROUND_CHIPS = 2048
"""Chips, labelled or not, that means, spreads and bins of the vectors come from."""
BLOCK_BYTES = 128 << 20
"""Vectors worked on at once; a head and its distances need some ten times as much."""
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class MapTask:
    """What is to be learned, from which vectors, by which head."""

    target: str
    classes: Classes
    """Of all chips; -1 where there is no label, or no vector."""
    features: str
    vectors: FeatureSet
    head: str


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What came of the labels: the map, and how far it may be believed."""

    task: MapTask
    layers: MapLayers
    folds: int
    fold_kind: str
    calibration: Calibration
    before: Reliability
    after: Reliability
    """Each fold by the calibration of the others."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """All that a block of chips is judged by."""

    head: str
    labelled: Float32[np.ndarray, "n D"]
    """By id, so that the table's order decides nothing."""
    background: Float32[np.ndarray, "B D"]
    y: Int64[np.ndarray, " n"]
    n_classes: int
    calibration: Calibration
    support: Support


def learn_map(task: MapTask, chips: Chips) -> Work[Learned]:
    """The map of all chips with a vector.

    A labelled chip has its out-of-fold probability: no chip is judged by a head that learned its label.
    """
    there = task.vectors.complete(len(chips))
    order = _by_id(chips.ids)
    rows = order[task.classes.y[order] >= 0]
    y = task.classes.y[rows]
    folds = make_folds(chips, rows, y, SEED)
    fit, own = _fit(task, rows, _background(order[there[order]]), folds.fold)
    probability, distance = yield from _judge_all(fit, task.vectors, there)
    probability[rows] = fit.calibration.apply(own)
    layers = MapLayers(
        task.target,
        task.classes.names,
        probability,
        distance,
        fit.support.threshold,
        np.where(there, task.classes.y, -1),
    )
    return Learned(
        task, layers, len(np.unique(folds.fold)), folds.kind, fit.calibration,
        reliability(y, own), reliability(y, cross_calibrated(own, y, folds.fold)),
    )  # fmt: skip


def _fit(task: MapTask, rows: np.ndarray, background: np.ndarray, fold: np.ndarray) -> tuple[_Fit, np.ndarray]:
    """What judges a chip, and the labelled chips' own out-of-fold probabilities."""
    labelled, others = _vectors(task.vectors, rows), _vectors(task.vectors, background)
    y, n_classes = task.classes.y[rows], len(task.classes.names)
    own = out_of_fold(
        task.head, others, labelled, y, fold, n_classes=n_classes, settings=HeadSettings(), seed=SEED
    )  # fmt: skip
    support = make_support(others, labelled, fold)
    return _Fit(task.head, labelled, others, y, n_classes, fit_calibration(own, y), support), own


def _judge_all(fit: _Fit, vectors: FeatureSet, there: Bool[np.ndarray, " N"]) -> Work[tuple[np.ndarray, np.ndarray]]:
    probability = np.full((len(there), fit.n_classes), np.nan, dtype=np.float32)
    distance = np.full(len(there), np.nan, dtype=np.float32)
    judged = np.flatnonzero(there)
    step = max(256, BLOCK_BYTES // (4 * vectors.n_features))
    for first in range(0, len(judged), step):
        rows = judged[first : first + step]
        block = _vectors(vectors, rows)
        probability[rows], distance[rows] = _judge(fit, block), fit.support.dissimilarity(block)
        yield Progress("map", first + len(rows), len(judged), "chips")
    return probability, distance


def _vectors(features: FeatureSet, rows: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n D"]:
    return features.take(rows).astype(np.float32, copy=False)


def _judge(fit: _Fit, block: Float32[np.ndarray, "N D"]) -> Float32[np.ndarray, "N K"]:
    """Calibrated probabilities; the fit is made again for each block, and is the same each time."""
    pool = make_pool(np.concatenate([fit.labelled, fit.background]), block, SEED, (fit.head,))
    learned = np.arange(len(fit.y))
    found = predict(fit.head, pool, learned, fit.y, n_classes=fit.n_classes, settings=HeadSettings(), seed=SEED)
    return fit.calibration.apply(found)


def _by_id(ids: Sequence[str]) -> Int64[np.ndarray, " N"]:
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)


def _background(rows: Int64[np.ndarray, " N"]) -> Int64[np.ndarray, " B"]:
    if len(rows) <= BACKGROUND_CHIPS:
        return rows
    return rows[np.sort(np.random.default_rng(SEED).choice(len(rows), BACKGROUND_CHIPS, replace=False))]
