"""What a health card says of a table of vectors: a number, a verdict and a sentence for each thing measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Int

HealthVerdict = Literal["good", "look", "bad"]
"""`good`; `look`, worth a person's eyes; `bad`, not to be used before it is mended."""
HEALTH_VERDICTS: tuple[HealthVerdict, ...] = get_args(HealthVerdict)


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing measured on one block of vectors, or on the table."""

    name: str
    """As in docs/health.md."""
    block: str
    """The block, or two with ` & ` between; empty for the table."""
    value: float | None
    """None where it was not measured."""
    verdict: HealthVerdict | None
    """None where it was not measured."""
    sentence: str
    """What was found, or why nothing was measured; for a person."""


@dataclass(frozen=True, slots=True)
class HealthCard:
    """All that was measured on one table."""

    measures: tuple[Measure, ...]
    n_chips: int
    n_sampled: int
    """Most chips of a block that a sampled measure saw; the same as `n_chips` where nothing was sampled."""
    seed: int
    model: str | None
    """Digest of the model that made the vectors; None where the table tells none."""

    @property
    def worst(self) -> HealthVerdict:
        """The worst verdict; what was not measured does not count."""
        found = [HEALTH_VERDICTS.index(measure.verdict) for measure in self.measures if measure.verdict is not None]
        return HEALTH_VERDICTS[max(found, default=0)]

    def having(self, verdict: HealthVerdict | None) -> tuple[Measure, ...]:
        """The measures with this verdict; of None, those that were not measured."""
        return tuple(measure for measure in self.measures if measure.verdict == verdict)

    @property
    def sentence(self) -> str:
        """One line for a person."""
        counts = ", ".join(f"{len(self.having(verdict))} {verdict}" for verdict in HEALTH_VERDICTS)
        return f"health of {self.n_chips:,} chips: {self.worst} ({counts}, {len(self.having(None))} not measured)"


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingProbe:
    """What only those can measure who have the model and the images; None is not measured."""

    batch: float | None = None
    """Largest difference of a number of the same chips' vectors between two batch sizes."""
    workers: float | None = None
    """The same between numbers of workers."""
    without_kind: Mapping[str, Mapping[str, float]] | None = None
    """By modality and kind of channel, mean cosine between a chip's vector and its vector without that kind."""
    quantised: Mapping[str, float] | None = None
    """By block, of 100 nearest neighbours how many are lost by the numbers as they are stored (`neighbours_lost`)."""
    channels_there: Mapping[str, Int[np.ndarray, " N"]] | None = None
    """By modality, how many channels each chip of the table has, in the table's order."""
    policy: str | None = None
    """Which channels go into a vector: `mean`, `random`, `each`, `each-date`, or names with commas between."""
