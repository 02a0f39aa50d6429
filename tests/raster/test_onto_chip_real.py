"""A real Sentinel-2 tile and its scene classification onto chips, beside bilinear sums written out in numpy."""

import numpy as np
import pyproj
import pytest

from terrashot.domain.grid import Grid
from terrashot.ingest.clear_sky import clear_by_scl
from terrashot.ingest.hidden import hide

pytest.importorskip("rasterio", reason="the tile is a GeoTIFF")

from terrashot.raster.onto_chip import chip_place, nearest_onto, onto
from terrashot.raster.window_needed import part_of, window_needed
from terrashot.raster.windows import TiffShelf, read_tiff_header

SIDE = 40


@pytest.fixture
def tile(shared_data):
    """Reads a band: its lattice, and the pixels of a window as float32 with NaN where the tile has none."""
    folder = shared_data / "earthsearch-v1-s2-29RKH"

    def read(band, rows=None, cols=None):
        place = read_tiff_header(folder / f"{band}.tif").place
        rows, cols = rows or slice(0, place.height_px), cols or slice(0, place.width_px)
        with TiffShelf() as shelf:
            found = shelf.read(folder / f"{band}.tif", rows, cols, (1,))
        return part_of(place, rows, cols), found

    return read


def as_dn(stored):
    return np.where(stored == 0, np.nan, stored).astype(np.float32)


def bilinear(values, place, target):
    """The two by two pixels around each of the target's middles, weighted by hand."""
    rows, cols = np.indices((target.height_px, target.width_px)) + 0.5
    a, _, c, _, e, f = target.affine
    x, y = pyproj.Transformer.from_crs(target.crs, place.crs, always_xy=True).transform(a * cols + c, e * rows + f)
    a, _, c, _, e, f = place.affine
    u, v = (x - c) / a - 0.5, (y - f) / e - 0.5
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    u, v = u - left, v - top
    return sum(
        weight * values[top + down, left + right]
        for down, right, weight in ((0, 0, (1 - u) * (1 - v)), (0, 1, u * (1 - v)), (1, 0, (1 - u) * v), (1, 1, u * v))
    )


@pytest.mark.parametrize(("epsg", "lon"), [(32629, -11.5), (32628, -11.6), (32629, -11.2)])
def test_a_real_band_is_what_bilinear_sums_by_hand_give_in_its_own_zone_and_the_next(tile, epsg, lon):
    x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, 24.8)
    chip = chip_place(Grid(epsg, 4000.0).chip_at(x, y), SIDE)
    place, _ = tile("B04")
    rows, cols = window_needed(place, chip)
    part, stored = tile("B04", rows, cols)
    found = onto(as_dn(stored), part, chip)[0]
    whole_place, whole = tile("B04")
    expected = bilinear(as_dn(whole)[0].astype(np.float64), whole_place, chip)
    assert stored.size < (SIDE + 12) ** 2 * 1.6, "only the window is read"
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_real_clouds_are_taken_away_under_the_bands_own_pixels_before_anything_is_averaged(tile):
    bands, stored = tile("B04")
    classes, scl = tile("SCL")
    under = nearest_onto(scl[0], classes, bands, outside=0)
    np.testing.assert_array_equal(under, np.repeat(np.repeat(scl[0], 2, 0), 2, 1)[: bands.height_px, : bands.width_px])
    clear = clear_by_scl(under)
    assert 0 < clear.mean() < 1
    x, y = bands.affine[2] + 30_000, bands.affine[5] - 30_000
    chip = chip_place(Grid(32629, 24_000.0).chip_at(x, y), SIDE)
    found = onto(hide(as_dn(stored), clear), bands, chip)[0]
    share = onto((clear & (stored[0] != 0)).astype(np.float32)[None], bands, chip)[0]
    np.testing.assert_array_equal(np.isnan(found)[abs(share - 0.5) > 1e-3], (share < 0.5)[abs(share - 0.5) > 1e-3])
