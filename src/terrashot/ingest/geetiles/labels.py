"""The paper's four targets of one chip, out of label tiles or of the shares that geetiles writes into the GeoJSON.

Tree cover: mean percent of MOD44B; built-up: square metres of GHS-BUILT-S a cell; cropland and water: shares of WorldCover's classes
40 and 80. All over valid pixels alone, with their share beside. Their `area_km2` is never read: it is off by up to 15 %.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from jaxtyping import Shaped

from terrashot.domain.reference_maps import LAND_COVER
from terrashot.errors import InputError
from terrashot.ingest.geetiles.lattice import refuse_elsewhere
from terrashot.ingest.geetiles.plan import ChipJob, ImportPlan, TileFile
from terrashot.ingest.inside import refuse_outside
from terrashot.raster.place import RasterPlace
from terrashot.raster.tile import read_tile

CODES: Final = (0, *LAND_COVER)
"""WorldCover's own; 0 is no data. geetiles counts them from 0 to 11."""
CROPLAND, WATER = 40, 80
MOST_PERCENT: Final = 100
WATER_AND_FILL: Final = (200, 253)
"""MOD44B's, both no data here."""
GHS_FILL: Final = 65535
GHS_CELL_M2: Final = 10_000.0
FINER_THAN_M: Final = 50.0
"""Pixels finer than this repeat cells of 100 m, which keep their 10,000 m2."""
MIN_VALID: Final = 0.9
"""Share of a chip that must be valid for it to have a label."""
PAIR: Final = re.compile(r"""['"]?(\d{1,3})['"]?\s*:\s*([0-9.eE+-]{1,30})""")

Value = tuple[float, float]
"""Of a target: its value over valid pixels, and their share; NaN without any."""
Counts = Mapping[int, float]
"""Pixels, or share of the chip, by class."""


def class_counts(job: ChipJob, plan: ImportPlan) -> Counts | None:
    """Pixels of the WorldCover tile by stored number; None where the chip has none."""
    tile = _only(job, "worldcover")
    if tile is None:
        return None
    band, _ = _band(tile, job, plan, None)
    found, counts = np.unique(band, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def tree_cover(job: ChipJob, plan: ImportPlan) -> Value | None:
    """Share under trees of the MOD44B tile, of the year asked for."""
    tile = _only(job, "mod44b")
    if tile is None:
        return None
    band, _ = _band(tile, job, plan, f"Percent_Tree_Cover_{plan.label_year}")
    is_valid = band <= MOST_PERCENT
    odd = band[~is_valid & ~np.isin(band, WATER_AND_FILL)]
    if odd.size:
        raise InputError(f"{tile.path}: holds {odd[0]}; percent of trees, 200 (water) and 253 (fill) belong there")
    return _mean(band / MOST_PERCENT, is_valid)


def built_up(job: ChipJob, plan: ImportPlan) -> Value | None:
    """Share built up of the GHS-BUILT-S tile."""
    tile = _only(job, "ghsbuilts")
    if tile is None:
        return None
    band, place = _band(tile, job, plan, None)
    cell_m2 = _cell_m2(place)
    values = band.astype(np.float64)
    is_valid = np.isfinite(values) & (values != GHS_FILL) & (values >= 0)
    if is_valid.any() and values[is_valid].max() > 1.02 * cell_m2:
        raise InputError(f"{tile.path}: {values[is_valid].max():g} m2 built up in a cell of {cell_m2:.0f} m2")
    return _mean(np.clip(values / cell_m2, 0, 1), is_valid)


def shares_told(text: object) -> dict[int, float]:
    """Share by class of a `_proportions` column, whichever way the dictionary was written; empty where there is none.

    Raises:
        InputError: no shares that sum to 1.
    """
    if text is None:
        return {}
    pairs = text.items() if isinstance(text, Mapping) else PAIR.findall(str(text)[:4096])
    try:
        found = {int(name): float(share) for name, share in pairs}
    except (TypeError, ValueError):
        raise InputError(f"shares {str(text)[:60]!r} are no classes with numbers") from None
    if found and not (min(found.values()) >= 0 and abs(sum(found.values()) - 1) < 0.01):
        raise InputError(f"shares {str(text)[:60]!r} sum to {sum(found.values()):g}, not to 1")
    return found


def codes_of(seen: Iterable[int], *, when_unclear: str) -> Mapping[int, int]:
    """WorldCover's code of each stored number: they are its own codes, or geetiles' places among them.

    One chip alone may not tell (10 is tree cover, or mangrove); all chips together nearly always do.

    Args:
        when_unclear: `codes` or `places`, where 0 and 10 alone were seen.

    Raises:
        InputError: neither fits.
    """
    numbers = set(seen)
    if numbers <= {0, 10}:
        are_codes = when_unclear == "codes"
    else:
        are_codes = numbers <= set(CODES)
        if not are_codes and not numbers <= set(range(len(CODES))):
            raise InputError(
                f"classes {', '.join(map(str, sorted(numbers)))[:120]} are neither WorldCover's "
                "(0, 10, ... 95, 100) nor geetiles' 0 to 11"
            )
    return {number: number if are_codes else CODES[number] for number in numbers}


def share_of(counts: Counts, codes: Mapping[int, int], wanted: int) -> Value:
    """Share of a class among valid pixels, for 0 stands in geetiles' denominator; and the share of valid ones."""
    total = sum(counts.values())
    valid = sum(count for number, count in counts.items() if codes[number] != 0)
    ours = sum(count for number, count in counts.items() if codes[number] == wanted)
    return (ours / valid if valid else float("nan")), (valid / total if total else 0.0)


def _only(job: ChipJob, sensor: str) -> TileFile | None:
    return next((tile for tile in job.tiles if tile.chip_set.sensor == sensor), None)


def _band(
    tile: TileFile, job: ChipJob, plan: ImportPlan, name: str | None
) -> tuple[Shaped[np.ndarray, "H W"], RasterPlace]:
    refuse_outside(tile.path, plan.source)
    found = read_tile(tile.path)
    try:
        refuse_elsewhere(found.head.place, job.bounds_deg)
    except InputError as error:
        raise InputError(f"{tile.path}: {error}") from None
    if name is None or len(found.values) == 1:
        return found.values[0], found.head.place
    if name not in found.head.names:
        raise InputError(f"{tile.path}: no band {name}; bands are {', '.join(str(n) for n in found.head.names)[:120]}")
    return found.values[found.head.names.index(name)], found.head.place


def _cell_m2(place: RasterPlace) -> float:
    """Ground of a cell that a number stands for: its own where it is coarse, else that of the map's 100 m cells."""
    if place.pixel_m < FINER_THAN_M:
        return GHS_CELL_M2
    a, b, _, d, e, _ = place.affine
    if not place.crs.upper().startswith("EPSG:4326"):
        return abs(a * e - b * d)
    _, south, _, north = place.bounds
    return abs(a * e - b * d) * 111_195.0**2 * float(np.cos(np.radians((south + north) / 2)))


def _mean(values: Shaped[np.ndarray, "H W"], is_valid: Shaped[np.ndarray, "H W"]) -> Value:
    share = float(is_valid.mean())
    return (float(values[is_valid].mean()) if share else float("nan")), share
