"""Predictions for labelled chips by heads that have not learned from them or their neighbours."""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from sklearn.model_selection import StratifiedGroupKFold

from terrashot.domain.tables import Chips
from terrashot.evaluate.protocol.spatial import block_names
from terrashot.heads.lesson import HeadSettings
from terrashot.heads.pool import make_pool, predict

MOST_FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """The fold of each labelled chip."""

    fold: Int64[np.ndarray, " N"]
    kind: str
    """What is never cut: `groups`, `spatial blocks` or `chips`."""


def make_folds(chips: Chips, labelled: Int64[np.ndarray, " n"], y: Int64[np.ndarray, " n"], seed: int) -> Folds:
    """Up to five folds of whole groups or spatial blocks (`block_names`), with the classes shared out evenly.

    Chips without group and place are dealt one by one, and so are all where the labels lie in one block.

    Args:
        labelled: rows of `chips`.
        y: their classes, two or more.
    """
    # Of all chips: blocks without a lattice depend on the extent.
    blocks = np.array(block_names(chips))[labelled]
    kind = _kind(chips)
    if kind == "chips" or len(np.unique(blocks)) == 1:
        blocks, kind = np.array(chips.ids)[labelled], "chips"
    # No more than the second most frequent class can be shared out among, so that each fold can hold two classes.
    n_folds = max(2, min(MOST_FOLDS, len(np.unique(blocks)), int(np.sort(np.bincount(y))[-2])))
    fold = np.zeros(len(y), dtype=np.int64)
    dealer = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with few labels cannot be in every fold; that the folds are fewer than its labels is not asked.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, held) in enumerate(dealer.split(y, y, blocks)):
            fold[held] = number
    return Folds(fold, kind)


def out_of_fold(
    head: str,
    background: Float32[np.ndarray, "B D"],
    labelled: Float32[np.ndarray, "N D"],
    y: Int64[np.ndarray, " N"],
    fold: Int64[np.ndarray, " N"],
    *,
    n_classes: int,
    settings: HeadSettings,
    seed: int,
) -> Float32[np.ndarray, "N K"]:
    """Class probabilities of each labelled chip by a head that learned from the other folds.

    Args:
        background: a sample of all chips, for means, spreads and bins; no label is looked at.
    """
    pool = make_pool(np.concatenate([labelled, background]), labelled, seed, (head,))
    probabilities = np.empty((len(y), n_classes), dtype=np.float32)
    for number in np.unique(fold):
        learned = np.flatnonzero(fold != number)
        found = predict(head, pool, learned, y[learned], n_classes=n_classes, settings=settings, seed=seed)
        probabilities[fold == number] = found[fold == number]
    return probabilities


def _kind(chips: Chips) -> str:
    if all(group is not None for group in chips.group):
        return "groups"
    placed = chips.utm is not None or (chips.lon_deg is not None and not np.isnan(chips.lon_deg).any())
    return "spatial blocks" if placed and len(chips) > 1 else "chips"
