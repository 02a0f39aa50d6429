"""What three sensors see of the simulated ground, in the units and ranges of the real products."""

from datetime import date, timedelta
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from terrashot.ingest.world.land import BUILT, CROP, TREE, WATER, Land
from terrashot.ingest.world.noise import field

RGB: Final = ("red", "green", "blue")
# Surface reflectance by cover: water, tree, crop (bare), grass, built-up, bare.
REFLECTANCE: Final = np.array(
    [[0.045, 0.055, 0.060], [0.034, 0.048, 0.032], [0.110, 0.094, 0.074],
     [0.070, 0.080, 0.052], [0.135, 0.128, 0.118], [0.160, 0.134, 0.105]]
)  # fmt: skip
GREEN_CROP: Final = np.array([0.046, 0.070, 0.040])
# Backscatter in dB by cover: VV, VH. Ranges as of C-band land statistics; double bounce lifts towns.
BACKSCATTER_DB: Final = np.array(
    [[-18.5, -26.0], [-9.6, -15.2], [-11.8, -19.0], [-12.4, -19.4], [-7.2, -15.4], [-13.6, -22.0]]
)  # fmt: skip
LOOKS: Final = 22.0
"""4.4 looks of one acquisition, about five acquisitions a month."""
# Coherence at zero days, and days over which it decays, by cover.
COHERENCE: Final = np.array([0.10, 0.38, 0.55, 0.58, 0.82, 0.74])
DECAY_DAYS: Final = np.array([4.0, 22.0, 40.0, 60.0, 400.0, 140.0])
FIRST_PASS: Final = date(2020, 1, 5)


def reflectance(land: Land, month: int, rng: np.random.Generator, seed: int) -> Float32[np.ndarray, "3 H W"]:
    """One month's red, green and blue: cover, season, shading, soil tone, haze and sensor noise."""
    base = REFLECTANCE[land.cover]
    growth = np.clip(0.5 + 1.2 * land.parcel + 0.12 * month, 0, 1) * (land.cover == CROP)
    base = base + growth[:, None] * (GREEN_CROP - REFLECTANCE[CROP])
    rough = np.array([0.03, 0.16, 0.06, 0.05, 0.22, 0.06])[land.cover]
    base = base * (1 + rough * land.texture + 0.10 * land.slope)[:, None]
    tone = field(land.points_m, seed=seed + 31, wavelength_m=60_000)[:, None] * np.array([0.16, 0.08, 0.04])
    haze = rng.gamma(2.0, 0.006) * np.array([0.7, 1.0, 1.5])
    seen = base * (1 + tone) * rng.normal(1.0, 0.09) + haze + rng.normal(0, 0.003, base.shape)
    return _image(np.maximum(seen, 0.001), land)


def cloud(land: Land, month: int, share: float, seed: int) -> np.ndarray:
    """Which pixels a month's clouds hide: (H, W) bool."""
    if share <= 0:
        return np.zeros((land.side_px, land.side_px), dtype=bool)
    cover = field(land.points_m, seed=seed + 41 + month, wavelength_m=1800, octaves=2)
    # The field is about normal: hide the upper tail that holds `share` of it.
    return (cover > _upper_quantile(share)).reshape(land.side_px, land.side_px)


def backscatter_db(land: Land, month: int, rng: np.random.Generator) -> Float32[np.ndarray, "2 H W"]:
    """One month's mean VV and VH in dB: cover, wind, growth, incidence, speckle."""
    mean_db = BACKSCATTER_DB[land.cover].copy()
    mean_db[land.cover == WATER] += rng.normal(0, 2.5)
    grown = (land.cover == CROP) * (0.5 + land.parcel) * (1 + month)
    mean_db += grown[:, None] * np.array([0.7, 1.2])
    bounce = np.where(land.cover == BUILT, np.maximum(0, land.texture) * 3.0, 0.6 * (land.cover == TREE) * land.texture)
    mean_db += bounce[:, None] + 1.2 * land.slope[:, None] + rng.normal(0, 0.7)
    power = 10 ** (mean_db / 10) * rng.gamma(LOOKS, 1 / LOOKS, mean_db.shape)
    return _image(10 * np.log10(power), land)


def coherence(
    shares: Float64[np.ndarray, "K S S"], days: int, rain: float, rng: np.random.Generator
) -> Float32[np.ndarray, "S S"]:
    """Coherence of one pair on its own coarse lattice, 0 to 1.

    Args:
        shares: of each cover in each cell.
        rain: 0 to 1, how much the weather between the dates took.
    """
    by_cover = 0.08 + (COHERENCE - 0.08) * np.exp(-days / DECAY_DAYS) * (1 - 0.5 * rain)
    mean = np.tensordot(by_cover, shares, axes=1)
    return np.clip(mean + rng.normal(0, 0.05, mean.shape), 0.02, 0.98).astype(np.float32)


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


def _image(pixels: np.ndarray, land: Land) -> np.ndarray:
    return pixels.T.reshape(-1, land.side_px, land.side_px).astype(np.float32)
