"""A user's own GeoTIFFs as scenes: in any coordinate system, dated by name or by list, in the unit that is told."""

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402

from terrashot.domain.grid import Grid  # noqa: E402
from terrashot.durable.files import sha256_of_file  # noqa: E402
from terrashot.errors import InputError  # noqa: E402
from terrashot.ingest.near_files import NearFiles  # noqa: E402
from terrashot.ingest.own_product import OPTICAL_UNITS, RADAR_UNITS  # noqa: E402
from terrashot.ingest.own_scenes import read_own_scenes  # noqa: E402
from terrashot.ingest.scene_file import Listed, SceneFile, write_listed  # noqa: E402
from terrashot.ingest.scene_source import Recipe, SceneSource  # noqa: E402
from terrashot.raster.place import between  # noqa: E402

CHIP = Grid(32633, 320).chip_at(500_000, 5_000_000)
MONTHS = ("2020-01", "2020-02")
RGB = 'bands = ["red", "green", "blue"]\nunit = "reflectance"\nscale = 0.0001\nnodata = 0\n'


def write(path, numbers, *, crs="EPSG:32633", pixel=10.0, side=100, dtype="uint16", offset=(0, 0)):
    """A file of one number a band around the chip; `offset` moves it, in pixels to the east and south."""
    lon, lat = (sum(pair) / 2 for pair in zip(CHIP.bounds_m[:2], CHIP.bounds_m[2:], strict=True))
    x, y = between("EPSG:32633", crs).transform(lon, lat)
    west, north = x + (offset[0] - side / 2) * pixel, y - (offset[1] - side / 2) * pixel
    pixels = np.stack([np.full((side, side), number, dtype) for number in numbers])
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=len(numbers), dtype=dtype, crs=crs,
        transform=Affine(pixel, 0, west, 0, -pixel, north),
    ) as file:  # fmt: skip
        file.write(pixels)
    return path


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scenes"
    made.mkdir()
    (made / "scenes.toml").write_text(RGB)
    return made


def read(folder, kinds=("red", "green", "blue"), units=OPTICAL_UNITS):
    product, items = read_own_scenes(folder, kinds, units)
    path = folder.parent / "own.json"
    write_listed(path, Listed("a question", items))
    scenes = SceneFile(path, sha256_of_file(path))
    source = SceneSource(product.profile("scenes"), Recipe(MONTHS, kinds), scenes, 32, NearFiles(folder))
    return source.read(CHIP.id)


def means(imagery):
    return {
        channel.name: float(np.nanmean(plane)) for channel, plane in zip(imagery.channels, imagery.values, strict=True)
    }


@pytest.mark.parametrize(
    ("crs", "pixel"), [("EPSG:32633", 10), ("EPSG:32632", 7), ("EPSG:4326", 1e-4), ("EPSG:3035", 25)]
)
def test_files_in_any_coordinate_system_come_onto_the_chip_in_the_unit_that_is_told(folder, crs, pixel):
    write(folder / "site_2020-01-31.tif", (1000, 2000, 3000), crs=crs, pixel=pixel)
    found = read(folder)
    assert means(found) == {
        "2020-01_red": pytest.approx(0.1), "2020-01_green": pytest.approx(0.2), "2020-01_blue": pytest.approx(0.3)
    }  # fmt: skip
    assert not np.isnan(found.values).any()


def test_two_files_of_one_day_are_two_pieces_of_one_pass_and_both_count(folder):
    write(folder / "west_20200131.tif", (1000, 1000, 1000), offset=(-50, 0))
    write(folder / "east_20200131.tif", (3000, 3000, 3000), offset=(50, 0))
    found = read(folder)
    assert not np.isnan(found.values).any()
    assert sorted(np.unique(np.round(found.values, 4)).tolist()) == pytest.approx([0.1, 0.3])
    assert found.n_acquisitions == (1, 1, 1)


def test_a_band_called_scl_hides_clouds_and_is_no_channel(folder):
    (folder / "scenes.toml").write_text(RGB.replace('"blue"', '"blue", "scl"'))
    write(folder / "clear_20200105.tif", (1000, 1000, 1000, 4))
    write(folder / "cloud_20200110.tif", (9000, 9000, 9000, 9))
    write(folder / "cloud_20200210.tif", (9000, 9000, 9000, 9))
    found = read(folder)
    assert list(means(found).values()) == pytest.approx([0.1] * 3)
    assert {row.reason for row in found.absences} == {"all clouded"}


def test_a_list_tells_times_where_names_do_not_and_a_day_belongs_to_its_month_in_utc(folder):
    write(folder / "a.tif", (1000, 1000, 1000))
    write(folder / "b.tif", (2000, 2000, 2000))
    (folder / "scenes.csv").write_text("file,time\na.tif,2020-01-31T23:30:00-02:00\nb.tif,2020-01-31\n")
    assert means(read(folder)) == {
        f"{month}_{band}": pytest.approx(mean)
        for month, mean in (("2020-01", 0.2), ("2020-02", 0.1))
        for band in ("red", "green", "blue")
    }


@pytest.mark.parametrize(
    ("unit", "stored", "decibels"), [("power", 0.1, -10.0), ("amplitude", 0.1, -20.0), ("dB", -12.0, -12.0)]
)
def test_radar_is_averaged_in_power_whatever_unit_it_is_stored_in(folder, unit, stored, decibels):
    (folder / "scenes.toml").write_text(f'bands = ["vv"]\nunit = "{unit}"\n')
    write(folder / "r_20200131.tif", (stored,), dtype="float32")
    assert means(read(folder, ("vv",), RADAR_UNITS)) == {"2020-01_vv": pytest.approx(decibels, abs=1e-4)}


BAD = {
    "no scenes.toml": (lambda f: (f / "scenes.toml").unlink(), "scenes.toml: not there"),
    "no TOML": (lambda f: (f / "scenes.toml").write_text("bands = ["), "cannot be read as TOML"),
    "unknown key": (lambda f: (f / "scenes.toml").write_text(RGB + "scal = 1\n"), "unknown key 'scal'; did you mean 'scale'"),
    "unknown unit": (lambda f: (f / "scenes.toml").write_text(RGB.replace("reflectance", "dn")), "unit must be one of reflectance"),
    "a band twice": (lambda f: (f / "scenes.toml").write_text(RGB.replace("green", "red")), "each name once"),
    "two masks": (lambda f: (f / "scenes.toml").write_text(RGB.replace('"blue"', '"scl", "qa60"')), "one mask at most"),
    "a band that is wanted and absent": (lambda f: (f / "scenes.toml").write_text(RGB.replace("green", "gren")), "no band 'green'"),
    "no number": (lambda f: (f / "scenes.toml").write_text(RGB.replace("0.0001", '"x"')), "scale must be a finite number"),
    "scale 0": (lambda f: (f / "scenes.toml").write_text(RGB.replace("0.0001", "0")), "not 0"),
    "no GeoTIFF": (lambda f: (f / "a_20200131.tif").unlink(), "no GeoTIFF in it"),
    "no date": (lambda f: (f / "a_20200131.tif").rename(f / "a.tif"), "no date in its name"),
    "two dates": (lambda f: (f / "a_20200131.tif").rename(f / "20200131_20200201.tif"), "several dates"),
    "no day": (lambda f: (f / "a_20200131.tif").rename(f / "a_20200230.tif"), "no day of the calendar"),
    "another number of bands": (lambda f: write(f / "a_20200131.tif", (1, 2)), "2 bands, where scenes.toml names 3"),
    "no picture": (lambda f: (f / "a_20200131.tif").write_bytes(b"no picture"), "a_20200131.tif"),
    "a file that leads out": (lambda f: ((f.parent / "b.tif").write_bytes((f / "a_20200131.tif").read_bytes()), (f / "a_20200131.tif").unlink(), (f / "a_20200131.tif").symlink_to(f.parent / "b.tif")), "leads out"),
    "a list without times": (lambda f: (f / "scenes.csv").write_text("file\na_20200131.tif\n"), "columns must be file, time"),
    "a list of what is not there": (lambda f: (f / "scenes.csv").write_text("file,time\nb.tif,2020-01-31\n"), "line 2.*no file 'b.tif'"),
    "a time that is none": (lambda f: (f / "scenes.csv").write_text("file,time\na_20200131.tif,soon\n"), "'soon' is no time"),
    "an orbit that is none": (lambda f: (f / "scenes.csv").write_text("file,time,orbit\na_20200131.tif,2020-01-31,left\n"), "neither ascending nor"),
    "a file twice": (lambda f: (f / "scenes.csv").write_text("file,time\na_20200131.tif,2020-01-31\na_20200131.tif,2020-01-31\n"), "line 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named_with_its_file(folder, name):
    write(folder / "a_20200131.tif", (1000, 2000, 3000))
    spoil, said = BAD[name]
    spoil(folder)
    with pytest.raises(InputError, match=said):
        read(folder)
