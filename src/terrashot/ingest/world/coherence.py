"""What pairs of radar passes agree on: coherence of the simulated ground on a coarse lattice.

S is the side of that lattice.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64

from terrashot.ingest.world.covers import BARE, CROP
from terrashot.ingest.world.land import Land
from terrashot.ingest.world.noise import drawn, field, shared
from terrashot.ingest.world.radar import stones_db

# Coherence at zero days, days over which it decays, what rain takes of it; water, tree, crop, grass, built, bare.
AT_ONCE: Final = np.array([0.02, 0.46, 0.72, 0.68, 0.85, 0.94])
DECAY_DAYS: Final = np.array([3.0, 16.0, 45.0, 55.0, 600.0, 250.0])
RAIN_LOSS: Final = np.array([0.0, 0.25, 0.32, 0.28, 0.06, 0.10])
FLOOR: Final = np.array([0.02, 0.03, 0.03, 0.03, 0.42, 0.05])
PLANTS: Final = np.array([0.0, 0.5, 0.6, 0.7, 0.0, 0.1])
"""How much longer a cover holds its coherence where plants are dry."""
LOOKS: Final = 100.0
"""Independent looks in a cell of 90 m; few of them make low coherence look higher."""
WINDOW: Final = np.array([0.2, 0.6, 0.2])
"""Of the estimator, in cells along one axis; from the correlation of real coherence noise."""
FIRST_PASS: Final = date(2020, 1, 5)
FIELD_WORK_BEGINS: Final = date(2019, 11, 1)
PERIOD_DAYS, PERIODS = 12, 14


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What lies in the cells of the coarse lattice."""

    shares: Float64[np.ndarray, "6 S S"]
    """Of each cover."""
    worked: Float64[np.ndarray, "T S S"]
    """Share of the cell whose fields are worked in each period of 12 days: that wipes out their coherence."""
    slope: Float64[np.ndarray, "S S"]
    """About 0 in plains, 1 among mountains: long baselines lose more there."""
    stones: Float64[np.ndarray, "S S"]
    """How rough open ground is, in dB: rock holds its echoes, sand drifts."""


def possible_pairs() -> list[tuple[date, date]]:
    """Every (later, earlier) pair, 6 to 48 days apart, whose later date is a pass in the first quarter of 2020."""
    later = [FIRST_PASS + timedelta(days=12 * k) for k in range(8)]
    return [(day, day - timedelta(days=lag)) for day in later for lag in (6, 12, 24, 36, 48)]


def make_cells(land: Land, side: int) -> Cells:
    """The ground in cells; a pixel counts in the cell that holds its centre, a cell smaller than a pixel shows that."""
    lattice = land.lattice
    shares = np.stack([lattice.inner(plane) for plane in land.shares]).astype(np.float64)
    lasting = np.stack([lattice.inner(land.relief.ruggedness), lattice.inner(stones_db(land))]).astype(np.float64)
    slope, stones = _by_cell(lasting, side)
    period = lattice.inner(_field_work(land.parcels.key))
    return Cells(_by_cell(shares, side), _worked(shares[CROP], period, side), slope, stones)


def _field_work(parcel: Int64[np.ndarray, " P"]) -> Int64[np.ndarray, " P"]:
    """The period in which each parcel is worked; PERIODS for those left alone all season."""
    when = drawn(parcel, 111) * PERIODS * (1 + 0.5 * (drawn(parcel, 112) > 0.4))
    return np.minimum(when, PERIODS).astype(np.int64)


def _worked(
    crop: Float64[np.ndarray, "H W"], period: Int64[np.ndarray, "H W"], side: int
) -> Float64[np.ndarray, "T S S"]:
    """Share of each cell that is field and worked in each period."""
    cell = ((np.arange(len(crop)) + 0.5) / len(crop) * side).astype(np.int64)
    place = period * side**2 + cell[:, None] * side + cell
    sums = np.bincount(place.ravel(), crop.ravel(), (PERIODS + 1) * side**2)[: PERIODS * side**2]
    pixels = np.bincount((cell[:, None] * side + cell).ravel(), minlength=side**2)
    return (sums.reshape(PERIODS, -1) / np.maximum(pixels, 1)).reshape(PERIODS, side, side)


def coherence(
    cells: Cells, land: Land, pair: tuple[date, date], rng: np.random.Generator
) -> Float32[np.ndarray, "S S"]:
    """Coherence of one pair, 0 to 1.

    Source: exponential decay towards a floor, Kellndorfer et al. 2022 (Scientific Data 9, eq. 3); bias and spread of the
    estimate, Touzi et al. 1999 (IEEE TGRS 37), approximated.
    """
    later, earlier = pair
    days = (later - earlier).days
    rain = max(_rain(land, later), _rain(land, earlier))
    still = np.exp(PLANTS * _drought(land))
    kept = np.minimum(AT_ONCE * still**0.5 * (1 - RAIN_LOSS * rain), 0.95)
    by_cover = FLOOR + (kept - FLOOR) * np.exp(-days / (DECAY_DAYS * still))
    worked = cells.worked[_period(earlier) : _period(later) + 1].sum(axis=0)
    true = np.tensordot(by_cover, cells.shares, axes=1) - 0.8 * by_cover[CROP] * worked
    true += cells.shares[BARE] * by_cover[BARE] * np.clip(0.05 * cells.stones - 0.04, -0.35, 0.04)
    true = np.clip(true * (1 - _baseline(land, pair) * (0.02 + 0.08 * cells.slope)), 0.0, 0.98)
    # The length of a complex number with noise: never zero, and on average above the truth where that is low.
    spread = (1 - true**2) / np.sqrt(2 * LOOKS)
    along, askew = _shared_noise(len(true), rng), _shared_noise(len(true), rng)
    seen = np.hypot(true + spread * along, spread * askew)
    return np.clip(seen, 0.001, 0.999).astype(np.float32)


def _shared_noise(side: int, rng: np.random.Generator) -> Float64[np.ndarray, "S S"]:
    """Standard normal by cell, correlated with the neighbours' as the estimator's window reaches into their cells."""
    return shared(rng.standard_normal((side + 2, side + 2)), WINDOW) / float(WINDOW @ WINDOW)


def _period(day: date) -> int:
    return int(np.clip((day - FIELD_WORK_BEGINS).days // PERIOD_DAYS, 0, PERIODS - 1))


def _rain(land: Land, day: date) -> float:
    """How wet the weather of a date is where the chip lies, 0 to 1."""
    front = field(
        land.lattice.points_m[:1], seed=land.seed + 1_400_000 + day.toordinal() % 100_000, wavelength_m=120_000.0
    )
    return float(np.clip(0.35 + 0.45 * front[0], 0, 1))


def _drought(land: Land) -> float:
    """How dry and still the plants of the region are, about 0; -1.5 where they grow and sway all year."""
    place = field(land.lattice.points_m[:1], seed=land.seed + 1_600_000, wavelength_m=310_000.0)
    return float(np.clip(0.8 * place[0], -1.5, 1.5))


def _baseline(land: Land, pair: tuple[date, date]) -> float:
    """Distance of the two orbits, as a share of the longest; the same for all chips of a wide frame."""
    number = 1_500_000 + 50 * (pair[0].toordinal() % 10_000) + (pair[0] - pair[1]).days
    place = field(land.lattice.points_m[:1], seed=land.seed + number, wavelength_m=900_000.0)
    return float(np.clip(0.4 + 0.3 * place[0], 0, 1))


def _by_cell(planes: Float64[np.ndarray, "K H W"], side: int) -> Float64[np.ndarray, "K S S"]:
    """Means over the pixels of each cell."""
    px = planes.shape[1]
    if side >= px:
        nearest = ((np.arange(side) + 0.5) / side * px).astype(np.int64)
        return planes[:, nearest][:, :, nearest]
    # First pixel whose centre lies in each cell.
    first = np.ceil(np.arange(side) * px / side - 0.5).astype(np.int64)
    sums = np.add.reduceat(np.add.reduceat(planes, first, axis=1), first, axis=2)
    counts = np.diff(np.append(first, px)).astype(np.float64)
    return sums / (counts[:, None] * counts)
