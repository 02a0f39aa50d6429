"""One chip's optical and radar months out of its tiles."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from jaxtyping import Float32, Shaped

from terrashot.domain.modality import Channel, Imagery
from terrashot.errors import InputError, TerrashotError
from terrashot.ingest.decibels import from_db, to_db
from terrashot.ingest.geetiles.lattice import moved, refuse_elsewhere
from terrashot.ingest.geetiles.names import ChipSet, month_and_band
from terrashot.ingest.geetiles.plan import ChipJob, ImportPlan, TileFile
from terrashot.ingest.geetiles.stored import Mended, Zero, decibels, reflectance
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.monthly import RGB, optical_channels, radar_channels
from terrashot.raster.place import RasterPlace
from terrashot.raster.tile import Tile, TileHead, read_tile

POLARISATIONS: Final = ("vv", "vh")
Months = dict[str, Float32[np.ndarray, "P H W"]]
Mend = Callable[[Shaped[np.ndarray, "P h w"], Zero], tuple[Float32[np.ndarray, "P h w"], Mended]]


def optical(job: ChipJob, plan: ImportPlan) -> tuple[Imagery | None, Mended]:
    """Monthly reflectance, NaN where there is none; None where the chip has no tile.

    Raises:
        InputError: a tile that is damaged, of another chip or size, or not as published; names it.
    """
    tiles = job.tiles_of("s2rgbm")
    if not tiles:
        return None, Mended()
    months, mended = _months_of(tiles, job, plan, RGB, reflectance)
    channels = optical_channels(plan.optical_months)
    values = [months.get(month, _nothing(len(RGB), plan)) for month in plan.optical_months]
    return _imagery(channels, values), mended


def radar(job: ChipJob, plan: ImportPlan) -> tuple[Imagery | None, Mended]:
    """Monthly VV and VH in dB, passes kept apart or their power averaged; None where the chip has no tile of those asked for.

    Raises:
        InputError: as `optical`.
    """
    mended, by_passes = Mended(), {}
    for passes in ("asc", "des"):
        tiles = [tile for tile in job.tiles_of("s1grdm") if tile.chip_set.passes == passes]
        if tiles and plan.choices.orbits not in (OTHER[passes], ""):
            by_passes[passes], found = _months_of(tiles, job, plan, POLARISATIONS, decibels)
            mended += found
    if not by_passes:
        return None, mended
    sets = {"": tuple(by_passes.values()), "asc_": (by_passes.get("asc", {}),), "des_": (by_passes.get("des", {}),)}
    channels = radar_channels(plan.radar_months, plan.radar_sets)
    values = [_mixed([one.get(month, _nothing(len(POLARISATIONS), plan)) for one in sets[own]])
              for month in plan.radar_months for own in plan.radar_sets]  # fmt: skip
    return _imagery(channels, values), mended


OTHER: Final = {"asc": "descending", "des": "ascending"}
"""The choice that leaves these passes out."""


def bands_by_month(head: TileHead, chip_set: ChipSet, bands: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """Number of each band, by month and kind.

    Raises:
        InputError: a band of another name, or one that stands twice.
    """
    found: dict[str, dict[str, int]] = {}
    assert chip_set.year is not None, "a monthly set has a year in its name"
    for number, description in enumerate(head.names):
        told = month_and_band(description, chip_set.year)
        if told is None or told[1] not in bands:
            raise InputError(
                f"band {number + 1} of {len(head.names)} is called '{description or ''}'; {chip_set.name} has 01_{bands[0]}, "
                f"01_{bands[1]}, ... of the months 01 to 12"
            )
        of_month = found.setdefault(told[0], {})
        if told[1] in of_month:
            raise InputError(f"bands {of_month[told[1]] + 1} and {number + 1} are both called '{description}'")
        of_month[told[1]] = number
    return found


def _months_of(
    tiles: Sequence[TileFile], job: ChipJob, plan: ImportPlan, bands: Sequence[str], mend: Mend
) -> tuple[Months, Mended]:
    """The wanted months of some tiles on the chip's lattice. Of two years each has its own months."""
    wanted = plan.optical_months if bands is RGB else plan.radar_months
    months: Months = {}
    total = Mended()
    for tile in tiles:
        try:
            refuse_outside(tile.path, plan.source)
            for month, values, mended in _of_tile(read_tile(tile.path), tile.chip_set, job, plan, bands, mend, wanted):
                months[month] = values
                total += mended
        except InputError as error:
            raise _naming(tile, error) from None
    return months, total


def _of_tile(
    tile: Tile,
    chip_set: ChipSet,
    job: ChipJob,
    plan: ImportPlan,
    bands: Sequence[str],
    mend: Mend,
    wanted: Sequence[str],
) -> Iterator[tuple[str, Float32[np.ndarray, "P H W"], Mended]]:
    refuse_elsewhere(tile.head.place, job.bounds_deg)
    numbers = bands_by_month(tile.head, chip_set, bands)
    target = plan.place(job.bounds_deg)
    for month in wanted:
        of_month = numbers.get(month, {})
        there = [band for band in bands if band in of_month]
        if not there:
            continue
        stored = tile.values[[of_month[band] for band in there]]
        values, mended = mend(stored, plan.choices.zero)
        if tile.head.nodata not in (None, 0):
            values[stored == tile.head.nodata] = np.nan
        planes = np.full((len(bands), *values.shape[1:]), np.nan, np.float32)
        planes[[bands.index(band) for band in there]] = values
        yield month, _placed(planes, tile.head.place, target, plan, is_db=bands is POLARISATIONS), mended


def _placed(
    planes: Float32[np.ndarray, "P h w"], source: RasterPlace, target: RasterPlace, plan: ImportPlan, *, is_db: bool
) -> Float32[np.ndarray, "P H W"]:
    """The pixels as they are, or on the lattice of metres."""
    if plan.choices.lattice == "utm":
        return moved(planes, source, target, is_db=is_db)
    if planes.shape[1:] != (plan.side_px, plan.side_px):
        raise InputError(
            f"{source.width_px} x {source.height_px} px, most tiles have {plan.side_px} x {plan.side_px}; with "
            "--lattice utm all sizes are read"
        )
    if source.affine[0] < 0 or source.affine[4] > 0:
        raise InputError("lies south up or east first; with --lattice utm it is read")
    return planes


def _mixed(passes: Sequence[Float32[np.ndarray, "P H W"]]) -> Float32[np.ndarray, "P H W"]:
    """Mean power of the passes that have a value, as decibels."""
    if len(passes) == 1:
        return passes[0]
    powers = np.stack([from_db(one) for one in passes])
    count = np.isfinite(powers).sum(axis=0)
    total = np.where(np.isfinite(powers), powers, 0).sum(axis=0)
    mean = to_db(np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32))
    # Of one pass alone its own whole decibels, not what there and back makes of them.
    alone = np.nanmax(np.where(np.isfinite(passes), passes, -np.inf), axis=0)
    return np.where(count == 1, alone, mean).astype(np.float32)


def _imagery(channels: tuple[Channel, ...], values: Sequence[Float32[np.ndarray, "P H W"]]) -> Imagery:
    return Imagery(channels, np.concatenate(values))


def _nothing(bands: int, plan: ImportPlan) -> Float32[np.ndarray, "P H W"]:
    return np.full((bands, plan.side_px, plan.side_px), np.nan, np.float32)


def _naming(tile: TileFile, error: TerrashotError) -> InputError:
    text = str(error)
    return InputError(text if text.startswith(str(tile.path)) else f"{tile.path}: {text}")
