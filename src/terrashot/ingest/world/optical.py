"""What the optical sensor sees of the simulated ground: surface reflectance by month.

P pixels with their rim, H and W those of the chip without it.
"""

from typing import Final, no_type_check

import numpy as np
from jaxtyping import Bool, Float32
from numba import njit

from terrashot.ingest.world.colours import MIXED, Scenery
from terrashot.ingest.world.covers import BARE, BUILT, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.land import Land
from terrashot.ingest.world.season import make_season, sun

BLUR: Final = np.array([0.14, 0.72, 0.14], np.float32)
"""Response of the sensor to a pixel's neighbours, along one axis."""
PLOUGHED: Final = 0.72
"""Brightness of a field's soil beside bare ground: it is worked and moist, and better soil is ploughed."""
SENSOR_NOISE: Final = 0.0012


def reflectance(scenery: Scenery, month: int, year: int, rng: np.random.Generator) -> Float32[np.ndarray, "3 H W"]:
    """One month's red, green and blue.

    Args:
        month: 1 to 12.
    """
    land, lattice = scenery.plants.land, scenery.plants.land.lattice
    season, light = make_season(scenery.plants, month), sun(float(lattice.lat_deg[0]), month)
    ground = (land.shares, land.scrub, land.texture, scenery.vigour)
    growing = (season.leaves, season.growth, season.stubble, season.flooded, season.green)
    colours = (scenery.water, scenery.soil, scenery.roof, scenery.bush, scenery.leaf, MIXED)
    lit = _lit(scenery.rise_east, scenery.rise_north, land.shares[WATER], light.towards)
    seen = _seen(ground, growing, colours, lit, _air(land, _when(land, month, year)))
    sharp = seen.reshape(3, lattice.width_px, lattice.width_px)
    noise = rng.standard_normal((3, lattice.side_px, lattice.side_px), dtype=np.float32)
    return _as_sensed(sharp, noise, lattice.rim_px)


def cloud(land: Land, month: int, year: int, share: float) -> Bool[np.ndarray, " P"]:
    """Which pixels a month's clouds hide."""
    if share <= 0:
        return np.zeros(len(land.texture), dtype=bool)
    # The field is about normal: hide the upper tail that holds `share` of it.
    return _cloudiness(land, _when(land, month, year)) > upper_quantile(share)


def upper_quantile(share: float) -> float:
    """Value that a standard normal exceeds with probability `share` (Winitzki 2008, inverse error function)."""
    x = 1 - 2 * min(max(share, 1e-6), 1 - 1e-6)
    log = np.log(1 - x * x)
    half = 2 / (np.pi * 0.147) + log / 2
    return float(np.sign(x) * np.sqrt(np.sqrt(half**2 - log / 0.147) - half) * np.sqrt(2))


def _cloudiness(land: Land, when: int) -> np.ndarray:
    return land.lattice.smooth(when, 2300.0, 4)


def _when(land: Land, month: int, year: int) -> int:
    return land.seed + 20_000 + 1000 * (12 * (year % 50) + month)


def _air(land: Land, when: int) -> tuple[np.ndarray, ...]:
    """Haze, brightness and warmth of the scene by pixel, and the thin cloud that the mask let through.

    Correction takes away too much haze about as often as too little. It errs by scene and by region: that gain is what a
    rule learnt elsewhere stumbles over.
    """
    lattice = land.lattice
    thick = np.exp(0.4 * lattice.at_coarse(when + 10, 5000.0) + 0.5 * lattice.at_coarse(when + 11, 280_000.0)) - 0.4
    gain = 1 + 0.05 * lattice.at_coarse(when + 12, 3000.0) + 0.15 * lattice.at_coarse(when + 13, 220_000.0)
    warm = 0.06 * lattice.at_coarse(when + 14, 260_000.0)
    planes = (lattice.from_coarse(nodes.astype(np.float32)) for nodes in (0.0042 * thick, gain, warm))
    return (*planes, _cloudiness(land, when))


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _lit(rise_east: np.ndarray, rise_north: np.ndarray, water: np.ndarray, towards: tuple[float, float]) -> np.ndarray:
    """Direct light by the lie of the surface, and light of the sky everywhere."""
    light = np.empty(len(water), np.float32)
    for p in range(len(water)):
        direct = min(max(1 - 0.9 * (rise_east[p] * towards[0] + rise_north[p] * towards[1]), 0.15), 1.7)
        light[p] = (0.22 + 0.78 * direct) * (1 - water[p]) + water[p]
    return light


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _seen(
    ground: tuple[np.ndarray, ...],
    growing: tuple[np.ndarray, ...],
    colours: tuple[np.ndarray, ...],
    lit: np.ndarray,
    air: tuple[np.ndarray, ...],
) -> np.ndarray:
    """Reflectance by band and pixel: the mixture of all that a pixel holds, in its light, through the air."""
    shares, scrub, texture, vigour = ground
    leaves, growth, stubble, flooded, green = growing
    water, soil, roof, bushes, leaf, mixed = colours
    haze, gain, warm, clouds = air
    seen = np.empty((3, len(lit)), np.float32)
    for p in range(len(lit)):
        tree, crop, grass = shares[TREE, p], shares[CROP, p], shares[GRASS, p] * (1 + 0.12 * texture[p])
        wet, twigs = shares[WATER, p] + 0.8 * flooded[p], (tree - leaves[p]) * (1 + 0.24 * texture[p])
        ploughed = PLOUGHED * max(crop - growth[p] - stubble[p] - flooded[p], 0)
        open_soil = ploughed + shares[BARE, p] + 0.2 * flooded[p]
        sown = vigour[p] * (1 + 0.10 * texture[p])
        herbs, bush = grass * (1 - scrub[p]), grass * scrub[p]
        veil = 0.035 * min(max(clouds[p] - 0.75, 0), 1.2) ** 1.5
        clear = lit[p] * (1 - 4 * haze[p]) * (1 - veil)
        for band in range(3):
            colour = water[band, p] * wet + leaf[band, p] * leaves[p] + mixed[0, band] * twigs
            colour += sown * (mixed[1, band] * growth[p] + mixed[2, band] * stubble[p])
            colour += herbs * (mixed[3, band] * green[p] + mixed[4, band] * (1 - green[p])) + bushes[band, p] * bush
            colour += soil[band, p] * open_soil + roof[band, p] * shares[BUILT, p]
            tinted = gain[p] + (1 - band) * warm[p]
            seen[band, p] = colour * clear * tinted + mixed[5, band] * haze[p] + 0.55 * veil
    return seen


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _as_sensed(sharp: np.ndarray, noise: np.ndarray, rim: int) -> np.ndarray:
    """The sharp image without its rim, blurred by the sensor's response, with its noise (taken over in place)."""
    for band in range(3):
        for row in range(noise.shape[1]):
            for col in range(noise.shape[2]):
                seen = np.float32(0)
                for k in range(3):
                    line = sharp[band, row + rim + k - 1]
                    at = col + rim
                    seen += BLUR[k] * (BLUR[0] * line[at - 1] + BLUR[1] * line[at] + BLUR[2] * line[at + 1])
                noise[band, row, col] = max(seen + SENSOR_NOISE * noise[band, row, col], 0.0005)
    return noise
