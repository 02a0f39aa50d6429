"""Colours of the simulated ground that do not change from month to month.

P pixels with their rim. The colours were set beside real pixels: docs/simulated-earth.md.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from terrashot.ingest.world.land import Land, surface_slopes
from terrashot.ingest.world.noise import drawn
from terrashot.ingest.world.season import Plants, make_plants

# Surface reflectance of what a pixel is made of; red, green, blue.
CLEAR, MUDDY, GREEN_WATER = (0.008, 0.018, 0.015), (0.112, 0.092, 0.052), (0.030, 0.050, 0.024)
NEEDLES, FOLIAGE, BRANCHES = (0.017, 0.030, 0.015), (0.024, 0.043, 0.019), (0.072, 0.062, 0.040)
GREEN_CROP, RESIDUE = (0.036, 0.063, 0.026), (0.150, 0.122, 0.072)
GREEN_GRASS, DRY_GRASS = (0.047, 0.066, 0.030), (0.205, 0.150, 0.092)
SCRUB, DRY_SCRUB = (0.044, 0.047, 0.028), (0.165, 0.110, 0.064)
DARK_SOIL, BRIGHT_SOIL, RED_SOIL = (0.072, 0.058, 0.041), (0.330, 0.260, 0.175), (0.200, 0.112, 0.066)
GREYER = (-0.14, 0.02, 0.42)
TILES, SLATE, METAL, ASPHALT = (
    (0.120, 0.082, 0.056),
    (0.080, 0.076, 0.064),
    (0.230, 0.225, 0.205),
    (0.078, 0.074, 0.064),
)
AIR = (0.45, 0.68, 1.0)
"""How haze brightens the bands."""
MIXED: Final = np.array([BRANCHES, GREEN_CROP, RESIDUE, GREEN_GRASS, DRY_GRASS, AIR], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Scenery:
    """What does not change from month to month."""

    plants: Plants
    water: Float32[np.ndarray, "3 P"]
    soil: Float32[np.ndarray, "3 P"]
    """Bare ground, roads too."""
    roof: Float32[np.ndarray, "3 P"]
    bush: Float32[np.ndarray, "3 P"]
    leaf: Float32[np.ndarray, "3 P"]
    vigour: Float32[np.ndarray, " P"]
    """How bright a parcel's crop is, about 1."""
    rise_east: Float32[np.ndarray, " P"]
    """Of the surface with its trees and houses, metres a metre."""
    rise_north: Float32[np.ndarray, " P"]


def make_scenery(land: Land) -> Scenery:
    """The lasting colours and slopes of a chip."""
    rise_east, rise_north = surface_slopes(land)
    vigour = 1 + np.float32(0.22) * (drawn(land.parcels.key, 92) - np.float32(0.5))
    return Scenery(
        make_plants(land),
        _water(land),
        _soil(land),
        _roof(land),
        _bush(land),
        _leaf(land),
        vigour,
        rise_east,
        rise_north,
    )


def _rgb(colour: tuple[float, float, float]) -> np.ndarray:
    return np.array(colour, np.float32)[:, None]


def _mix(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    return one + (other - one) * share.astype(np.float32)


def _water(land: Land) -> np.ndarray:
    lattice, seed = land.lattice, land.seed
    mud = np.clip(0.35 + 0.5 * lattice.slow(seed + 901, 90_000.0) + 0.25 * lattice.slow(seed + 902, 2500.0), 0, 1)
    algae = np.clip(0.2 + 0.4 * lattice.slow(seed + 903, 6000.0), 0, 1)
    return _mix(_mix(_rgb(CLEAR), _rgb(GREEN_WATER), algae), _rgb(MUDDY), mud)


def _soil(land: Land) -> np.ndarray:
    """By region, wetness and parcel; asphalt on roads."""
    lattice, seed = land.lattice, land.seed
    tone = 0.42 + 0.34 * lattice.slow(seed + 911, 350_000.0) - 0.13 * land.country.moisture
    tone += 0.16 * lattice.smooth(seed + 912, 600.0, 3) + 0.22 * land.country.variety * (
        drawn(land.parcels.key, 93) - 0.5
    )
    red = np.clip(0.35 + 0.5 * lattice.slow(seed + 913, 400_000.0), 0, 1)
    soil = _mix(_mix(_rgb(DARK_SOIL), _rgb(BRIGHT_SOIL), np.clip(tone, 0, 1.4)), _rgb(RED_SOIL), 0.6 * red)
    # Marl and limestone are as grey as roofs.
    grey = np.clip(0.2 + 0.8 * lattice.slow(seed + 914, 260_000.0) + 0.3 * lattice.slow(seed + 915, 1500.0, 2), 0, 1)
    soil = soil * (1 + _rgb(GREYER) * grey) * (1 + 0.12 * land.texture)
    return np.where(land.is_paved, _rgb(ASPHALT), soil.astype(np.float32))


def _roof(land: Land) -> np.ndarray:
    """Tiles in some towns, slate in others, metal on halls."""
    kind = drawn(land.towns.house, 94) + 0.7 * land.lattice.slow(land.seed + 921, 200_000.0)
    paint = land.lattice.from_coarse(np.exp(np.float32(0.55) * land.lattice.at_coarse(land.seed + 922, 250_000.0)))
    bright = (0.34 + 1.0 * drawn(land.towns.house, 95)) * paint
    colour = np.where(kind < 0.45, _rgb(TILES), np.where(kind < 0.95, _rgb(SLATE), _rgb(METAL)))
    # No roof outshines white paint.
    return np.minimum(colour * bright, np.float32(0.42)).astype(np.float32)


def _bush(land: Land) -> np.ndarray:
    """Dark where moist; in dry country bare ground shows between the bushes."""
    return _mix(_rgb(SCRUB), _rgb(DRY_SCRUB), np.clip(0.3 - 0.6 * land.country.moisture, 0, 1))


def _leaf(land: Land) -> np.ndarray:
    kinds = np.clip(0.9 * land.country.evergreen + 0.2 * land.lattice.smooth(land.seed + 931, 500.0), 0, 1)
    vigour = 1 + 0.24 * land.texture + 0.10 * land.lattice.smooth(land.seed + 932, 260.0)
    crowns = _mix(_rgb(FOLIAGE), _rgb(NEEDLES), kinds)
    # Dry woods are thin: twigs and litter show between the leaves.
    return (_mix(crowns, _rgb(BRANCHES), np.clip(0.2 - 0.45 * land.country.moisture, 0, 0.5)) * vigour).astype(
        np.float32
    )
