"""What three sensors see of the simulated ground, in the units and ranges of the real products."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64

from terrashot.ingest.world.land import BARE, BUILT, CROP, GRASS, TREE, WATER, Land
from terrashot.ingest.world.noise import field

RGB: Final = ("red", "green", "blue")
# Surface reflectance by cover: water, tree, crop (bare), grass, built-up, bare.
REFLECTANCE: Final = np.array(
    [[0.045, 0.055, 0.060], [0.036, 0.050, 0.034], [0.112, 0.094, 0.072],
     [0.066, 0.078, 0.050], [0.125, 0.120, 0.110], [0.150, 0.126, 0.098]]
)  # fmt: skip
GREEN_CROP: Final = np.array([0.044, 0.072, 0.038])
ROUGHNESS: Final = np.array([0.03, 0.16, 0.06, 0.05, 0.22, 0.06])
VIGOUR: Final = np.array([0.10, 0.14, 0.16, 0.22, 0.10, 0.16])
# Backscatter in dB by cover: VV, VH. Ranges as of C-band land statistics; double bounce lifts towns.
BACKSCATTER_DB: Final = np.array(
    [[-17.5, -25.0], [-9.8, -15.4], [-11.8, -19.0], [-12.4, -19.4], [-8.4, -16.0], [-13.6, -22.0]]
)  # fmt: skip
LOOKS: Final = 22.0
"""4.4 looks of one acquisition, about five acquisitions a month."""
# Coherence at zero days, and days over which it decays, by cover.
COHERENCE: Final = np.array([0.10, 0.38, 0.55, 0.58, 0.82, 0.74])
DECAY_DAYS: Final = np.array([4.0, 22.0, 40.0, 60.0, 400.0, 140.0])
FIRST_PASS: Final = date(2020, 1, 5)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What does not change from month to month on one chip's ground."""

    land: Land
    seed: int
    texture: Float64[np.ndarray, " P"]
    """Crowns, roofs, furrows: varies from pixel to pixel."""
    vigour: Float64[np.ndarray, " P"]
    """How lush or wet a spot is: lets the signatures of covers overlap."""
    slope: Float64[np.ndarray, " P"]
    """Shading of the relief, about 0; stronger in the hills."""


def make_surface(land: Land, seed: int) -> Surface:
    """The lasting surface of a chip in the world of that seed."""
    steepness = 0.3 + 0.2 * np.clip(land.relief, -1, 2)
    return Surface(
        land,
        seed,
        texture=field(land.points_m, seed=seed + 3, wavelength_m=45.0),
        vigour=field(land.points_m, seed=seed + 5, wavelength_m=420.0, octaves=2),
        slope=field(land.points_m, seed=seed + 4, wavelength_m=700.0) * steepness,
    )


def reflectance(surface: Surface, month: int, rng: np.random.Generator) -> Float32[np.ndarray, "3 H W"]:
    """One month's red, green and blue: cover, season, shading, soil tone, gain, haze and sensor noise."""
    land, seed = surface.land, surface.seed
    growth = np.clip(0.5 + 1.2 * land.parcel + 0.12 * month, 0, 1) * (land.cover == CROP)
    light = 1 + ROUGHNESS[land.cover] * surface.texture + 0.10 * surface.slope
    light *= 1 + VIGOUR[land.cover] * surface.vigour
    light *= 1 + 0.08 * land.smooth(seed + 320 + month, 2500.0) + 0.06 * land.smooth(seed + 330 + month, 150_000.0)
    tone = land.smooth(seed + 31, 60_000.0)
    haze = 0.010 * np.exp(0.7 * land.smooth(seed + 340 + month, 4000.0))
    noise = rng.normal(0, 0.003, (3, len(light)))
    seen = np.empty((3, len(light)), np.float32)
    for band, (tinted, hazed) in enumerate(((0.16, 0.7), (0.08, 1.0), (0.04, 1.5))):
        base = REFLECTANCE[land.cover, band] + growth * (GREEN_CROP[band] - REFLECTANCE[CROP, band])
        seen[band] = np.maximum(base * light * (1 + tinted * tone) + hazed * haze + noise[band], 0.001)
    return seen.reshape(3, land.side_px, land.side_px)


def cloud(land: Land, month: int, share: float, seed: int) -> Bool[np.ndarray, "H W"]:
    """Which pixels a month's clouds hide."""
    if share <= 0:
        return np.zeros((land.side_px, land.side_px), dtype=bool)
    cover = field(land.points_m, seed=seed + 41 + month, wavelength_m=1800.0, octaves=2)
    # The field is about normal: hide the upper tail that holds `share` of it.
    return (cover > _upper_quantile(share)).reshape(land.side_px, land.side_px)


def backscatter_db(surface: Surface, month: int, rng: np.random.Generator) -> Float32[np.ndarray, "2 H W"]:
    """One month's mean VV and VH in dB: cover, wind, growth, wetness, view, speckle."""
    land, seed = surface.land, surface.seed
    grown = (land.cover == CROP) * (0.5 + land.parcel) * (1 + month)
    scene = 0.7 * land.smooth(seed + 510 + month, 5000.0) + 0.6 * land.smooth(seed + 520 + month, 150_000.0)
    scene += np.where(land.cover == WATER, 2.5 * land.smooth(seed + 530 + month, 3000.0), 0.0)
    scene += 1.2 * surface.slope + _lasting_db(surface)
    speckle_db = 10 * np.log10(rng.gamma(LOOKS, 1 / LOOKS, (2, len(scene))))
    seen = np.empty((2, len(scene)), np.float32)
    for band, growth_db in enumerate((0.7, 1.2)):
        seen[band] = BACKSCATTER_DB[land.cover, band] + growth_db * grown + scene + speckle_db[band]
    return seen.reshape(2, land.side_px, land.side_px)


def _lasting_db(surface: Surface) -> Float64[np.ndarray, " P"]:
    """Double bounce of towns by the lie of their streets, crowns of trees, smooth dark ground."""
    land = surface.land
    facing = np.clip(1 + land.smooth(surface.seed + 540, 900.0), 0, 2)
    town = np.maximum(0, surface.texture) * 2.5 * facing
    bounce = np.where(land.cover == BUILT, town, 0.6 * (land.cover == TREE) * surface.texture)
    # Wet or paved flats mirror the pulse away and look like water.
    is_open = (land.cover == GRASS) | (land.cover == BARE)
    dark = np.where(is_open, 5.0 * np.clip(-1.0 - surface.vigour, 0, 1), 0.0)
    return bounce - dark + 0.8 * surface.vigour * (land.cover != WATER)


def coherence(
    shares: Float64[np.ndarray, "K S S"], days: int, rain: float, rng: np.random.Generator
) -> Float32[np.ndarray, "S S"]:
    """Coherence of one pair on its own coarse lattice, 0 to 1. S is its side.

    Args:
        shares: of each cover in each cell.
        rain: 0 to 1, how much the weather between the dates took.
    """
    by_cover = 0.08 + (COHERENCE - 0.08) * np.exp(-days / DECAY_DAYS) * (1 - 0.5 * rain)
    mean = np.tensordot(by_cover, shares, axes=1)
    return np.clip(mean + rng.normal(0, 0.05, mean.shape), 0.02, 0.98).astype(np.float32)


def rain(land: Land, day: date, seed: int) -> float:
    """How wet the weather of a date is where the chip lies, 0 to 1."""
    front = field(land.nodes_m[0, :1], seed=seed + day.toordinal(), wavelength_m=120_000.0)
    return float(np.clip(0.5 + 0.3 * front[0], 0, 1))


def cover_shares(land: Land, side_px: int) -> Float64[np.ndarray, "K S S"]:
    """Share of each cover in each cell of a coarser lattice; a fine pixel counts in the cell that holds its centre."""
    cell = ((np.arange(land.side_px) + 0.5) / land.side_px * side_px).astype(np.int64)
    flat = (cell[:, None] * side_px + cell).ravel()
    counts = np.bincount(land.cover.astype(np.int64) * side_px**2 + flat, minlength=6 * side_px**2)
    shares = counts.reshape(6, side_px, side_px).astype(np.float64)
    return shares / shares.sum(axis=0)


def possible_pairs() -> list[tuple[date, date]]:
    """Every (later, earlier) pair, 6 to 48 days apart, whose later date is a pass in the first quarter of 2020."""
    later = [FIRST_PASS + timedelta(days=12 * k) for k in range(8)]
    return [(day, day - timedelta(days=lag)) for day in later for lag in (6, 12, 24, 36, 48)]


def _upper_quantile(share: float) -> float:
    """Value that a standard normal exceeds with probability `share` (Winitzki 2008, inverse error function)."""
    x = 1 - 2 * min(max(share, 1e-6), 1 - 1e-6)
    log = np.log(1 - x * x)
    half = 2 / (np.pi * 0.147) + log / 2
    return float(np.sign(x) * np.sqrt(np.sqrt(half**2 - log / 0.147) - half) * np.sqrt(2))
