"""Labels that Earth Engine computes are means over the valid part of a chip, each map pixel counted by its part inside."""

import math

import numpy as np
import pytest

from fake_earth_engine import FakeEarthEngine, FakeImage
from terrashot.domain.grid import Grid
from terrashot.errors import InputError
from terrashot.ingest.earthengine.labels import EarthEngineLabels, MapLabel
from terrashot.ingest.earthengine.maps import MAPS
from terrashot.raster.place import RasterPlace

CHIP = Grid(32632, 160).chip_at(500_080, 5_000_080)
COVER, BUILT, TREES, WATER = (
    "ESA/WorldCover/v100/2020", "JRC/GHSL/P2023A/GHS_BUILT_S/2020", "MODIS/061/MOD44B/2020_03_05", "JRC/GSW1_4/GlobalSurfaceWater",
)  # fmt: skip


def lattice(pixel_m, n_px, off_m=0.0):
    """In the chip's own zone, from its north-west corner or so far outside of it."""
    west, _, _, north = CHIP.bounds_m
    return RasterPlace("EPSG:32632", (pixel_m, 0.0, west - off_m, 0.0, -pixel_m, north + off_m), n_px, n_px)


def a_map(asset, band, values, pixel_m=10.0, off_m=0.0, **properties):
    return {asset: FakeImage(lattice(pixel_m, len(values), off_m), {band: np.array(values, float)}, properties)}


def read(images, *labels):
    return EarthEngineLabels(FakeEarthEngine(images), labels).read(CHIP.id)


def test_the_share_of_classes_is_that_of_the_valid_pixels():
    values = np.full((16, 16), 10.0)
    values[:4] = 40
    values[4:6] = 80
    values[8:12] = 0  # open sea: no data, not a class
    cropland, water, both = (
        MapLabel(name, "worldcover-v100", 2020, classes)
        for name, classes in (("cropland", (40,)), ("water", (80,)), ("both", (40, 80)))
    )
    found = read(a_map(COVER, "Map", values), cropland, water, both)
    assert found == {
        "cropland": (pytest.approx(4 / 12), 0.75),
        "water": (pytest.approx(2 / 12), 0.75),
        "both": (pytest.approx(0.5), 0.75),
    }


def test_a_pixel_counts_by_its_part_inside_the_chip():
    values = np.zeros((3, 3))
    values[0, 0] = 10_000  # 100 m pixels from 50 m outside: a quarter of the first lies inside
    found = read(
        a_map(BUILT, "built_surface", values, pixel_m=100.0, off_m=50.0), MapLabel("builtup", "ghs-built-s", 2020)
    )
    assert found["builtup"] == (pytest.approx(50 * 50 / 160**2), pytest.approx(1.0))


def test_numbers_that_mean_no_data_count_for_nothing_whatever_the_service_masks():
    values = np.full((16, 16), 60.0)
    values[:4], values[4:8], values[8] = 200, 253, np.nan
    images = a_map(TREES, "Percent_Tree_Cover", values, **{"system:time_start": 1_583_366_400_000})
    assert read(images, MapLabel("vegetation", "mod44b-061", 2020)) == {
        "vegetation": (pytest.approx(0.6), pytest.approx(7 / 16))
    }
    built = np.full((16, 16), 2500.0)
    built[:8] = 65535
    assert read(a_map(BUILT, "built_surface", built), MapLabel("b", "ghs-built-s", 2020)) == {
        "b": (pytest.approx(0.25), 0.5)
    }


def test_where_no_pixel_is_valid_the_label_is_unknown():
    value, valid = read(a_map(COVER, "Map", np.zeros((16, 16))), MapLabel("cropland", "worldcover-v100", 2020, (40,)))[
        "cropland"
    ]
    assert math.isnan(value) and valid == 0


def test_a_map_that_masks_where_it_found_nothing_has_zero_there():
    values = np.full((16, 16), np.nan)
    values[:4] = 50
    assert read(a_map(WATER, "occurrence", values), MapLabel("water", "gsw-1.4", 2020)) == {
        "water": (pytest.approx(0.125), 1.0)
    }


def test_the_year_that_is_asked_for_is_taken():
    years = {}
    for year, percent in ((2019, 10.0), (2020, 20.0), (2021, 30.0)):
        start = {"system:time_start": 1_583_366_400_000 + (year - 2020) * 31_557_600_000}
        years |= a_map(f"MODIS/061/MOD44B/{year}_03_05", "Percent_Tree_Cover", np.full((16, 16), percent), **start)
    for year, share in ((2019, 0.1), (2020, 0.2), (2021, 0.3)):
        assert read(years, MapLabel("v", "mod44b-061", year)) == {"v": (pytest.approx(share), 1.0)}


def test_all_labels_of_a_chip_are_one_question():
    images = {**a_map(COVER, "Map", np.full((16, 16), 40)), **a_map(BUILT, "built_surface", np.full((16, 16), 100))}
    engine = FakeEarthEngine(images)
    labels = (MapLabel("cropland", "worldcover-v100", 2020, (40,)), MapLabel("builtup", "ghs-built-s", 2020))
    source = EarthEngineLabels(engine, labels)
    assert source.read(CHIP.id) == {"cropland": (1.0, 1.0), "builtup": (pytest.approx(0.01), 1.0)}
    assert [kind for kind, _ in engine.asked] == ["value"] and source.targets == ("cropland", "builtup")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"value": 0.5},
        {"value": 7.0, "valid": 1.0},
        {"value": "0", "valid": 1.0},
        {"value": 0.1, "valid": math.inf},
    ],
)
def test_answers_that_are_no_share_are_refused(answer):
    class Odd(FakeEarthEngine):
        def value(self, expression):
            return answer

    with pytest.raises(InputError, match="worldcover-v100"):
        EarthEngineLabels(Odd({}), (MapLabel("c", "worldcover-v100", 2020, (40,)),)).read(CHIP.id)


def test_every_map_of_the_study_file_is_known():
    from terrashot.earthengine_sections import EngineLabelSection

    assert set(EngineLabelSection.model_fields["map"].annotation.__args__) == set(MAPS)
