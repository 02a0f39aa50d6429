"""TESSERA's tiles: bytes times scales where there is land, placed by the landmask."""

import json

import numpy as np
import pytest
from published_files import NORTH, WEST, write_tessera, write_tiff

from terrashot.errors import InputError, IntegrityError
from terrashot.published.tessera import find_tiles
from terrashot.raster.windows import TiffShelf

NAME = "grid_9.05_45.15"


def tiles_of(source):
    with TiffShelf() as shelf:
        tiles, model = find_tiles(source, shelf)
        shown = []
        for tile in tiles:
            rows, cols = (part.ravel() for part in np.indices((tile.place.height_px, tile.place.width_px)))
            shown.append(tile.vectors(rows, cols).reshape(tile.place.height_px, tile.place.width_px, -1))
        return tiles, shown, model


def stored(folder, ending=""):
    return folder / "global_0.1_degree_representation" / "2024" / NAME / f"{NAME}{ending}.npy"


def test_a_published_tile_is_bytes_times_scales_where_there_is_land(tmp_path):
    expected = write_tessera(tmp_path)
    (tile,), (shown,), model = tiles_of(tmp_path)
    np.testing.assert_allclose(shown, expected, rtol=1e-6)
    assert np.isnan(expected[:6, :9]).all() and np.isnan(expected[-3:, :7]).all() and np.isfinite(expected[10:40]).all()
    assert tile.place.bounds == (WEST, NORTH - 640, WEST + 480, NORTH) and model == "tessera"


def test_scales_may_be_one_a_number(tmp_path):
    write_tessera(tmp_path)
    scales, small = np.load(stored(tmp_path, "_scales")), np.load(stored(tmp_path))
    full = np.broadcast_to(scales[..., None], small.shape) * np.arange(1, 9, dtype=np.float32)
    expected = tiles_of(tmp_path)[1][0] * np.arange(1, 9)
    np.save(stored(tmp_path, "_scales"), full)
    np.testing.assert_allclose(tiles_of(tmp_path)[1][0], expected, rtol=1e-6)


def write_export(path, dims=8, tags=None, names=None, **how):
    values = np.random.default_rng(0).normal(size=(dims, 20, 20)).astype(np.float32)
    values[:, :2], values[:, 2:4, :3] = 0, np.nan
    names = [f"Tessera_Band_{i}" for i in range(dims)] if names is None else names
    write_tiff(path, values, names=names, tags=tags, **how)
    return np.moveaxis(values, 0, -1)


def test_an_export_is_taken_as_it_is_and_zero_throughout_is_nothing(tmp_path):
    values = write_export(
        tmp_path / f"{NAME}_2024.tiff", tags={"TESSERA_DATASET_VERSION": "1.1", "TESSERA_DATASET_VARIANT": "cambridge"}
    )
    _, (shown,), model = tiles_of(tmp_path)
    np.testing.assert_array_equal(shown[5:], values[5:])
    assert np.isnan(shown[:2]).all() and np.isnan(shown[2:4, :3]).all()
    assert model == "tessera/1.1-cambridge"


def sidecar(folder, **told):
    (folder / "tessera_metadata.json").write_text(json.dumps(told))


def test_the_file_beside_a_download_tells_the_version(tmp_path):
    write_tessera(tmp_path)
    sidecar(tmp_path, dataset_version="1.1", dataset_variant="cambridge", dataset_path="v1.1-cam")
    assert tiles_of(tmp_path)[2] == "tessera/1.1-cambridge"
    sidecar(tmp_path, dataset_version="v1", dataset_variant="vultr")
    assert tiles_of(tmp_path)[2] == "tessera/1.0"


def test_tiles_of_two_versions_are_refused(tmp_path):
    write_tessera(tmp_path)
    sidecar(tmp_path, dataset_version="1.0")
    write_export(tmp_path / "grid_9.15_45.15_2024.tiff", tags={"TESSERA_DATASET_VERSION": "1.1"}, west=WEST + 5000)
    with pytest.raises(IntegrityError, match=r"is of '1\.0', .* of '1\.1'"):
        tiles_of(tmp_path)


def test_tiles_of_two_lengths_are_refused(tmp_path):
    write_tessera(tmp_path)
    write_export(tmp_path / "grid_9.15_45.15_2024.tiff", dims=4)
    with pytest.raises(IntegrityError, match=r"8 dimensions, .* has 4|4 dimensions, .* has 8"):
        tiles_of(tmp_path)


def without_scales(folder):
    stored(folder, "_scales").unlink()


def without_landmask(folder):
    (folder / "global_0.1_degree_tiff_all" / f"{NAME}.tiff").unlink()


def landmask_twice(folder):
    write_tiff(folder / f"{NAME}.tiff", np.ones((1, 64, 48), np.uint8), names=None)


def landmask_of_another_size(folder):
    write_tiff(folder / "global_0.1_degree_tiff_all" / f"{NAME}.tiff", np.ones((1, 65, 48), np.uint8), names=None)


def scales_of_another_shape(folder):
    np.save(stored(folder, "_scales"), np.ones((63, 48), np.float32))


def whole_number_scales(folder):
    np.save(stored(folder, "_scales"), np.ones((64, 48), np.int32))


def floating_tile(folder):
    np.save(stored(folder), np.ones((64, 48, 8), np.float32))


def flat_tile(folder):
    np.save(stored(folder), np.ones((64, 48), np.int8))


def pickled_tile(folder):
    np.save(stored(folder), np.array([{"a": 1}], dtype=object), allow_pickle=True)


def cut_short(folder):
    stored(folder).write_bytes(stored(folder).read_bytes()[:-1])


def no_npy(folder):
    stored(folder).write_bytes(b"PK\x03\x04 an archive")


def broken_sidecar(folder):
    (folder / "tessera_metadata.json").write_text("{")


def landmasks_only(folder):
    stored(folder).unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_scales, f"no {NAME}_scales.npy beside it"),
        (without_landmask, f"no landmask {NAME}.tiff"),
        (landmask_twice, "a second landmask of this tile"),
        (landmask_of_another_size, "48 x 64 px, its landmask"),
        (scales_of_another_shape, "float32 of shape (63, 48); scales of"),
        (whole_number_scales, "int32 of shape (64, 48); scales of"),
        (floating_tile, "float32 of shape (64, 48, 8); published tiles are int8"),
        (flat_tile, "int8 of shape (64, 48); published tiles are int8"),
        (pickled_tile, "needs plain numbers"),
        (cut_short, "its header claims"),
        (no_npy, "cannot be read as .npy"),
        (broken_sidecar, "tells no dataset_version"),
        (landmasks_only, "no tile of vectors"),
    ],
)
def test_what_is_not_a_tile_of_theirs_is_refused_by_name(tmp_path, damage, message):
    write_tessera(tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError) as error:
        tiles_of(tmp_path)
    assert message in str(error.value) and str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    ("dtype", "names", "message"),
    [
        ("float32", ["Tessera_Band_30", "Tessera_Band_60", "Tessera_Band_90"], "band 'Tessera_Band_30' where"),
        ("float32", None, "3 bands without names; TESSERA has 128"),
        ("int16", None, "int16; exported tiles are float32"),
    ],
)
def test_an_export_of_some_bands_or_of_whole_numbers_is_refused(tmp_path, dtype, names, message):
    write_tiff(tmp_path / "a_2024.tif", np.ones((3, 16, 16), dtype), names=names)
    with pytest.raises(InputError, match=message):
        tiles_of(tmp_path)
