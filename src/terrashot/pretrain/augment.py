"""What a step does to a chip beyond drawing its channels: the eight ways to lay it down, scaled, and showing only some patches."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt64

from terrashot.domain.normalize import MOST_SPREADS, KindStats

N_SYMMETRIES = 8
STRIP_PX = 64
"""Columns written at once of an image that lies on its side: what is read across its rows then stays in the nearest
cache, three times as fast at 448 px."""


def turned(pixels: Float32[np.ndarray, "H W"], symmetry: int) -> Float32[np.ndarray, "H W"]:
    """The image flipped (symmetry 4 to 7) and turned by `symmetry % 4` quarters; 0 leaves it as it is."""
    flipped, quarters = pixels[:, ::-1] if symmetry >= 4 else pixels, symmetry % 4
    laid = flipped.T if quarters % 2 else flipped
    return laid[:: -1 if quarters in (1, 2) else 1, :: -1 if quarters in (2, 3) else 1]


def turn_into(target: Float32[np.ndarray, "H W"], pixels: Float32[np.ndarray, "H W"], symmetry: int) -> None:
    """`target` holds what `turned` would give."""
    laid = turned(pixels, symmetry)
    strip = STRIP_PX if symmetry % 2 else laid.shape[1]
    for left in range(0, laid.shape[1], strip):
        target[:, left : left + strip] = laid[:, left : left + strip]


def lay_into(
    target: Float32[np.ndarray, "H W"], image: Float32[np.ndarray, "H W"], stats: KindStats, symmetry: int
) -> bool:
    """Whether the image has data; `target` holds it turned and scaled, 0 (the mean of its kind) where it has none.

    To the bit what `scale` and `fill_absent_with_mean` give, in an order that touches the batch's new memory once.
    """
    laid = np.empty_like(image)
    turn_into(laid, image, symmetry)
    with np.errstate(over="ignore"):
        laid -= np.float32(stats.mean)
        gaps = np.isnan(laid)
        laid[gaps] = 0
        laid /= np.float32(stats.std)
    np.clip(laid, -MOST_SPREADS, MOST_SPREADS, out=target)
    # A difference of two channels may have no pixel in common.
    return not gaps.all()


@dataclass(frozen=True, slots=True)
class PatchShow:
    """So many of a chip's patches are shown; the rest is left out of the step."""

    total: int
    shown: int

    def kept(self, numbers: UInt64[np.ndarray, " B"]) -> Int64[np.ndarray, "B K"]:
        """The patches that each of these numbers chooses, ascending; each patch as likely as any other.

        Those with the smallest of `total` random numbers: splitmix64, seeded by the row's number.

        Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", OOPSLA,
        doi:10.1145/2660193.2660195, with the constants of Java's SplittableRandom.
        """
        steps = np.arange(1, self.total + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = numbers[:, None] + steps
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        return np.sort(np.argpartition(mixed, self.shown - 1, axis=1)[:, : self.shown], axis=1)
