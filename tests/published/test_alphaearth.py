"""AlphaEarth's files: every byte by the published formula, and what is not theirs is refused by name."""

import math

import numpy as np
import pytest
import rasterio
from published_files import BANDS, stored_bytes, write_alphaearth, write_tiff

from terrashot.errors import InputError, IntegrityError
from terrashot.published.alphaearth import dequantise, find_tiles
from terrashot.raster.windows import TiffShelf


def first_tile(source):
    with TiffShelf() as shelf:
        tiles, model = find_tiles(source, shelf)
        rows, cols = (part.ravel() for part in np.indices((tiles[0].place.height_px, tiles[0].place.width_px)))
        return tiles[0].vectors(rows, cols), model


def test_every_byte_stands_for_what_the_published_formula_says():
    stored = np.arange(-128, 128, dtype=np.int8).reshape(4, 64)
    expected = [
        math.nan if s == -128 else (s / 127.5) ** 2 * (s > 0) - (s / 127.5) ** 2 * (s < 0) for s in range(-128, 128)
    ]
    np.testing.assert_array_equal(dequantise(stored), np.array(expected, np.float32).reshape(4, 64))


def test_a_published_file_gives_vectors_of_length_one_and_nothing_where_it_is_masked(tmp_path):
    stored = write_alphaearth(tmp_path / "x-0000000000-0000008192.tiff", 20)
    vectors, model = first_tile(tmp_path)
    masked = (stored[:, ::-1] == -128).any(axis=0).ravel()  # the file's first row is the southernmost
    assert np.isnan(vectors[masked]).all() and masked.any()
    np.testing.assert_allclose(np.linalg.norm(vectors[~masked], axis=1), 1, atol=0.03)
    assert model == "alphaearth"


@pytest.mark.parametrize("absent", [0.0, np.nan, -9999.0])
def test_an_export_of_floating_point_numbers_is_taken_as_it_is(tmp_path, absent):
    values = np.moveaxis(dequantise(np.ascontiguousarray(np.moveaxis(stored_bytes(20), 0, -1).reshape(-1, 64))), -1, 0)
    pixels = np.where(np.isnan(values), absent, values).reshape(64, 20, 20).astype(np.float64)
    write_tiff(tmp_path / "export.tif", pixels, nodata=-9999.0 if absent == -9999 else None)
    np.testing.assert_array_equal(first_tile(tmp_path)[0], values.T)


def test_bands_are_found_by_their_names_among_others(tmp_path):
    stored = stored_bytes(16)
    mixed = np.concatenate([np.zeros((1, 16, 16), np.int8), stored[::-1]])
    write_tiff(tmp_path / "mixed.tif", mixed, names=["year", *BANDS[::-1]], nodata=-128)
    write_tiff(tmp_path / "plain.tif", stored, nodata=-128)
    np.testing.assert_array_equal(first_tile(tmp_path / "mixed.tif")[0], first_tile(tmp_path / "plain.tif")[0])


def test_a_version_that_a_file_tells_becomes_the_model_and_two_are_refused(tmp_path):
    write_alphaearth(tmp_path / "a.tif", 16, tags={"MODEL_VERSION": "2.1"})
    assert first_tile(tmp_path)[1] == "alphaearth/2.1"
    write_alphaearth(tmp_path / "b.tif", 16, tags={"MODEL_VERSION": "1.0"})
    with pytest.raises(IntegrityError, match=r"a\.tif is of '2\.1', .*b\.tif of '1\.0'.*import each alone"):
        first_tile(tmp_path)


def missing_band(path):
    write_tiff(path, stored_bytes(16)[1:], names=BANDS[1:])


def unnamed(path):
    write_tiff(path, stored_bytes(16)[:63], names=None)


def unsigned(path):
    write_tiff(path, stored_bytes(16).view(np.uint8))


def no_crs(path):
    write_tiff(path, stored_bytes(16), crs=None)


def no_georeference(path):
    write_tiff(path, stored_bytes(16), transform=None)


def local_crs(path):
    write_tiff(path, stored_bytes(16), crs='LOCAL_CS["mine",UNIT["metre",1]]')


def cut_short(path):
    write_alphaearth(path, 64)
    path.write_bytes(path.read_bytes()[:-20_000])


def not_a_tiff(path):
    path.write_bytes(b"II*\x00 and no more")


def linear(path):
    write_tiff(path, stored_bytes(16).astype(np.float32) / 127)


def raw_as_float(path):
    write_tiff(path, stored_bytes(16).astype(np.float32), nodata=-128)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (missing_band, "1 of the bands A00 to A63 are missing, the first A00"),
        (unnamed, "63 bands without names; AlphaEarth has 64"),
        (unsigned, "uint8; the published bytes are int8"),
        (no_crs, "no coordinate system"),
        (no_georeference, "no georeference"),
        (local_crs, "no place on the globe"),
        (cut_short, "cannot be read as GeoTIFF"),
        (not_a_tiff, "cannot be read as GeoTIFF"),
        (linear, "its vectors are 2."),
        (raw_as_float, "AlphaEarth's are 1"),
    ],
)
def test_what_is_not_a_file_of_theirs_is_refused_by_name(tmp_path, write, message):
    path = tmp_path / "bad.tif"
    write(path)
    with pytest.raises(InputError) as error:
        first_tile(tmp_path)
    assert str(error.value).startswith(f"{path}: ") and message in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"), [("empty", "no file of the kinds"), ("a.vrt", "no file of the kinds"), ("none", "no such")]
)
def test_where_there_is_no_raster_that_is_said(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.vrt").write_text("<VRTDataset/>")
    with pytest.raises(InputError, match=message):
        first_tile(tmp_path / name)


def test_a_header_that_claims_the_earth_is_refused_before_a_pixel_is_held(tmp_path):
    with rasterio.open(tmp_path / "huge.tif", "w", driver="GTiff", dtype="int8", count=1, width=1 << 19, height=16,
                       crs="EPSG:32632", SPARSE_OK=True, tiled=True) as _:  # fmt: skip
        pass
    with pytest.raises(InputError, match="claims 1 bands of 524288 x 16 px"):
        first_tile(tmp_path / "huge.tif")
