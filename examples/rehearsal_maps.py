"""Reference maps of the rehearsal's simulated ground, as the makers of WorldCover and GHS-BUILT-S publish theirs.

Their names, lattices and numbers are those of the makers. Both show the very ground that the scenes show, without the errors that real
maps have. Tiles of WorldCover have their full 36,000 px a side, of which the blocks around the area alone are written.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.transform import Affine
from rehearsal_ground import EAST_EPSG, EDGE_LON_DEG, PIXEL_M, WEST_EPSG, Place, Plan, zone_chips

from terrashot.domain.degree_tiles import corner_name
from terrashot.domain.grid import to_metres
from terrashot.domain.reference_maps import PRODUCTS
from terrashot.ingest.world.covers import BARE, BUILT, CROP, GRASS, TREE, WATER
from terrashot.ingest.world.land import make_land

CLASS_OF = {TREE: 10, GRASS: 30, CROP: 40, BUILT: 50, BARE: 60, WATER: 80}
LAND_COVER = "worldcover-2020"
BUILT_PATH = "ghsl/GHS_BUILT_S_E2020_GLOBE_R2023A_54009_100_V1_0_SIMULATED.tif"
MOLLWEIDE, CELL_M, CELL_PX = "ESRI:54009", 100.0, 10
"""Built-up surface is counted at ten by ten places of each cell."""
BUILT_NODATA = 65535
BLOCK_PX = 1024


@dataclass(frozen=True)
class Covers:
    """What covers the ground of both zones."""

    places: dict[int, Place]
    classes: dict[int, np.ndarray]
    """By zone, the number of the largest cover of each pixel of 10 m."""
    built: dict[int, np.ndarray]
    """By zone, the built-up share of each pixel."""

    def at(self, lon_deg: np.ndarray, lat_deg: np.ndarray, planes: dict[int, np.ndarray], outside: float) -> np.ndarray:
        """What a plane shows at some places, each in its own zone; `outside` where it does not reach."""
        found = np.full(lon_deg.shape, outside)
        for epsg, is_own in ((WEST_EPSG, lon_deg < EDGE_LON_DEG), (EAST_EPSG, lon_deg >= EDGE_LON_DEG)):
            place, (x_m, y_m) = self.places[epsg], to_metres(epsg).transform(lon_deg[is_own], lat_deg[is_own])
            col, row = np.floor((x_m - place.west_m) / PIXEL_M), np.floor((place.north_m - y_m) / PIXEL_M)
            inside = (col >= 0) & (col < place.width_px) & (row >= 0) & (row < place.height_px)
            own = np.full(len(col), outside)
            own[inside] = planes[epsg][row[inside].astype(int), col[inside].astype(int)]
            found[is_own] = own
        return found


def write_maps(plan: Plan, root: Path) -> list[dict[str, object]]:
    """Items of the two tiles of land cover; these, and a map of built-up surface, lie below `root` by their makers' own paths."""
    covers = make_covers(plan)
    tiles = PRODUCTS[LAND_COVER].tiles
    assert tiles is not None
    west, south, east, north = plan.around
    items = []
    for west_deg, south_deg in tiles.over(np.array([west, east]), np.array([south, north])):
        corner = corner_name(west_deg, south_deg)
        path = tiles.path.format(corner=corner)
        upper = west_deg, south_deg + tiles.side_deg
        _write_land_cover(root / path, covers, plan, upper, tiles.side_px / tiles.side_deg)
        items.append(_land_cover_item(path, corner, upper, tiles.side_px))
    _write_built(root / BUILT_PATH, covers, plan)
    return items


def _land_cover_item(path: str, corner: str, upper: tuple[int, int], side_px: int) -> dict[str, object]:
    """As Planetary Computer's `esa-worldcover` has it, after a real item: a year and no moment, the lattice on the asset."""
    west, north = upper
    outline = shapely.box(west, north - 3, west + 3, north)
    asset = {
        "href": f"/{path}", "title": "Land Cover Classes", "roles": ["data"],
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "raster:bands": [{"nodata": 0, "data_type": "uint8", "spatial_resolution": 10}],
        "proj:transform": [3 / side_px, 0.0, west, 0.0, -3 / side_px, north], "proj:shape": [side_px, side_px],
    }  # fmt: skip
    said = {
        "datetime": None, "start_datetime": "2020-01-01T00:00:00Z", "end_datetime": "2020-12-31T23:59:59Z", "proj:epsg": 4326,
        "esa_worldcover:product_version": "1.0.0", "esa_worldcover:product_tile": corner,
        "description": "Simulated for a rehearsal: no map of real land",
    }  # fmt: skip
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": f"ESA_WorldCover_10m_2020_v100_{corner}", "collection": "esa-worldcover",
        "links": [], "geometry": shapely.geometry.mapping(outline), "bbox": list(outline.bounds), "properties": said,
        "assets": {"map": asset},
    }  # fmt: skip


def make_covers(plan: Plan) -> Covers:
    """The ground around the area in both zones."""
    places, classes, built = {}, {}, {}
    for epsg in (WEST_EPSG, EAST_EPSG):
        place, parts = zone_chips(plan, epsg)
        places[epsg], shape = place, (place.height_px, place.width_px)
        classes[epsg], built[epsg] = np.empty(shape), np.empty(shape)
        for chip, part in parts:
            shares = make_land(chip, plan.chip_px, plan.seed).shares.reshape(-1, plan.chip_px, plan.chip_px)
            classes[epsg][part] = np.vectorize(CLASS_OF.get)(shares.argmax(axis=0))
            built[epsg][part] = shares[BUILT]
    return Covers(places, classes, built)


def _write_land_cover(path: Path, covers: Covers, plan: Plan, corner: tuple[int, int], px_a_deg: float) -> None:
    west, north, side_px = corner[0], corner[1], round(3 * px_a_deg)
    box = plan.around
    first_col, last_col = (int(np.clip((lon - west) * px_a_deg, 0, side_px)) for lon in box[::2])
    first_row, last_row = (int(np.clip((north - lat) * px_a_deg, 0, side_px)) for lat in (box[3], box[1]))
    cols, rows = np.arange(first_col, last_col) + 0.5, np.arange(first_row, last_row) + 0.5
    lon_deg, lat_deg = np.meshgrid(west + cols / px_a_deg, north - rows / px_a_deg)
    classes = covers.at(lon_deg, lat_deg, covers.classes, 0).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=side_px, height=side_px, count=1, dtype="uint8", nodata=0, crs="EPSG:4326",
        transform=Affine(1 / px_a_deg, 0, west, 0, -1 / px_a_deg, north), tiled=True, blockxsize=BLOCK_PX, blockysize=BLOCK_PX,
        compress="deflate", sparse_ok=True,
    ) as file:  # fmt: skip
        file.write(classes, 1, window=((first_row, last_row), (first_col, last_col)))


def _write_built(path: Path, covers: Covers, plan: Plan) -> None:
    """Square metres a cell, over all cells that the ground covers."""
    west, south, east, north = plan.around
    to_map = pyproj.Transformer.from_crs("EPSG:4326", MOLLWEIDE, always_xy=True)
    x_m, y_m = to_map.transform(np.array([west, west, east, east]), np.array([south, north, south, north]))
    left, top = np.floor(x_m.min() / CELL_M) * CELL_M, np.ceil(y_m.max() / CELL_M) * CELL_M
    width, height = int(np.ceil((x_m.max() - left) / CELL_M)), int(np.ceil((top - y_m.min()) / CELL_M))
    step_m = CELL_M / CELL_PX
    x_m, y_m = np.meshgrid(
        left + (np.arange(width * CELL_PX) + 0.5) * step_m, top - (np.arange(height * CELL_PX) + 0.5) * step_m
    )
    lon_deg, lat_deg = to_map.transform(x_m, y_m, direction="INVERSE")
    shares = covers.at(lon_deg, lat_deg, covers.built, np.nan)
    cells = shares.reshape(height, CELL_PX, width, CELL_PX).mean(axis=(1, 3)) * CELL_M**2
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype="uint16", nodata=BUILT_NODATA, crs=MOLLWEIDE,
        transform=Affine(CELL_M, 0, left, 0, -CELL_M, top), tiled=True, blockxsize=256, blockysize=256, compress="lzw",
    ) as file:  # fmt: skip
        file.write(np.where(np.isnan(cells), BUILT_NODATA, np.round(np.nan_to_num(cells))).astype(np.uint16), 1)
