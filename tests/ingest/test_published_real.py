"""Real samples through the layout of the authors and `terrashot import` back: what comes out beside the samples themselves.

Skipped where the sample data is absent.
"""

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyproj
import pytest

pytest.importorskip("rasterio")
import rasterio

from published_layout import bounds_of, chip_id, gunw_cells
from published_real import SPAIN, built_up, cells_of, of_chip, pairs_of_mexico, spain, write_real
from terrashot.ingest.folder import open_chip_folder
from terrashot.steps.import_chips import ChipImport, choices_of, import_chip_folder
from terrashot.steps.progress import finish

CHIPS = (18, 27, 45)
STEP = 0.3 / 255
"""Of reflectance in a byte."""


@pytest.fixture(scope="module")
def imported(shared_data, made_once):
    """The folder of an import in degrees."""

    def fill(folder: Path) -> None:
        write_real(folder / "published", shared_data, CHIPS)
        choices = choices_of("2018-01", 48, "mixed", "together", "degrees")
        request = ChipImport("geetiles", folder / "published", folder / "degrees", choices, workers=1)
        finish(import_chip_folder(request))
        finish(import_chip_folder(replace(request, out=folder / "utm", choices=replace(choices, lattice="utm"))))

    return made_once("published_real", fill)


@pytest.fixture
def image(imported):
    @cache
    def source_of(lattice, modality):
        return next(one for one in open_chip_folder(imported / lattice).sources if one.modality == modality)

    return lambda modality, number, lattice="degrees": source_of(lattice, modality).read(chip_id(number, SPAIN))


def test_radar_is_the_real_decibels_without_their_fractions_and_zeros_of_both_bands_are_no_data(shared_data, image):
    for number in CHIPS:
        real = of_chip(spain(shared_data)["db"], number)
        wanted = np.trunc(real)
        wanted[:, (wanted == 0).all(axis=0)] = np.nan
        wanted[1, wanted[1] == 0] = np.nan
        found = image("s1grdm", number)
        assert [channel.name for channel in found.channels] == ["2018-01_vv", "2018-01_vh"]
        np.testing.assert_array_equal(found.values, wanted)


def test_reflectance_is_the_real_one_within_a_step_of_a_byte_up_to_three_tenths(shared_data, image):
    for number in CHIPS:
        real = of_chip(spain(shared_data)["rgb"], number)
        found = image("s2rgbm", number).values
        assert np.abs(found - np.minimum(real, 0.3)).max() < 1.001 * STEP and (real >= 0.3).any() <= (
            found.max() > 0.3 - STEP
        )


def test_coherence_is_what_bilinear_sums_by_hand_give_between_the_real_cells(shared_data, image):
    stack = pairs_of_mexico(shared_data)
    for number in CHIPS:
        found = image("gunw", number)
        assert [channel.name for channel in found.channels] == ["20180130_20180106"]
        (lat, lon), (west, south, east, north) = gunw_cells(number, SPAIN), bounds_of(number, SPAIN)
        cells = stack["20180130_20180106"][cells_of(number)]
        cells = np.where(cells == 0, np.nan, cells)
        side = found.values.shape[-1]
        x = (west + (np.arange(side) + 0.5) / side * (east - west)) * 1200 - lon[0]
        y = lat[0] - (north - (np.arange(side) + 0.5) / side * (north - south)) * 1200
        wanted = _bilinear(cells, *np.meshgrid(y, x, indexing="ij"))
        inside = np.isfinite(wanted)
        assert inside.sum() >= 12 and np.abs(found.values[0] - wanted)[inside].max() < 0.002


def test_labels_are_the_shares_of_the_real_maps(shared_data, imported):
    with (imported / "degrees" / "labels.csv").open() as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(CHIPS)
    water, built = spain(shared_data)["water"], built_up(shared_data)
    for number in CHIPS:
        row, told = rows[chip_id(number, SPAIN)], of_chip(water, number)
        assert float(row["water"]) == pytest.approx((told == 1).sum() / (told >= 0).sum())
        assert float(row["builtup"]) == pytest.approx(of_chip(built, number).mean() / 10_000)


def test_on_the_lattice_of_metres_real_radar_lies_where_pyproj_puts_it(imported, image):
    to_degrees = pyproj.Transformer.from_crs("EPSG:32630", "EPSG:4326", always_xy=True)
    for number in CHIPS:
        west, south, east, north = bounds_of(number, SPAIN)
        with rasterio.open(imported / "utm" / "s1grdm" / f"{chip_id(number, SPAIN)}.tif") as file:
            assert file.crs.to_epsg() == 32630 and file.res == (10.0, 10.0)
            rows, cols = np.indices(file.shape) + 0.5
            lon, lat = to_degrees.transform(file.bounds.left + 10 * cols, file.bounds.top - 10 * rows)
        degrees, metres = (image("s1grdm", number, lattice).values[0] for lattice in ("degrees", "utm"))
        row, col = np.floor((north - lat) / (north - south) * 64), np.floor((lon - west) / (east - west) * 64)
        inside = (row >= 0) & (row < 64) & (col >= 0) & (col < 64)
        assert (
            inside.mean() > 0.7 and np.isfinite(metres[inside]).mean() > 0.95 and np.isnan(metres[~inside]).mean() > 0.8
        )
        nearest = degrees[row[inside].astype(int), col[inside].astype(int)]
        likeness = {step: _likeness(nearest, np.roll(metres, step, axis=(0, 1))[inside]) for step in (-1, 0, 1)}
        assert likeness[0] > 0.95 and max(likeness, key=likeness.__getitem__) == 0


def _likeness(one, other):
    both = np.isfinite(one) & np.isfinite(other)
    return np.corrcoef(one[both], other[both])[0, 1]


def _bilinear(cells, v, u):
    """Between the cells' middles, counted from the first; NaN beyond them, or beside a cell without a value."""
    row, col = np.floor(v).astype(int), np.floor(u).astype(int)
    v, u = v - row, u - col
    padded = np.pad(cells, 1, constant_values=np.nan)
    row, col = row + 1, col + 1
    return sum(
        weight * padded[row + down, col + right]
        for down, right, weight in ((0, 0, (1 - u) * (1 - v)), (0, 1, u * (1 - v)), (1, 0, (1 - u) * v), (1, 1, u * v))
    )
