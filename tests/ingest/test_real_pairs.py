"""Real coherence in products as the packager lays them out, from the file to chips; skipped where the sample data is absent.

Track, direction and place in the names are made up: the samples do not tell them. What a chip should show is worked out here from
pyproj and bilinear sums, without a reader of ours.
"""

import numpy as np
import pyproj
import pytest

pytest.importorskip("rasterio")
import rasterio
from faults.gunw_files import CELL_DEG, Layout, gunw_name, write_gunw
from faults.own_pairs import SIDE, source_of

from terrashot.domain.grid import Grid, chip_from_id, to_metres
from terrashot.errors import InputError

MOROCCO, MEXICO = (-8.777, 31.797), (-99.13, 19.43)
VERSIONS = {2: "v2_0_4", 3: "v3_0_1"}
LAYOUTS = (Layout(2), Layout(3), Layout(2, south_up=True), Layout(3, south_up=True, has_fill=False))


def name_of(later, earlier, version, at):
    return f"{gunw_name(later, earlier, at, version=VERSIONS[version])}.nc"


def in_cells(path):
    """Means of the raster's pixels in cells of 3 arc-seconds, NaN without any; middles of the first column and row."""
    with rasterio.open(path) as file:
        found, a, c, e, f = file.read(1), file.transform.a, file.transform.c, file.transform.e, file.transform.f
    col = np.round((c + a * (np.arange(found.shape[1]) + 0.5)) / CELL_DEG).astype(int)
    row = np.round((f + e * (np.arange(found.shape[0]) + 0.5)) / CELL_DEG).astype(int)
    place = (row.max() - row)[:, None] * (np.ptp(col) + 1) + (col - col.min())[None]
    weights = [
        np.bincount(place.ravel(), of.ravel(), (np.ptp(row) + 1) * (np.ptp(col) + 1)) for of in (found, found > 0)
    ]
    with np.errstate(invalid="ignore"):
        means = (weights[0] / weights[1]).reshape(np.ptp(row) + 1, np.ptp(col) + 1).astype(np.float32)
    return means, float(col.min() * CELL_DEG), float(row.max() * CELL_DEG)


def chip_over(at):
    epsg = 32600 + int((at[0] + 180) // 6) + 1
    return Grid(epsg, 4480.0).chip_at(*to_metres(epsg).transform(*at))


def bilinear(cells, west_deg, north_deg, chip, moved=(0.0, 0.0)):
    """Of the cells at the middles of a chip's pixels, `moved` by so many cells; NaN beside a cell without a value."""
    west, _, _, north = chip.bounds_m
    step = (np.arange(SIDE) + 0.5) * chip.size_m / SIDE
    to_degrees = pyproj.Transformer.from_crs(f"EPSG:{chip.epsg}", "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(*np.meshgrid(west + step, north - step))
    u, v = (lon - west_deg) / CELL_DEG + moved[0], (north_deg - lat) / CELL_DEG + moved[1]
    col, row = np.floor(u).astype(int), np.floor(v).astype(int)
    u, v = u - col, v - row
    padded = np.pad(cells, 1, constant_values=np.nan)
    row, col = (np.clip(at + 1, 0, side - 2) for at, side in zip((row, col), padded.shape, strict=True))
    return sum(
        weight * padded[row + down, col + right]
        for down, right, weight in ((0, 0, (1 - u) * (1 - v)), (0, 1, u * (1 - v)), (1, 0, (1 - u) * v), (1, 1, u * v))
    )


def off_by(found, cells, west_deg, north_deg, chip):
    """Cells east and south by which the independent values fit what was found best, of halves and quarters around."""
    tried = [(x / 4, y / 4) for x in range(-2, 3) for y in range(-2, 3)]
    return min(tried, key=lambda moved: np.nanmean((found - bilinear(cells, west_deg, north_deg, chip, moved)) ** 2))


@pytest.mark.parametrize(
    "layout", LAYOUTS, ids=lambda layout: f"v{layout.version}{' upward' if layout.south_up else ''}"
)
def test_the_pair_of_morocco_lies_on_a_chip_where_it_lies_on_the_ground(shared_data, tmp_path, layout):
    cells, west, north = in_cells(shared_data / "eotools-s1-coherence-morocco" / "coh_vv.tif")
    (tmp_path / "own").mkdir()
    write_gunw(tmp_path / "own" / name_of("20230916", "20230904", layout.version, MOROCCO), cells, west, north, layout)
    chip = chip_over(MOROCCO)
    imagery = source_of(tmp_path, [chip]).read(chip.id)
    (channel,) = imagery.channels
    assert (channel.name, channel.first_date, channel.second_date) == (
        "20230916_20230904_D014",
        "2023-09-04",
        "2023-09-16",
    )
    found, wanted = imagery.values[0], bilinear(cells, west, north, chip)
    assert np.isfinite(wanted).mean() > 0.75 and np.nanstd(found) > 0.1
    assert np.nanmax(np.abs(found - wanted)) < 0.002
    assert off_by(found, cells, west, north, chip) == (0, 0)


def test_thirty_real_pairs_of_mexico_city_are_thirty_channels_of_their_own_dates(shared_data, tmp_path):
    (tmp_path / "own").mkdir()
    stack, west, north = {}, MEXICO[0] - 50 * CELL_DEG, MEXICO[1] + 30 * CELL_DEG
    for number, path in enumerate(sorted((shared_data / "pyrate-cropA-s1-coherence" / "geotiffs").glob("*_cc.tif"))):
        earlier, later = path.name.split("_")[1].split("-")
        layout = LAYOUTS[number % len(LAYOUTS)]
        with rasterio.open(path) as file:
            cells = np.where(file.read(1) == 0, np.nan, file.read(1))
        stack[f"{later}_{earlier}_D014"] = cells
        write_gunw(tmp_path / "own" / name_of(later, earlier, layout.version, MEXICO), cells, west, north, layout)
    chip = chip_from_id(chip_over(MEXICO).id)
    imagery = source_of(tmp_path, [chip]).read(chip.id)
    assert [channel.name for channel in imagery.channels] == sorted(stack) and len(stack) == 30
    for channel, found in zip(imagery.channels, imagery.values, strict=True):
        wanted = bilinear(stack[channel.name], west, north, chip)
        assert np.isfinite(found[np.isfinite(wanted)]).all()
        assert np.nanmax(np.abs(found - wanted)) < 0.002, channel.name


def test_a_real_product_cut_short_anywhere_or_with_its_cells_masked_to_numbers_is_refused_by_name(
    shared_data, tmp_path
):
    cells, west, north = in_cells(shared_data / "eotools-s1-coherence-morocco" / "coh_vv.tif")
    (tmp_path / "own").mkdir()
    path = write_gunw(tmp_path / "own" / name_of("20230916", "20230904", 3, MOROCCO), cells, west, north, Layout(3))
    whole, chip = path.read_bytes(), chip_over(MOROCCO)
    for share in (0.0, 0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(InputError, match=path.name):
            source_of(tmp_path, [chip])
    write_gunw(path, np.where(np.isfinite(cells), cells, 30.0), west, north, Layout(3))
    with pytest.raises(InputError, match=rf"{path.name}.*holds 30"):
        source_of(tmp_path, [chip])
