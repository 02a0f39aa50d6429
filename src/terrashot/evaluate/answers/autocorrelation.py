"""How far a label resembles itself over the land: empirical semivariogram, fitted range, Moran's I.

Letters: `N` chips, `n` chips that are sampled, `P` pairs, `L` classes of distance, `Q` ranges tried.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.spatial import KDTree

from terrashot.domain.sphere import on_unit_sphere

EARTH_RADIUS_KM = 6371.0
SAMPLE = 2000
"""Chips of which all pairs are looked at."""
NEIGHBOURS = 16
"""Pairs of each sampled chip with the nearest chips outside the sample: a sparse sample sees no short distance."""
FEWEST_CHIPS, FEWEST_PAIRS, FEWEST_CLASSES = 30, 30, 4
CLASSES = 20
EQUAL_PAIRS = 300
"""From which a class of distance counts fully in the fit."""
FINEST = 1e-4
"""Shortest distance told apart, in shares of the longest: chips may lie on top of each other."""
RANGES = 120
MORAN_ERRORS = 3.0
"""Standard errors of Moran's I below which nothing tells the label from one without correlation."""
SPHERICAL_95 = 0.8114
"""Where 1.5 h - 0.5 h^3 is 0.95."""


@dataclass(frozen=True, slots=True)
class Autocorrelation:
    """Spatial autocorrelation of a label or of residuals."""

    range_km: float | None
    """Distance at which the fitted semivariogram has risen by 95 % from nugget to sill; 0 where no correlation shows, None
    where it still rises at `reach_km` or too few distances occur."""
    sill: float
    """This and the next: in squares of the label's unit."""
    nugget: float
    moran: float
    """Moran's I of the nearest pairs, about as many as chips: 1 alike, 0 unrelated."""
    reach_km: float
    """Longest distance looked at: half of the longest between two chips (Journel and Huijbregts 1978, section III.A.3)."""

    @property
    def sentence(self) -> str:
        """One line for a person."""
        told = {
            None: f"neighbours resemble each other beyond {self.reach_km:.3g} km, the longest distance that can be judged",
            0.0: "neighbours resemble each other no more than distant chips",
        }
        said = told.get(self.range_km) or f"chips resemble each other up to {self.range_km:.3g} km"
        return f"{said} (Moran's I of nearest chips {self.moran:.2f})"


def autocorrelation(
    values: Float[np.ndarray, " N"],
    lon_deg: Float64[np.ndarray, " N"],
    lat_deg: Float64[np.ndarray, " N"],
    *,
    seed: int,
) -> Autocorrelation | None:
    """How far a label is correlated with itself; None with under 30 chips, one place only, or a label that is all alike.

    The order of the rows makes no difference. Chips with NaN as value or place are left out; classes come as 0 and 1. From
    several areas call it once an area: what lies between two areas is no distance within either.

    Source: Matheron 1963, doi:10.2113/gsecongeo.58.8.1246, semivariogram; Cressie 1993, Statistics for Spatial Data,
    section 2.4; Moran 1950, doi:10.2307/2332142. *Deviation:* classes of equal ratio that count the same, not Cressie's pairs
    over squared semivariance: far pairs are the most by thousands and share few chips' errors.
    """
    found = _in_order(values, lon_deg, lat_deg)
    if len(found[0]) < FEWEST_CHIPS or np.ptp(found[0]) == 0:
        return None
    places = on_unit_sphere(*found[1:])
    first, second = _pairs(places, np.random.default_rng(seed))
    apart_km = _great_circle(places, first, second)
    if apart_km.max() == 0:
        return None
    z = found[0] - found[0].mean()
    return _summarize(z[first], z[second], apart_km, _nearest(apart_km, min(len(z), SAMPLE)))


def _in_order(
    values: np.ndarray, lon_deg: np.ndarray, lat_deg: np.ndarray
) -> tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]:
    known = np.isfinite(values) & np.isfinite(lon_deg) & np.isfinite(lat_deg)
    columns = [column[known].astype(np.float64) for column in (values, lon_deg, lat_deg)]
    # By place, so that the sample is of places and not of rows.
    order = np.lexsort(columns)
    value, lon, lat = (column[order] for column in columns)
    return value, lon, lat


def _pairs(places: np.ndarray, rng: np.random.Generator) -> tuple[Int64[np.ndarray, " P"], Int64[np.ndarray, " P"]]:
    """All pairs of a sample, and those of its chips with the nearest outside it."""
    drawn = np.sort(rng.choice(len(places), min(SAMPLE, len(places)), replace=False))
    first, second = np.triu_indices(len(drawn), 1)
    outside = np.delete(np.arange(len(places)), drawn)
    if not len(outside):
        return drawn[first], drawn[second]
    count = min(NEIGHBOURS, len(outside))
    _, near = KDTree(places[outside]).query(places[drawn], k=np.arange(1, count + 1))
    return np.append(drawn[first], np.repeat(drawn, count)), np.append(drawn[second], outside[near.ravel()])


def _great_circle(places: np.ndarray, first: np.ndarray, second: np.ndarray) -> Float64[np.ndarray, " P"]:
    # By the chord: the arc cosine of a product loses all digits at a few metres.
    chord = np.sqrt(((places[first] - places[second]) ** 2).sum(axis=1))
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))


def _nearest(apart_km: Float64[np.ndarray, " P"], count: int) -> float:
    """Distance of the nearest pairs, as many as chips are sampled; on a lattice, of chips that share a side."""
    return float(np.partition(apart_km, count)[count])


def _summarize(left: np.ndarray, right: np.ndarray, apart_km: np.ndarray, nearest_km: float) -> Autocorrelation:
    """The semivariogram of pairs of deviations from the mean, in classes of equal ratio from the nearest pairs to the reach."""
    reach_km, variance = float(apart_km.max() / 2), float((left**2).mean() + (right**2).mean()) / 2
    # 1.2: so that no pair of a lattice lies on the end of the first class.
    shortest_km = np.clip(1.2 * nearest_km, reach_km * FINEST, reach_km)
    number = np.searchsorted(np.geomspace(shortest_km, reach_km, CLASSES), apart_km)
    pairs = np.bincount(number, minlength=CLASSES + 1)[:CLASSES]
    moran = float((left * right)[number == 0].mean() / variance)
    full = np.flatnonzero(pairs >= FEWEST_PAIRS)
    is_alike = moran * np.sqrt(pairs[0]) >= MORAN_ERRORS
    if not is_alike or len(full) < FEWEST_CLASSES:
        return Autocorrelation(None if is_alike else 0.0, variance, variance, moran, reach_km)
    sums = [np.bincount(number, by, CLASSES + 1)[full] for by in (apart_km, (left - right) ** 2 / 2)]
    range_km, nugget, sill = _fit(sums[0] / pairs[full], sums[1] / pairs[full], pairs[full], reach_km)
    return Autocorrelation(range_km if range_km < reach_km else None, sill, nugget, moran, reach_km)


def _fit(
    lag_km: Float64[np.ndarray, " L"], gamma: Float64[np.ndarray, " L"], pairs: Int64[np.ndarray, " L"], reach_km: float
) -> tuple[float, float, float]:
    """Range, nugget and sill of the exponential or spherical model that fits best."""
    tried_km = np.geomspace(max(lag_km[0] / 2, reach_km * FINEST), 2 * reach_km, RANGES)
    ratio_QL = lag_km / tried_km[:, None]
    x = np.minimum(ratio_QL * SPHERICAL_95, 1)
    rise_QL = np.concatenate([(1 - np.exp(-ratio_QL * np.log(20))), 1.5 * x - 0.5 * x**3])
    nugget, rise, error = _line(rise_QL, gamma, np.minimum(pairs, EQUAL_PAIRS))
    best = int(error.argmin())
    return float(np.tile(tried_km, 2)[best]), float(nugget[best]), float(nugget[best] + rise[best])


def _line(
    rise_QL: np.ndarray, gamma: np.ndarray, weight: np.ndarray
) -> tuple[Float64[np.ndarray, " Q"], Float64[np.ndarray, " Q"], Float64[np.ndarray, " Q"]]:
    """Least squares of gamma = nugget + slope * rise with neither below 0: nugget, slope and weighted squared error."""
    share = weight / weight.sum()
    x_mean, y_mean = rise_QL @ share, float(gamma @ share)
    spread = ((rise_QL - x_mean[:, None]) ** 2) @ share
    joint = ((rise_QL - x_mean[:, None]) * (gamma - y_mean)) @ share
    slope = np.maximum(joint / np.maximum(spread, 1e-12), 0)
    through_zero = (rise_QL * gamma) @ share / np.maximum((rise_QL**2) @ share, 1e-12)
    below = slope * x_mean > y_mean
    slope = np.where(below, through_zero, slope)
    nugget = np.where(below, 0, y_mean - slope * x_mean)
    return nugget, slope, ((nugget[:, None] + slope[:, None] * rise_QL - gamma) ** 2) @ share
