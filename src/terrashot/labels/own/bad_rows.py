"""Rows that cannot be used: their numbers and why."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Int64

SHOWN = 3
"""Rows that a message tells of; it counts the others."""
LONGEST = 40
"""Characters of a cell that a message shows."""


@dataclass(slots=True)
class BadRows:
    """Number and reason of each, as they are found; a row is bad for the first reason alone."""

    reasons: dict[int, str] = field(default_factory=dict)

    def add(
        self, numbers: Int64[np.ndarray, " R"], is_bad: Bool[np.ndarray, " R"], reason: Callable[[int], str]
    ) -> None:
        """These rows are bad.

        Args:
            reason: given a position among the rows.
        """
        for position in np.flatnonzero(is_bad).tolist():
            self.reasons.setdefault(int(numbers[position]), reason(position))

    def is_bad(self, numbers: Int64[np.ndarray, " R"]) -> Bool[np.ndarray, " R"]:
        """Which of these rows are known to be."""
        return np.isin(numbers, np.fromiter(self.reasons, np.int64, len(self.reasons)))

    def __len__(self) -> int:
        return len(self.reasons)

    @property
    def in_order(self) -> list[tuple[int, str]]:
        """By number."""
        return sorted(self.reasons.items())

    @property
    def sentence(self) -> str:
        """How many there are, and number and reason of the first ones."""
        told = "; ".join(f"row {number}: {reason}" for number, reason in self.in_order[:SHOWN])
        count = f"{len(self):,} bad rows: " if len(self) > 1 else ""
        return f"{count}{told}{'; ...' if len(self) > SHOWN else ''}"


def shown(text: str) -> str:
    """A cell in quotes, cut short, with signs that would command a terminal spelled out."""
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 3] + "...")
