"""How labels are shared out over areas, splits and classes, and whether neighbours agree."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import KDTree

from terrashot.domain.label_summary import ALL, LabelSummary
from terrashot.domain.sphere import on_unit_sphere
from terrashot.domain.tables import SPLIT_NAMES, Chips, Labels
from terrashot.domain.tasks import TaskRule
from terrashot.errors import InputError
from terrashot.evaluate.answers.autocorrelation import autocorrelation
from terrashot.evaluate.protocol.target import Target, make_target

ADJACENT = 1.2
"""Chips within so many times the usual distance to the nearest chip are neighbours: on a lattice those that share a side."""


def summarize_labels(chips: Chips, labels: Labels, rules: Mapping[str, TaskRule], seed: int) -> list[LabelSummary]:
    """By target, area and split; labels are in the chips' order.

    Args:
        rules: of every target, how it becomes a task.
    """
    areas = np.array(chips.area, dtype=object)
    found = []
    for target, values in labels.targets.items():
        for area in dict.fromkeys(chips.area):
            own = np.flatnonzero(areas == area)
            share = labels.valid_fraction.get(target)
            found += _of_area(
                target, chips.take(own), values[own], None if share is None else share[own], rules[target], seed
            )
    return found


def _of_area(
    name: str, chips: Chips, values: np.ndarray, share: np.ndarray | None, rule: TaskRule, seed: int
) -> list[LabelSummary]:
    split = np.array([str(each) for each in chips.split])
    target = _target_of(name, values, split == "train", rule)
    rows = {each: np.flatnonzero(split == each) for each in SPLIT_NAMES if (split == each).any()}
    found = [_row(name, chips.area[0], each, target, values, share, own) for each, own in rows.items()]
    whole = _row(name, chips.area[0], ALL, target, values, share, np.arange(len(chips)))
    return [*found, _with_neighbours(whole, target, values, chips, seed)]


def _target_of(name: str, values: np.ndarray, is_train: np.ndarray, rule: TaskRule) -> Target | None:
    """None where the training chips cannot be told apart: whoever learns from them will say so."""
    try:
        return make_target(name, values, is_train, rule)
    except InputError:
        return None


def _row(
    name: str,
    area: str,
    split: str,
    target: Target | None,
    values: np.ndarray,
    share: np.ndarray | None,
    rows: np.ndarray,
) -> LabelSummary:
    known = rows[np.array([value is not None and value == value for value in values[rows].tolist()], dtype=bool)]
    valid = None if share is None or np.isnan(share[rows]).all() else float(np.nanmean(share[rows]))
    has_classes = target is not None and not target.is_regression
    counts = (
        np.bincount(target.y[known], minlength=len(target.names)) if target and has_classes else np.zeros(0, np.int64)
    )
    shares = counts / counts.sum() if counts.sum() else None
    return LabelSummary(
        name, area, split, len(rows), len(known), valid,
        cut=target.threshold if target else None,
        n_classes=len(target.names) if target and has_classes else None,
        positive_share=float(shares[1]) if shares is not None and len(shares) == 2 else None,
        largest_class=target.names[int(counts.argmax())] if target and shares is not None else None,
        largest_share=float(shares.max()) if shares is not None else None,
        neighbours_agree=None, agree_by_chance=None, moran=None,
    )  # fmt: skip


def _with_neighbours(
    row: LabelSummary, target: Target | None, values: np.ndarray, chips: Chips, seed: int
) -> LabelSummary:
    if chips.lon_deg is None or chips.lat_deg is None:
        return row
    agree = by_chance = moran = None
    if target is not None and not target.is_regression:
        agree, by_chance = _agreement(target.y, chips.lon_deg, chips.lat_deg)
    if values.dtype != object:
        found = autocorrelation(values, chips.lon_deg, chips.lat_deg, seed=seed)
        moran = None if found is None else found.moran
    return replace(row, neighbours_agree=agree, agree_by_chance=by_chance, moran=moran)


def _agreement(
    y: Int64[np.ndarray, " N"], lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"]
) -> tuple[float | None, float | None]:
    known = (y >= 0) & np.isfinite(lon_deg) & np.isfinite(lat_deg)
    y, places = y[known], on_unit_sphere(lon_deg[known], lat_deg[known])
    if len(y) < 2:
        return None, None
    tree = KDTree(places)
    usual = float(np.median(tree.query(places, k=2)[0][:, 1]))
    pairs = tree.query_pairs(ADJACENT * usual, output_type="ndarray") if usual else np.empty((0, 2), np.int64)
    if not len(pairs):
        return None, None
    shares = np.bincount(y) / len(y)
    return float((y[pairs[:, 0]] == y[pairs[:, 1]]).mean()), float((shares**2).sum())
