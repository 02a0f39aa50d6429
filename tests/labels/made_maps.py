"""Small maps written as GeoTIFFs, and chips over them; what a map says of a chip, the slow way."""

from pathlib import Path

import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.transform import Affine

from terrashot.domain.cells import Cells
from terrashot.domain.grid import Grid, to_metres, utm_zone
from terrashot.ingest.near_files import NearFiles
from terrashot.labels.chip_outlines import outlines_deg
from terrashot.labels.from_maps import ReferenceMap, shares_of
from terrashot.labels.map_tiles import MapTile
from terrashot.labels.map_values import Taken
from terrashot.steps.map_tiles import plane_at
from terrashot.steps.progress import finish

NEAR = NearFiles(Path("/"))


def cells_around(lon_deg, lat_deg, side, size_m, *, zones_east=0):
    """Chips in rows and columns; in a neighbouring zone where that is asked for."""
    epsg = int(utm_zone(np.array([lon_deg]), np.array([lat_deg]))[0])
    epsg = epsg // 100 * 100 + (epsg % 100 - 1 + zones_east) % 60 + 1
    first = Grid(epsg, size_m).chip_at(*to_metres(epsg).transform(lon_deg, lat_deg))
    row, col = np.mgrid[:side, :side].reshape(2, -1)
    return Cells(size_m, np.full(side**2, epsg), first.row + row, first.col + col)


def write_map(path, pixels, affine, crs, nodata=None, **how):
    """A GeoTIFF of one band."""
    height, width = pixels.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype=pixels.dtype, crs=crs,
        transform=Affine(*affine), nodata=nodata, **how,
    ) as file:  # fmt: skip
        file.write(pixels, 1)
    return path


def tile_at(path):
    plane = plane_at(str(path))
    with NEAR(plane) as asset:
        return MapTile(Path(path).name, plane, asset.header().place)


def read_off(paths, ground, taken, *, band=1, workers=1):
    """What the map of these tiles says of the chips."""
    tiles = tuple(sorted(map(tile_at, paths), key=lambda tile: tile.name))
    return finish(shares_of(ReferenceMap("made", tiles, NEAR, band, taken), ground, workers=workers, is_far=False))


def slowly(path, ground, valid_and_value):
    """Valid share and mean of each chip: every cell around it cut with shapely, one after the other.

    Args:
        valid_and_value: of an array of stored numbers.
    """
    with rasterio.open(path) as file:
        return np.array([_slowly(file, ring, valid_and_value) for ring in rings_deg(ground)])


def rings_deg(ground):
    shapes = outlines_deg(ground)
    return np.split(shapes.vertices, shapes.ring_starts[1:-1])


def _slowly(file, ring, valid_and_value):
    to_map = pyproj.Transformer.from_crs("EPSG:4326", file.crs.to_wkt(), always_xy=True)
    inverse = ~file.transform
    polygon = shapely.Polygon(np.column_stack(to_map.transform(*ring.T)))
    a, b, c, d, e, f = inverse[:6]
    x, y = np.array(polygon.exterior.xy)
    cols, rows = a * x + b * y + c, d * x + e * y + f
    polygon = shapely.Polygon(np.column_stack([cols, rows]))
    west, north, east, south = (int(edge) for edge in (cols.min() - 1, rows.min() - 1, cols.max() + 2, rows.max() + 2))
    window = ((max(north, 0), min(south, file.height)), (max(west, 0), min(east, file.width)))
    if window[0][0] >= window[0][1] or window[1][0] >= window[1][1]:
        return 0.0, np.nan
    pixels = file.read(1, window=window)
    row, col = np.indices(pixels.shape).reshape(2, -1) + np.array([[window[0][0]], [window[1][0]]])
    areas = shapely.area(shapely.intersection(shapely.box(col, row, col + 1, row + 1), polygon)) / polygon.area
    is_valid, value = valid_and_value(pixels.ravel())
    weight = np.where(is_valid, areas, 0)
    return weight.sum(), (weight * np.where(is_valid, value, 0)).sum() / weight.sum() if weight.sum() else np.nan


def taken_of(*classes, **what):
    return Taken(tuple(classes), **what)
