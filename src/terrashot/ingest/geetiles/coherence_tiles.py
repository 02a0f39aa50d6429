"""One chip's coherence pairs out of what sartiles cut: labels parsed, pairs chosen, brought onto the chip through their degrees."""

from datetime import date
from typing import Final

import numpy as np

from terrashot.domain.modality import Channel, Imagery
from terrashot.errors import InputError
from terrashot.ingest.geetiles.lattice import Bounds, moved
from terrashot.ingest.geetiles.plan import ChipJob, Choices, ImportPlan, TileFile
from terrashot.ingest.inside import refuse_outside
from terrashot.raster.gunw import read_gunw_place
from terrashot.raster.picture import Dates, Picture
from terrashot.raster.place import RasterPlace
from terrashot.raster.read import read_picture

NO_PAIR: Final = "the file holds no date pair"
NO_PAIR_CHOSEN: Final = "no date pair of the months and days asked for"
MARGIN_CELLS: Final = 2.0
"""That a cut may end short of the chip: a cell is taken by its middle, and patches are trimmed to the smallest."""


def coherence(job: ChipJob, plan: ImportPlan) -> Imagery | str | None:
    """A channel a pair; why there is none; None where the chip has no file.

    Raises:
        InputError: a file that is damaged, of another chip, or holds no coherence; names it.
    """
    tiles = job.tiles_of("gunw")
    if not tiles:
        return None
    found: dict[str, tuple[Channel, np.ndarray]] = {}
    n_pairs = 0
    target = plan.coherence_place(job.bounds_deg)
    for tile in tiles:
        picture, place = _read(tile, job, plan)
        n_pairs += len(picture.values)
        chosen = [n for n, dates in enumerate(picture.dates) if _is_wanted(dates, plan.choices)]
        planes = moved(picture.values[chosen], place, target) if chosen else ()
        for number, plane in zip(chosen, planes, strict=True):
            name = picture.names[number] or f"c{number + 1}"
            found.setdefault(name, (Channel(name, "coherence", "coherence", *picture.dates[number]), plane))
    if not found:
        return NO_PAIR_CHOSEN if n_pairs else NO_PAIR
    channels, planes = zip(*(found[name] for name in sorted(found)), strict=True)
    return Imagery(channels, np.stack(planes))


def span_days(dates: Dates) -> int | None:
    """Days from the earlier to the later; None where one is unknown."""
    first, second = dates
    return (date.fromisoformat(second) - date.fromisoformat(first)).days if first and second else None


def _read(tile: TileFile, job: ChipJob, plan: ImportPlan) -> tuple[Picture, RasterPlace]:
    refuse_outside(tile.path, plan.source)
    picture = read_picture(tile.path)
    twice = next((name for n, name in enumerate(picture.names) if name in picture.names[:n]), None)
    if twice is not None:
        raise InputError(f"{tile.path}: two pairs are called '{twice}'")
    there = picture.values[np.isfinite(picture.values)]
    if there.size and (there.min() < 0 or there.max() > 1):
        raise InputError(f"{tile.path}: coherence from {there.min():g} to {there.max():g}; it lies between 0 and 1")
    place = read_gunw_place(tile.path)
    _refuse_elsewhere(tile, place, job.bounds_deg)
    return picture, place


def _refuse_elsewhere(tile: TileFile, place: RasterPlace, bounds_deg: Bounds) -> None:
    across, _, _, _, down, _ = place.affine
    steps = (across, -down, across, -down)
    off = max(abs(one - other) / step for one, other, step in zip(place.bounds, bounds_deg, steps, strict=True))
    if off > MARGIN_CELLS:
        raise InputError(
            f"{tile.path}: lies at {', '.join(f'{at:.4f}' for at in place.bounds)}, its chip at "
            f"{', '.join(f'{at:.4f}' for at in bounds_deg)} (west, south, east, north); it is of another chip"
        )


def _is_wanted(dates: Dates, choices: Choices) -> bool:
    """Its later day lies in a month asked for, and it spans no more days than asked for; without either any pair is wanted."""
    days = span_days(dates)
    if choices.max_days is not None and (days is None or days > choices.max_days):
        return False
    return not choices.months or (dates[1] is not None and dates[1][:7] in choices.months)
