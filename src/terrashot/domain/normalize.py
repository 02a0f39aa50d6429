"""Mean and spread of each kind of channel, and the scaling they give."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from terrashot.domain.modality import is_difference


@dataclass(frozen=True, slots=True)
class KindStats:
    """Moments of all valid pixels of one kind of channel."""

    mean: float
    std: float
    count: int
    unit: str | None


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """Moments by modality and kind, from training chips only; they travel with the weights."""

    kinds: Mapping[str, Mapping[str, KindStats]]
    """kinds[modality][kind]"""

    def of(self, modality: str, kind: str) -> KindStats:
        return self.kinds[modality][kind]

    @property
    def has_differences(self) -> bool:
        """Whether there are moments of differences in spreads: a model that they belong to sees these beside the channels."""
        return any(is_difference(kind) for kinds in self.kinds.values() for kind in kinds)


@dataclass(slots=True)
class RunningMoments:
    """Streaming count, mean and squared deviations of valid pixels.

    Source: Chan, Golub, LeVeque 1983, eq. 2.1 (merging the moments of two samples).
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, pixels: Float[np.ndarray, "..."]) -> None:
        """Merge the valid (non-NaN) pixels in."""
        valid = pixels[~np.isnan(pixels)].astype(np.float64)
        if valid.size == 0:
            return
        mean = float(valid.mean())
        shift, total = mean - self.mean, self.count + valid.size
        self.squares += float(((valid - mean) ** 2).sum()) + shift**2 * self.count * valid.size / total
        self.mean += shift * valid.size / total
        self.count = total

    def stats(self, unit: str | None) -> KindStats:
        """The moments; a spread of 0 (constant pixels) is given as 1, so that scaling stays finite."""
        std = (self.squares / self.count) ** 0.5 if self.count else 0.0
        return KindStats(self.mean, std if std > 0 else 1.0, self.count, unit)


MOST_SPREADS = np.float32(1e6)
"""Its square, summed over the pixels of a patch and the width of a tower, is far from the end of float32."""


def scale(pixels: Float32[np.ndarray, "..."], stats: KindStats) -> Float32[np.ndarray, "..."]:
    """Pixels with zero mean and unit spread; NaN stays NaN.

    No pixel is further than a million spreads from the mean: what a broken file holds beyond would overflow in a tower.
    """
    with np.errstate(over="ignore"):
        scaled: np.ndarray = (pixels - np.float32(stats.mean)) / np.float32(stats.std)
    return np.clip(scaled, -MOST_SPREADS, MOST_SPREADS, out=scaled)


def fill_absent_with_mean(scaled: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
    """Scaled pixels in which no data has become 0, the mean of its kind: what a tower is shown of a gap."""
    filled: np.ndarray = np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)
    return filled
