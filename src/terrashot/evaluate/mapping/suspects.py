"""Labels that the embeddings contradict with confidence: worth a look, and nothing more.

Letters: `n` labelled chips, `K` classes.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Bool, Float, Int64

from terrashot.domain.label_summary import Suspect
from terrashot.domain.tables import Chips, Labels, shared_rows
from terrashot.domain.tasks import TaskRule
from terrashot.errors import InputError
from terrashot.evaluate.mapping.out_of_fold import make_folds, out_of_fold
from terrashot.evaluate.protocol.feature_sets import FeatureSet
from terrashot.evaluate.protocol.sampling import seed_of
from terrashot.evaluate.protocol.target import Target, make_target
from terrashot.heads.lesson import HeadSettings

HEAD = "forest"
MOST_CHIPS = 5000
"""Of an area, drawn by chance: more would cost minutes a target."""
FEWEST = 30


def suspects(
    features: FeatureSet, chips: Chips, labels: Labels, rules: Mapping[str, TaskRule], seed: int
) -> Iterator[Suspect]:
    """By target and area, the chips whose label is not the class that heads of other places see in them, the surest first.

    A class counts as seen where its probability, out of fold, is at least the mean of that of the chips which have it; among such
    classes the most probable one is told.

    Args:
        features: in the rows of the chips.
        rules: of every target, how it becomes a task; numbers learnt as such have no suspects.

    Source: Northcutt, Jiang and Chuang 2021, doi:10.1613/jair.1.12125, equation 1 and section 3.1, on one split for each fold.
    """
    ours, theirs = shared_rows(chips.ids, labels.chip_ids)
    complete = features.complete(len(chips))[ours]
    ours, theirs = ours[complete], theirs[complete]
    areas = np.array(chips.area, dtype=object)[ours]
    for name, values in labels.targets.items():
        for area in () if rules[name].is_regression else dict.fromkeys(areas.tolist()):
            own = np.flatnonzero(areas == area)
            yield from _of_area(
                features, chips.take(ours[own]), ours[own], name, values[theirs[own]], rules[name], seed
            )


def _of_area(
    features: FeatureSet, chips: Chips, rows: np.ndarray, name: str, values: np.ndarray, rule: TaskRule, seed: int
) -> list[Suspect]:
    is_train = np.array([split == "train" for split in chips.split], dtype=bool)
    try:
        target = make_target(name, values, is_train, rule)
    except InputError:
        return []  # nothing to tell apart: said where it is learnt
    rng = np.random.default_rng(seed_of(seed, name, chips.area[0], "suspects"))
    known = np.flatnonzero(target.known)
    drawn = np.sort(rng.permutation(known)[:MOST_CHIPS])
    present, y = np.unique(target.y[drawn], return_inverse=True)
    if len(drawn) < FEWEST or len(present) < 2 or np.sort(np.bincount(y))[-2] < 2:
        return []
    found = _probabilities(features, chips, rows, drawn, y, len(present), seed)
    told = _told(found, y)
    odd = np.flatnonzero(told != y)
    order = odd[np.argsort(found[odd, y[odd]] - found[odd, told[odd]], kind="stable")]
    return [_suspect(name, chips, target, present, drawn, found, y, told, position) for position in order.tolist()]


def _probabilities(
    features: FeatureSet, chips: Chips, rows: np.ndarray, drawn: np.ndarray, y: np.ndarray, n_classes: int, seed: int
) -> Float[np.ndarray, "n K"]:
    vectors = features.take(rows[drawn]).astype(np.float32)
    folds = make_folds(chips, drawn, y, seed)
    return out_of_fold(
        HEAD, vectors[:0], vectors, y, folds.fold, n_classes=n_classes, settings=HeadSettings(), seed=seed
    )  # fmt: skip


def _told(found: Float[np.ndarray, "n K"], y: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """Class of each chip that is seen with confidence; its own where none is."""
    usual = np.array([found[y == number, number].mean() for number in range(found.shape[1])])
    seen: Bool[np.ndarray, "n K"] = found >= usual
    best = np.where(seen, found, -1.0).argmax(axis=1)
    return np.where(seen.any(axis=1), best, y)


def _suspect(
    name: str, chips: Chips, target: Target, present: np.ndarray, drawn: np.ndarray, found: np.ndarray, y: np.ndarray,
    told: np.ndarray, position: int,
) -> Suspect:  # fmt: skip
    label, other = (int(number) for number in (y[position], told[position]))
    return Suspect(
        name, chips.area[0], chips.ids[drawn[position]], target.names[present[label]], target.names[present[other]],
        float(found[position, other]), float(found[position, label]),
    )  # fmt: skip
