"""From numbers to verdicts: against two thresholds, or against what chance gives."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from terrashot.domain.health import HealthVerdict, Measure

PERMUTATIONS = 200
ONE_PERCENT = 2.326
"""Standard deviations that a normal number exceeds once in 100."""
LEAST_ACCORD = 0.15
"""The weakest accord that sound tables are taken to have. Neighbours and images agreed to 0.34 to 0.89 within one modality, and to
0.16 and more between modalities, on simulated and on real chips (docs/health.md)."""


def above(value: float, *, look: float, bad: float) -> HealthVerdict:
    """`look` beyond the first, `bad` beyond the second."""
    return "bad" if value > bad else "look" if value > look else "good"


def below(value: float, *, look: float, bad: float) -> HealthVerdict:
    """`look` under the first, `bad` under the second."""
    return "bad" if value < bad else "look" if value < look else "good"


def unmeasured(name: str, block: str, why: str) -> Measure:
    """A measure that there is no way to take on this table."""
    return Measure(name, block, None, None, f"not measured: {why}")


@dataclass(frozen=True, slots=True, eq=False)
class Accord:
    """How well two things agree, from -1 to 1, and how well they do when the chips of one are shuffled."""

    value: float
    chance: Float64[np.ndarray, " p"]

    @property
    def verdict(self) -> HealthVerdict:
        """`good` above all of chance; `bad` where even the weakest accord of a sound table would have shown, at one error in 100.

        What is in between has too few chips to be told.
        """
        if self.value > self.chance.max():
            return "good"
        return "bad" if self.value + ONE_PERCENT * self.chance.std() < LEAST_ACCORD else "look"

    @property
    def words(self) -> str:
        """The number beside chance."""
        return f"{self.value:.2f}, where chance gives up to {self.chance.max():.2f}"
