"""The outline of a STAC item as valid polygons."""

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from terrashot.domain.cells import halves_at_antimeridian
from terrashot.remote.fields import Fields

Ring = list[tuple[float, float]]


def footprint_of(item: Fields) -> Polygon | MultiPolygon:
    """The item's `geometry`; rings that cross themselves are mended, those across the antimeridian cut, heights are dropped.

    Raises:
        InputError: absent, no polygon, a coordinate off the Earth, or no area.
    """
    geometry = item.inside("geometry")
    kind = geometry.text("type") if geometry is not None else None
    if geometry is None or kind not in ("Polygon", "MultiPolygon"):
        raise item.wrong("geometry", "a Polygon or MultiPolygon")
    coordinates = geometry.values.get("coordinates")
    polygons = _list([coordinates] if kind == "Polygon" else coordinates, item)
    pieces = [piece for polygon in polygons for piece in _cut(_polygon(_list(polygon, item), item))]
    return _mended(pieces[0] if len(pieces) == 1 else MultiPolygon(pieces), item)


def _list(value: object, item: Fields) -> list[object]:
    if not isinstance(value, list) or not value:
        raise item.wrong("geometry", "coordinates in lists that are not empty")
    return value


def _polygon(rings: list[object], item: Fields) -> Polygon:
    outer, *holes = [_ring(_list(ring, item), item) for ring in rings]
    return Polygon(outer, holes)


def _cut(polygon: Polygon) -> list[Polygon]:
    """The polygon; where it is written across the antimeridian in one piece, so that it would go round the globe, its two sides."""
    if not _is_wide(polygon):
        return [polygon]
    east_of_it = shapely.transform(polygon, lambda points: np.column_stack([points[:, 0] % 360, points[:, 1]]))
    if _is_wide(east_of_it) or not east_of_it.area > 0:
        return [polygon]
    halves = halves_at_antimeridian(shapely.make_valid(east_of_it))
    return [part for part in shapely.get_parts(halves) if isinstance(part, Polygon) and part.area > 0]


def _is_wide(polygon: Polygon) -> bool:
    west, _, east, _ = polygon.bounds
    return bool(east - west > 180)


def _ring(positions: list[object], item: Fields) -> Ring:
    ring = [_position(position, item) for position in positions]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise item.wrong("geometry", "rings of four positions or more that end where they begin")
    return ring


def _position(position: object, item: Fields) -> tuple[float, float]:
    pair = position[:2] if isinstance(position, list) else position
    numbers = Fields(f"{item.where}: geometry", {"coordinates": pair}).numbers("coordinates", (2,))
    if numbers is None or abs(numbers[0]) > 180 or abs(numbers[1]) > 90:
        raise item.wrong("geometry", "longitudes from -180 to 180 and latitudes from -90 to 90")
    return numbers[0], numbers[1]


def _mended(outline: Polygon | MultiPolygon, item: Fields) -> Polygon | MultiPolygon:
    if not outline.is_valid:
        parts = shapely.get_parts(shapely.make_valid(outline))
        outline = shapely.union_all([part for part in parts if isinstance(part, Polygon | MultiPolygon)])
    if not isinstance(outline, Polygon | MultiPolygon) or not outline.area > 0:
        raise item.wrong("geometry", "an outline with an area")
    return outline
