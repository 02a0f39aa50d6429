"""A task's labels as a head learns them: classes, or values."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from terrashot.domain.tasks import TaskRule, make_classes
from terrashot.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Labels of some chips in the form a head learns."""

    names: tuple[str, ...]
    """Of the classes; empty for a regression."""
    threshold: float | None
    """Cut of a numeric label; None for classes by name and for a regression."""
    y: np.ndarray
    """(N,): int64 class, -1 where unknown; of a regression float64, NaN where unknown."""

    @property
    def is_regression(self) -> bool:
        return not self.names

    @property
    def known(self) -> Bool[np.ndarray, " N"]:
        """Which chips have a label."""
        return ~np.isnan(self.y) if self.is_regression else self.y >= 0

    def take(self, rows: Int64[np.ndarray, " n"]) -> "Target":
        """The same of some of the chips."""
        return Target(self.names, self.threshold, self.y[rows])


def make_target(name: str, values: np.ndarray, is_train: Bool[np.ndarray, " N"], rule: TaskRule) -> Target:
    """The label column as classes, cut on the training chips, or as it is.

    Raises:
        InputError: the training labels are all alike, or text is to be a number.
    """
    if not rule.is_regression:
        classes = make_classes(name, values, is_train, rule.cut)
        return Target(classes.names, classes.threshold, classes.y)
    if values.dtype == object:
        raise InputError(f"label '{name}': holds text, which no regression can learn; use learn = \"classes\"")
    train = values[is_train & ~np.isnan(values)]
    if len(np.unique(train)) < 2:
        raise InputError(f"label '{name}': nothing to learn from its {len(train)} training labels: all alike or none")
    return Target((), None, values.astype(np.float64))
