"""How much of each line or polygon lies in which chip, in metres of the chip's UTM zone.

P: pairs of a shape and a chip.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Int64

from terrashot.domain.grid import to_metres, utm_zone
from terrashot.domain.tables import Chips
from terrashot.errors import InputError

AT_ONCE = 20_000
"""Pairs whose pieces are held at the same time."""
AROUND_DEG = 0.02
"""What of a shape is looked at beyond the chip: it may bend a little on its way into metres."""
STRAIGHT_DEG = 0.01
"""A longer side in degrees is cut: it is bent in metres, by 3 cm on a kilometre."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What of the shapes lies in some chips, all pairs of a chip together."""

    shape: Int64[np.ndarray, " P"]
    chip: Int64[np.ndarray, " P"]
    geometry: np.ndarray
    """In metres of the chip's zone; empty where they only touch."""


def chips_in_metres(chips: Chips) -> tuple[np.ndarray, Int64[np.ndarray, " N"]]:
    """Outlines of the chips in metres of the zone that each lies in, and the zone's EPSG code.

    Raises:
        InputError: chips without an outline.
    """
    if chips.footprint is None or chips.lon_deg is None or chips.lat_deg is None:
        raise InputError(
            "chips without outlines cannot be joined by place; give labels by id: labels.csv, or [labels] file"
        )
    zone = utm_zone(chips.lon_deg, chips.lat_deg) if chips.utm is None else chips.utm[:, 0]
    return _moved(chips.footprint, zone), zone


def pieces(
    shapes: np.ndarray, footprints: np.ndarray, outlines: np.ndarray, zone: Int64[np.ndarray, " N"]
) -> Iterator[Pieces]:
    """Every pair of a shape and a chip that it meets, some chips at a time.

    Args:
        shapes: lines or polygons in degrees, valid.
        footprints: of the chips, in degrees.
        outlines, zone: of `chips_in_metres`.
    """
    shapely.prepare(outlines)
    shape, chip = shapely.STRtree(footprints).query(shapes, predicate="intersects")
    order = np.lexsort((shape, chip))
    shape, chip = shape[order], chip[order]
    for part in _parts(chip):
        yield Pieces(shape[part], chip[part], _inside(shapes, footprints, outlines, zone, shape[part], chip[part]))


def _parts(chip: Int64[np.ndarray, " P"]) -> Iterator[slice]:
    """Runs of pairs that part no chip's."""
    ends = np.append(np.flatnonzero(np.diff(chip)) + 1, len(chip))
    start = 0
    while start < len(chip):
        stop = int(ends[max(0, int(np.searchsorted(ends, start + AT_ONCE, side="right")) - 1)])
        stop = stop if stop > start else int(ends[np.searchsorted(ends, start, side="right")])
        yield slice(start, stop)
        start = stop


def _inside(
    shapes: np.ndarray,
    footprints: np.ndarray,
    outlines: np.ndarray,
    zone: np.ndarray,
    shape: np.ndarray,
    chip: np.ndarray,
) -> np.ndarray:
    held = shapely.contains(shapes[shape], footprints[chip])
    found = outlines[chip].copy()
    cut = np.flatnonzero(~held)
    around = shapely.buffer(footprints[chip[cut]], AROUND_DEG, join_style="mitre")
    near = _moved(shapely.segmentize(shapely.intersection(shapes[shape[cut]], around), STRAIGHT_DEG), zone[chip[cut]])
    broken = ~shapely.is_valid(near)
    near[broken] = shapely.make_valid(near[broken])
    found[cut] = shapely.intersection(near, outlines[chip[cut]])
    return found


def _moved(shapes: np.ndarray, zone: Int64[np.ndarray, " N"]) -> np.ndarray:
    """From degrees into metres of the zone that stands beside each."""
    moved = np.empty(len(shapes), dtype=object)
    for epsg in np.unique(zone).tolist():
        own, turn = np.flatnonzero(zone == epsg), to_metres(epsg)
        moved[own] = shapely.transform(shapes[own], lambda points, t=turn: np.column_stack(t.transform(*points.T)))
    return moved
