"""What the simulated Earth leaves out: how often, where swaths end, which months are lost, how many pairs there are.

P pixels with their rim.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from terrashot.ingest.world.lattice import EARTH_RADIUS_M, Lattice
from terrashot.ingest.world.noise import field

MAX_PAIRS: Final = 40
PAIRS_ALIKE: Final = 10.0
"""How much numbers of pairs agree over chips (sum of the two parameters of the beta): at a mean of 4.8, one chip in seven
has none and the spread is 4.4."""
GAP_OF_CHIP: Final = 0.75
"""Width of the gap between two swaths, of a chip's side; below one, so that no chip lies wholly inside."""
CHIP_ACROSS: Final = 1.15
"""Extent of a chip across the edge of a swath, of its side: mean over 20,000 chips spread over the globe up to 64 degrees;
1 where edges run along the chips, 1.41 where askew."""
TILT_DEG: Final = 8.0
"""Of tracks against the meridian at the equator; the satellites' inclination is 98 degrees."""
FRONT_M: Final = 100_000.0
FRONT: Final = 0.7
"""Of the weather that loses a month is that of the region, the rest the chip's own luck."""


@dataclass(frozen=True, slots=True)
class Absences:
    """How often something is left out."""

    modality: float = 0.03
    """Share of chips without a modality, each for itself."""
    month: float = 0.08
    """Share of optical months lost to cloud."""
    polarisation: float = 0.05
    """Share of chips without one polarisation of the radar."""
    cloud: float = 0.15
    """Mean share of the pixels of a month that is there hidden by cloud."""
    swath: float = 0.05
    """Share of chips that lie partly in the gap between two swaths: of each optical and radar month, and of coherence."""
    pairs: float = 4.8
    """Mean number of coherence pairs, 0 to 40."""


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Swaths side by side over the whole globe, with a gap between each and the next.

    Their edges are circles parallel to one great circle, which passes near the poles as a satellite's track does; so they
    are as far from each other at the poles as at the equator, and each continues from chip to chip. What lies in a gap is
    absent. *Deviation:* real swaths overlap more towards the poles; their gaps come from the choice of acquisitions, not
    from geometry.
    """

    axis: Float64[np.ndarray, " 3"]
    """Unit vector to the middle of the circles."""
    phase: float
    """Where the first gap begins, 0 to 1 of the way to the second."""

    def gap(self, lattice: Lattice, share: float) -> Bool[np.ndarray, " P"]:
        """Which pixels of a chip are in a gap, if gaps lie so densely that about `share` of all chips meet one.

        About: where edges run along the chips it is 0.92 of that, where askew 1.14.
        """
        side_m = lattice.side_px * lattice.pixel_m
        width_m = GAP_OF_CHIP * side_m
        reach_m = 0.75 * lattice.width_px * lattice.pixel_m
        apart_m = (width_m + CHIP_ACROSS * side_m) / max(share, 1e-6)
        if share <= 0 or reach_m + width_m < self._past_m(centre_m(lattice)[None], apart_m)[0] < apart_m - reach_m:
            # No corner reaches a gap; to work that out by pixel would cost two milliseconds.
            return np.zeros(len(lattice.points_m), np.bool_)
        return self._past_m(lattice.points_m, apart_m) < width_m

    def _past_m(self, points_m: Float64[np.ndarray, "P 3"], apart_m: float) -> Float64[np.ndarray, " P"]:
        """Distance on the globe from where the last gap began."""
        across_m = EARTH_RADIUS_M * np.arcsin(np.clip(points_m @ self.axis / EARTH_RADIUS_M, -1, 1))
        return (across_m + self.phase * apart_m) % apart_m


def make_tracks(of_modality: np.random.Generator, of_time: np.random.Generator) -> Tracks:
    """Tracks of one direction a modality, whose gaps lie elsewhere at another time."""
    lon, lat = of_modality.uniform(-math.pi, math.pi), math.radians(TILT_DEG)
    axis = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    return Tracks(axis, float(of_time.random()))


def is_month_lost(lattice: Lattice, share: float, seed: int, rng: np.random.Generator) -> bool:
    """Whether cloud left nothing of a chip's month: in some regions most chips lose it, in others few.

    Args:
        seed: of the month's weather, the same for all chips.
        rng: the chip's own.
    """
    front = float(field(centre_m(lattice)[None], seed=seed, wavelength_m=FRONT_M, octaves=2)[0])
    weather = FRONT * front + math.sqrt(1 - FRONT**2) * float(rng.standard_normal())
    # Both are about normal: its upper tail that holds `share`; exactly none at 0, exactly all at 1.
    return 0.5 * math.erfc(weather / math.sqrt(2)) < share or share >= 1


def number_of_pairs(mean: float, rng: np.random.Generator) -> int:
    """How many pairs were formed over a chip, 0 to 40: often none and sometimes many around the same mean.

    Source: beta-binomial distribution (Skellam 1948), which has the mean that is asked for without a cut at 40.
    """
    if not 0 < mean < MAX_PAIRS:
        return MAX_PAIRS if mean > 0 else 0
    likely = mean / MAX_PAIRS
    return int(rng.binomial(MAX_PAIRS, rng.beta(PAIRS_ALIKE * likely, PAIRS_ALIKE * (1 - likely))))


def centre_m(lattice: Lattice) -> Float64[np.ndarray, " 3"]:
    """The pixel in the middle of a chip, in space."""
    middle = lattice.width_px // 2
    centre: np.ndarray = lattice.points_m[middle * lattice.width_px + middle]
    return centre
