"""What is to be told apart: targets, and how numbers become classes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64

from terrashot.errors import InputError

ThresholdRule = Literal["nearest", "median"]
Cut = ThresholdRule | Literal["present"] | float
"""Where a numeric target is cut: by a rule on the training chips, above 0, or at a number."""
BALANCED = "_balanced"
"""Ends the name of a task on as many chips of each class."""


@dataclass(frozen=True, slots=True)
class Task:
    """How a target is named to a person."""

    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class TaskRule:
    """How a target becomes a task."""

    cut: Cut = "nearest"
    is_regression: bool = False
    """The number itself is learnt, and `cut` says nothing."""
    also_balanced: bool = False
    """A second task stands beside it, on as many chips of each class."""


TASKS: dict[str, Task] = {
    "vegetation": Task("vegetation", "tree cover, share of the chip"),
    "builtup": Task("built-up", "built-up surface, share of the chip"),
    "cropland": Task("cropland", "cropland, share of the chip"),
    "water": Task("water", "permanent water, share of the chip"),
    "flooded": Task("flooded", "flooded surface, share of the chip"),
}
"""Titles of targets that we know; another target is called by its own name."""


def task_of(target: str) -> Task:
    """The target's title and unit; of a balanced task those of its target."""
    plain = target.removesuffix(BALANCED)
    if plain != target:
        return Task(f"{task_of(plain).title}, balanced", task_of(plain).unit)
    return TASKS.get(target, Task(target, target))


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """A target as classes, for the chips of one area."""

    names: tuple[str, ...]
    y: Int64[np.ndarray, " N"]
    """Class of each chip; -1 where the label is unknown."""
    threshold: float | None
    """Cut of a numeric target: above it is class 1. None for classes by name."""


def make_classes(target: str, values: np.ndarray, is_train: Bool[np.ndarray, " N"], cut: Cut) -> Classes:
    """The target of one area as classes; a numeric one is cut at a threshold chosen on the training chips alone.

    Text gives one class a distinct text. By a rule, exactly two distinct numbers are the classes as given, and other numbers are cut
    nearest to balance (*Deviation* from Allen et al. 2023, arXiv:2310.00119, section 4.2, which cuts at the median:
    most chips have no built-up and no water, and a median of 0 cannot balance), or at the median. Where the cut is a number, or
    `present` (0), all that is above it is the second class.

    Raises:
        InputError: the training chips with a label are all alike, or there are none.
    """
    if values.dtype == object:
        return _by_name(target, values, is_train)
    known = ~np.isnan(values)
    train = values[known & is_train]
    distinct = np.unique(train)
    if len(distinct) < 2:
        found = f"all are {distinct[0]:g}" if len(distinct) else "none is known"
        raise InputError(f"label '{target}': nothing to tell apart among its {len(train)} training labels: {found}")
    threshold = _threshold(train, np.unique(values[known]), cut)
    y = np.where(known, np.nan_to_num(values) > threshold, -1).astype(np.int64)
    if cut not in ("nearest", "median") and len(np.unique(y[known & is_train])) < 2:
        side = "at most" if train.max() <= threshold else "above"
        raise InputError(
            f"label '{target}': nothing to tell apart: all {len(train)} training labels are {side} {threshold:g}; cut it elsewhere"
        )
    return Classes((f"at most {threshold:g}", f"above {threshold:g}"), y, threshold)


def nearest_to_balance(values: Float64[np.ndarray, " n"]) -> float:
    """The value such that the share above it is as near to a half as any cut can make it; of two, the lower."""
    distinct, counts = np.unique(values, return_counts=True)
    share_above = 1 - np.cumsum(counts)[:-1] / len(values)
    return float(distinct[int(np.argmin(np.round(np.abs(share_above - 0.5), 12)))])


def _threshold(train: np.ndarray, distinct: np.ndarray, cut: Cut) -> float:
    if not isinstance(cut, str):
        return float(cut)
    if cut == "present":
        return 0.0
    if len(distinct) == 2:
        return float(distinct[0])
    return nearest_to_balance(train) if cut == "nearest" else float(np.median(train))


def _by_name(target: str, values: np.ndarray, is_train: np.ndarray) -> Classes:
    known = np.array([value is not None for value in values], dtype=bool)
    names = tuple(sorted({str(value) for value in values[known]}))
    number = {name: index for index, name in enumerate(names)}
    y = np.array([number[str(value)] if value is not None else -1 for value in values], dtype=np.int64)
    if len(np.unique(y[known & is_train])) < 2:
        raise InputError(f"label '{target}': nothing to tell apart: its training chips have fewer than two classes")
    return Classes(names, y, None)
