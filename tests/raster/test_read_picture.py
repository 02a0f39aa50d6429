"""Every kind of image file gives the numbers that were put in, NaN where it says no data, and what it says of them."""

import h5py
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.enums import ColorInterp

from terrashot.errors import InputError, MissingExtraError
from terrashot.raster import geotiff, gunw, png_jpeg
from terrashot.raster.picture import Form
from terrashot.raster.read import read_form, read_picture

COUNTING = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)


def write_tif(path, values, *, tags=None, band_tags=(), **profile):
    count, height, width = values.shape
    after = {
        key: profile.pop(key) for key in ("scales", "offsets", "units", "descriptions", "colorinterp") if key in profile
    }
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=values.dtype, **profile
    ) as file:
        file.write(values)
        for key, value in after.items():
            setattr(file, key, value)
        file.update_tags(**(tags or {}))
        for band, found in enumerate(band_tags, start=1):
            file.update_tags(band, **found)
    return path


def write_gunw(path, values, labels, *, latitude=None, longitude=None, fill=0.0):
    with h5py.File(path, "w") as file:
        group = file.create_group("science/grids/data")
        coherence = group.create_dataset("coherence", data=values.astype(np.float32), compression="gzip")
        if fill is not None:
            coherence.attrs["_FillValue"] = np.float32(fill)
        group.create_dataset("datepair", data=np.array(labels, dtype=h5py.string_dtype()))
        rows, columns = values.shape[1:]
        group.create_dataset("latitude", data=np.linspace(1, 0, rows) if latitude is None else latitude)
        group.create_dataset("longitude", data=np.linspace(0, 1, columns) if longitude is None else longitude)
    return path


def test_a_geotiff_gives_its_bands(tmp_path):
    picture = read_picture(write_tif(tmp_path / "a.tif", COUNTING))
    assert np.array_equal(picture.values, COUNTING)
    assert picture.values.dtype == np.float32
    assert (picture.names, picture.units) == ((None, None), ("dn", "dn"))


def test_a_geotiff_says_names_units_scale_and_dates_by_band(tmp_path):
    path = write_tif(
        tmp_path / "a.tif", COUNTING, scales=(0.5, 1.0), offsets=(-1.0, 0.0), units=("dB", ""), descriptions=("vv", None),
        tags={"FIRST_DATE": "2020-02-17"}, band_tags=({"SECOND_DATE": "20200205"}, {}),
    )  # fmt: skip
    picture = read_picture(path)
    assert (picture.scale, picture.offset) == ((0.5, 1.0), (-1.0, 0.0))
    assert (picture.names, picture.units) == (("vv", None), ("dB", "dn"))
    assert picture.dates == (("2020-02-05", "2020-02-17"), ("2020-02-17", None))
    assert np.array_equal(picture.values, COUNTING), "the numbers stay as stored"


@pytest.mark.parametrize(
    ("dtype", "unit"),
    [
        ("uint8", "dn"),
        ("uint16", "dn"),
        ("int16", None),
        ("int32", None),
        ("uint32", None),
        ("float32", None),
        ("float64", None),
    ],
)
def test_only_small_unsigned_integers_are_a_files_own_numbers(tmp_path, dtype, unit):
    assert read_picture(write_tif(tmp_path / "a.tif", COUNTING.astype(dtype))).units == (unit, unit)
    if dtype != "int32":
        np.save(tmp_path / "a.npy", COUNTING.astype(dtype))
        assert read_picture(tmp_path / "a.npy").units == (unit, unit)


def test_nodata_of_a_geotiff_is_nan(tmp_path):
    values = read_picture(write_tif(tmp_path / "a.tif", COUNTING, nodata=5)).values
    assert np.isnan(values[0, 1, 1]) and np.isnan(values).sum() == 1


def test_the_lowest_float64_as_nodata_is_nan(tmp_path):
    values = COUNTING.astype(np.float64)
    values[0, 0, 0] = np.finfo(np.float64).min
    assert np.isnan(read_picture(write_tif(tmp_path / "a.tif", values)).values).sum() == 1


def test_a_mask_inside_a_geotiff_is_nan(tmp_path):
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", count=2, height=4, width=4, dtype="uint8") as file,
    ):
        file.write(COUNTING)
        mask = np.full((4, 4), 255, np.uint8)
        mask[0, 0] = 0
        file.write_mask(mask)
    values = read_picture(tmp_path / "a.tif").values
    assert np.isnan(values[:, 0, 0]).all() and np.isnan(values).sum() == 2


def test_an_alpha_band_is_a_mask_and_no_channel(tmp_path):
    values = np.stack([*COUNTING, np.full((4, 4), 255, np.uint8)])
    values[2, 3, 3] = 0
    colours = (ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha)
    path = write_tif(tmp_path / "a.tif", values, colorinterp=colours)
    assert read_form(path) == Form(2, 4, 4)
    found = read_picture(path).values
    assert found.shape == (2, 4, 4) and np.isnan(found[:, 3, 3]).all() and np.isnan(found).sum() == 2


def test_a_file_beside_a_geotiff_changes_nothing(tmp_path):
    path = write_tif(tmp_path / "a.tif", COUNTING)
    (tmp_path / "a.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>5</NoDataValue></PAMRasterBand></PAMDataset>'
    )
    assert not np.isnan(read_picture(path).values).any()


@pytest.mark.parametrize(("mode", "count"), [("L", 1), ("RGB", 3)])
def test_a_png_gives_its_planes(tmp_path, mode, count):
    pixels = np.random.default_rng(0).integers(0, 255, (4, 4, count), dtype=np.uint8)
    Image.fromarray(pixels.squeeze(), mode).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.values, pixels.transpose(2, 0, 1))
    assert picture.units == ("dn",) * count
    assert read_form(tmp_path / "a.png") == Form(count, 4, 4)


def test_a_grey_png_of_16_bit_keeps_all_of_them(tmp_path):
    pixels = np.array([[0, 1], [40_000, 65_535]], np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.values[0], pixels) and picture.units == ("dn",)


def test_transparent_pixels_of_a_png_are_nan(tmp_path):
    pixels = np.full((2, 2, 4), 200, np.uint8)
    pixels[0, 1, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    Image.fromarray(np.array([[7, 8], [9, 7]], np.uint8)).save(tmp_path / "key.png", transparency=7)
    alpha, key = (read_picture(tmp_path / name).values for name in ("alpha.png", "key.png"))
    assert alpha.shape == (3, 2, 2) and np.isnan(alpha[:, 0, 1]).all() and np.isnan(alpha).sum() == 3
    assert np.array_equal(np.isnan(key[0]), [[True, False], [False, True]])


def test_a_jpeg_gives_red_green_blue(tmp_path):
    Image.new("RGB", (8, 8), (10, 100, 200)).save(tmp_path / "a.JPG", quality=95)
    values = read_picture(tmp_path / "a.JPG").values
    assert np.abs(values.mean(axis=(1, 2)) - [10, 100, 200]).max() < 3


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4), (6, 4, 4)])
def test_a_npy_has_two_or_three_axes(tmp_path, shape):
    stored = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    np.save(tmp_path / "a.npy", np.asfortranarray(stored))
    assert np.array_equal(read_picture(tmp_path / "a.npy").values, stored.reshape(-1, 4, 4))


def test_infinity_is_no_data(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[np.inf, 1], [-np.inf, np.nan]]))
    assert np.isnan(read_picture(tmp_path / "a.npy").values).sum() == 3


def test_coherence_pairs_carry_their_dates_and_lose_their_fill(tmp_path):
    values = np.full((2, 3, 5), 0.5)
    values[0, 0, 0] = 0
    path = write_gunw(tmp_path / "a.nc", values, ["20200217_20200205", "20200324_20200217"])
    picture = read_picture(path)
    assert picture.names == ("20200217_20200205", "20200324_20200217")
    assert picture.dates == (("2020-02-05", "2020-02-17"), ("2020-02-17", "2020-03-24"))
    assert picture.units == ("coherence", "coherence")
    assert picture.fills_chip and picture.values.shape == (2, 3, 5)
    assert np.isnan(picture.values).sum() == 1 and read_form(path) == Form(2, 3, 5)


def test_coherence_comes_north_up_and_west_first(tmp_path):
    values = np.linspace(0.1, 0.9, 6).reshape(1, 2, 3)
    upright = read_picture(write_gunw(tmp_path / "a.nc", values, ["20200217_20200205"])).values
    turned = write_gunw(
        tmp_path / "b.nc", values[:, ::-1, ::-1], ["20200217_20200205"], latitude=[0.0, 1.0], longitude=[1.0, 0.5, 0.0]
    )
    assert np.array_equal(read_picture(turned).values, upright)


def test_coherence_masks_zero_even_where_the_file_forgot_to_say(tmp_path):
    values = np.array([[[0.0, 0.5]]])
    found = read_picture(write_gunw(tmp_path / "a.nc", values, ["20200217_20200205"], fill=None)).values
    assert np.isnan(found[0, 0, 0]) and found[0, 0, 1] == 0.5


def test_a_chip_without_a_date_pair_is_read(tmp_path):
    path = write_gunw(tmp_path / "a.nc", np.empty((0, 3, 3)), [])
    assert read_picture(path).values.shape == (0, 3, 3)


@pytest.mark.parametrize("label", ["20200217", "20200217_2020", "20201317_20200205", "first"])
def test_a_pair_label_that_is_no_pair_of_dates_has_none(tmp_path, label):
    picture = read_picture(write_gunw(tmp_path / "a.nc", np.full((1, 2, 2), 0.5), [label]))
    assert (picture.names, picture.dates) == ((label,), ((None, None),))


@pytest.mark.parametrize(
    ("module", "library", "name", "extra"),
    [
        (geotiff, "rasterio", "a.tif", "raster"),
        (png_jpeg, "pillow", "a.png", "raster"),
        (gunw, "h5py", "a.nc", "netcdf"),
    ],
)
def test_a_missing_library_is_named_with_its_pip_line(monkeypatch, tmp_path, module, library, name, extra):
    (tmp_path / name).write_bytes(b"anything")
    monkeypatch.setattr(module, library, None)
    for read in (read_picture, read_form):
        with pytest.raises(MissingExtraError, match=rf'pip install "terrashot\[{extra}\]"'):
            read(tmp_path / name)


def test_an_unknown_ending_names_the_known_ones(tmp_path):
    with pytest.raises(InputError, match=r"kinds are \.tif, \.tiff, \.png"):
        read_picture(tmp_path / "a.jp2")
