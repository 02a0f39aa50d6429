"""What the radar sees of the simulated ground: backscatter by month.

P pixels with their rim, H and W those of the chip without it.
"""

import math
from dataclasses import dataclass
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Float32
from numba import njit

from terrashot.ingest.world.covers import BARE, BUILT, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.land import Land, surface_slopes
from terrashot.ingest.world.noise import drawn, shared
from terrashot.ingest.world.season import Plants, make_plants, make_season

# Backscatter of what a pixel is made of, in dB: VV, VH.
CALM, LEAVES, BRANCHES = (-18.0, -25.2), (-9.1, -15.0), (-10.2, -16.1)
SOIL, GREEN_CROP, RESIDUE = (-11.4, -18.8), (-9.8, -15.8), (-11.8, -18.0)
OPEN_GRASS, SCRUB, ROOFS, ROAD = (-12.0, -18.2), (-10.4, -16.6), (-9.0, -16.5), (-17.0, -23.5)
RETURNED_DB: Final = np.array([CALM, LEAVES, BRANCHES, SOIL, GREEN_CROP, RESIDUE, OPEN_GRASS, SCRUB, ROOFS, ROAD])
RETURNED: Final = (10 ** (RETURNED_DB / 10)).astype(np.float32)
NOISE: Final = np.float32(10**-3.1)
"""Of the receiver, about -31 dB after its removal from the product: no water is darker."""
LOOKS: Final = 4.4
"""Of one acquisition (IW GRD in high resolution, product specification S1-RS-MDA-52-7441)."""
RESOLUTION_M: Final = 20.0
RESPONSE: Final = np.array([0.27, 0.46, 0.27], np.float32)
"""Of 20 m on a lattice of 10 m, along one axis."""
LOOK_AZIMUTH_RAD: Final = math.radians(78.0)
"""Of an ascending pass, to the right of its track."""


@dataclass(frozen=True, slots=True, eq=False)
class Echoes:
    """What does not change from month to month."""

    plants: Plants
    facing_db: Float32[np.ndarray, " P"]
    """Slopes towards the radar shine, those away are dark."""
    roofs: Float32[np.ndarray, "2 P"]
    """Power of houses in VV and VH, about 1."""
    rough_db: Float32[np.ndarray, " P"]
    """Of open ground: stones, clods, tussocks."""
    crowns: Float32[np.ndarray, " P"]
    """Power of trees, about 1."""


def make_echoes(land: Land) -> Echoes:
    """The lasting echoes of a chip."""
    rise_east, rise_north = surface_slopes(land)
    # It looks along this azimuth: ground that rises that way turns its face to it.
    towards = rise_east * math.sin(LOOK_AZIMUTH_RAD) + rise_north * math.cos(LOOK_AZIMUTH_RAD)
    rough = stones_db(land) + 2.2 * land.country.variety * (drawn(land.parcels.key, 101) - 0.5)
    # Boulders and walls of dry stone shine like houses, in some regions only.
    rocky = np.clip(land.lattice.slow(land.seed + 1007, 280_000.0) + 0.1, 0, 1.2)
    rough = rough + 10 * rocky * np.clip(land.texture - 1.4, 0, 1)
    crowns_db = 0.9 * land.texture + 0.6 * land.lattice.smooth(land.seed + 1003, 300.0)
    facing_db, crowns = np.clip(9 * towards, -6, 7), np.exp(np.float32(np.log(10) / 10) * crowns_db)
    planes = (plane.astype(np.float32) for plane in (facing_db, _roofs(land), rough, crowns))
    return Echoes(make_plants(land), *planes)


def stones_db(land: Land) -> Float32[np.ndarray, " P"]:
    """How rough open ground is, about 0: sand and silt below, gravel and rock above."""
    lattice, seed = land.lattice, land.seed
    rough = land.country.variety * lattice.smooth(seed + 1001, 500.0, 2) + 1.9 * lattice.slow(seed + 1002, 300_000.0)
    return rough.astype(np.float32)


def backscatter_db(
    echoes: Echoes, month: int, year: int, acquisitions: int, rng: np.random.Generator
) -> Float32[np.ndarray, "2 H W"]:
    """One month's VV and VH, averaged in power over its acquisitions."""
    land, lattice = echoes.plants.land, echoes.plants.land.lattice
    when = land.seed + 700_000 + 1000 * (12 * (year % 50) + month)
    season = make_season(echoes.plants, month)
    growing = (season.leaves, season.growth, season.stubble, season.flooded, season.frost)
    lasting = (land.shares, land.scrub, land.is_paved, echoes.roofs, echoes.crowns, echoes.rough_db, echoes.facing_db)
    seen = _power(lasting, growing, (*_weather_db(land, when), _scene_db(land, when)), RETURNED)
    power = np.stack([lattice.inner(plane) for plane in seen])
    power *= speckle(power.shape[1], lattice.pixel_m, LOOKS * acquisitions, rng)
    np.log10(power, out=power)
    return power * np.float32(10)


def speckle(side_px: int, pixel_m: float, looks: float, rng: np.random.Generator) -> Float32[np.ndarray, "2 H W"]:
    """Multiplicative noise of mean 1 and variance 1 / looks, shared by neighbours where pixels are finer than the sensor sees.

    Source: gamma speckle, Ulaby & Dobson 1989; its correlation over neighbours was measured on real 10 m chips.
    """
    if pixel_m >= RESOLUTION_M:
        return rng.standard_gamma(looks, (2, side_px, side_px), dtype=np.float32) / np.float32(looks)
    shape = looks * float(RESPONSE @ RESPONSE) ** 2
    grains = rng.standard_gamma(shape, (2, side_px + 2, side_px + 2), dtype=np.float32)
    return shared(grains, RESPONSE) / np.float32(shape)


def _weather_db(land: Land, when: int) -> tuple[np.ndarray, np.ndarray]:
    """How much brighter wet ground and water under wind are."""
    wet = 0.7 * land.lattice.at_coarse(when + 1, 60_000.0)
    wind = 3.0 * land.lattice.at_coarse(when + 2, 3500.0) + 3.8 * land.lattice.at_coarse(when + 3, 80_000.0)
    soaked = land.lattice.from_coarse(wet.astype(np.float32)) + np.float32(0.5) * land.country.moisture
    return soaked, land.lattice.from_coarse(wind.astype(np.float32))


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _power(
    lasting: tuple[np.ndarray, ...],
    growing: tuple[np.ndarray, ...],
    weather: tuple[np.ndarray, ...],
    returned: np.ndarray,
) -> np.ndarray:
    """Mean power by polarisation and pixel: shares of the covers times what each returns."""
    shares, scrub, is_paved, roofs, crowns, rough_db, facing_db = lasting
    leaves, growth, stubble, flooded, frost = growing
    wet_db, wind_db, scene_db = weather
    power, ln = np.empty((2, len(scrub)), np.float32), np.float32(np.log(10) / 10)
    for p in range(len(scrub)):
        ground = np.exp(ln * (0.7 * rough_db[p] + wet_db[p] - 2.5 * frost[p]))
        water = (shares[WATER, p] + flooded[p]) * np.exp(ln * wind_db[p]) if shares[WATER, p] + flooded[p] > 0 else 0.0
        soil = max(shares[CROP, p] - growth[p] - stubble[p] - flooded[p], 0)
        road = shares[BARE, p] if is_paved[p] else 0.0
        soil += 0.5 * (shares[BARE, p] - road)
        twigs = (shares[TREE, p] - leaves[p]) * crowns[p]
        scene = np.exp(ln * (scene_db[p] + facing_db[p] * (1 - shares[WATER, p])))
        for k in range(2):
            seen = returned[0, k] * water + returned[1, k] * leaves[p] * crowns[p] + returned[2, k] * twigs
            seen += ground * (returned[3, k] * soil + returned[5, k] * stubble[p]) + returned[4, k] * growth[p]
            grass = returned[6, k] * (1 - scrub[p]) + returned[7, k] * scrub[p]
            seen += (
                ground * grass * shares[GRASS, p]
                + returned[8, k] * roofs[k, p] * shares[BUILT, p]
                + returned[9, k] * road
            )
            power[k, p] = seen * scene + NOISE
    return power


def _scene_db(land: Land, when: int) -> np.ndarray:
    """Incidence across the swath, calibration, weather on the path."""
    lattice = land.lattice
    nodes = 1.4 * lattice.at_coarse(land.seed + 1004, 240_000.0) + 0.3 * lattice.at_coarse(when + 4, 4000.0)
    return lattice.from_coarse((nodes + 0.4 * lattice.at_coarse(when + 5, 150_000.0)).astype(np.float32))


def _roofs(land: Land) -> Float32[np.ndarray, "2 P"]:
    """Power that houses return, about 1: more in countries of concrete than of timber, and where walls face the radar.

    Those return it by way of the street, few do if streets lie askew (Ferro et al. 2011, IEEE GRSL 8, 612-616). Two mirrors turn
    little of the pulse: in VH the bounce lifts half as many decibels.
    """
    askew = np.abs((land.towns.turn_rad - LOOK_AZIMUTH_RAD + math.pi / 4) % (math.pi / 2) - math.pi / 4)
    facing = np.exp(-((askew / math.radians(13)) ** 2))
    material = land.lattice.from_coarse(10 ** (0.42 * land.lattice.at_coarse(land.seed + 1005, 280_000.0)))
    bounce = 1 + np.minimum((0.5 + 9.0 * facing) * np.square(drawn(land.towns.house, 102)) ** 3 * 5.0, 8.0)
    return np.stack([material * bounce, material * np.sqrt(bounce)]).astype(np.float32)
