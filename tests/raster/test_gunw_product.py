"""Windows of whole GUNW products: versions, orders and fill values of the packager; what is damaged or hostile is refused."""

import h5py
import numpy as np
import pyproj
import pytest
from faults.gunw_files import CELL_DEG, GRIDS, SCENES, Layout, write_gunw

from terrashot.errors import InputError
from terrashot.raster.gunw_product import open_gunw_product

rasterio = pytest.importorskip("rasterio")
WHOLE = np.s_[0:40], np.s_[0:60]


def made(shape=(40, 60), seed=0):
    rng = np.random.default_rng(seed)
    found = rng.uniform(0.05, 1, shape).astype(np.float32)
    found[:3, :7] = np.nan
    return found


def read(path, window=WHOLE, variable="coherence"):
    with open_gunw_product(path, variable) as product:
        return product.read(*window), product.place


@pytest.mark.parametrize(
    "layout", [Layout(), Layout(3), Layout(has_fill=False), Layout(chunks=None), Layout(3, chunks=(7, 60))]
)
def test_cells_come_as_they_were_packed_and_zero_is_no_data_whatever_the_file_says(tmp_path, layout):
    coherence = made()
    values, place = read(write_gunw(tmp_path / "a.nc", coherence, -100.0, 20.0, layout))
    np.testing.assert_array_equal(values, coherence)
    part, _ = read(tmp_path / "a.nc", (slice(2, 9), slice(5, 11)))
    np.testing.assert_array_equal(part, coherence[2:9, 5:11])
    # Middles of cells, so that the corner lies half a cell outside of the first.
    assert place.affine[2] == pytest.approx(-100 - CELL_DEG / 2) and place.affine[5] == pytest.approx(20 + CELL_DEG / 2)


def test_a_file_with_latitudes_upward_has_every_cell_at_the_same_place(tmp_path):
    coherence = made()
    _, north_up = read(write_gunw(tmp_path / "a.nc", coherence, -100.0, 20.0))
    values, south_up = read(write_gunw(tmp_path / "b.nc", coherence, -100.0, 20.0, Layout(south_up=True)))
    np.testing.assert_array_equal(values[::-1], coherence)
    np.testing.assert_allclose(south_up.bounds, north_up.bounds, atol=1e-9)


def test_unfiltered_coherence_is_there_from_version_three_on(tmp_path):
    coherence = made()
    values, _ = read(write_gunw(tmp_path / "a.nc", coherence, 5.0, 20.0, Layout(3)), variable="unfilteredCoherence")
    np.testing.assert_allclose(values, coherence * np.float32(0.9), rtol=1e-6)
    with pytest.raises(InputError, match="version 3"):
        read(write_gunw(tmp_path / "b.nc", coherence, 5.0, 20.0), variable="unfilteredCoherence")


def test_real_coherence_of_mexico_city_comes_through_to_the_bit(tmp_path, shared_data):
    for name in ("20180106-20180130", "20180331-20180717"):
        with rasterio.open(
            shared_data / f"pyrate-cropA-s1-coherence/geotiffs/cropA_{name}_VV_8rlks_flat_eqa_cc.tif"
        ) as file:
            real = file.read(1)
        values, _ = read(
            write_gunw(tmp_path / f"{name}.nc", real, -99.2, 19.5), np.s_[0 : real.shape[0], 0 : real.shape[1]]
        )
        np.testing.assert_array_equal(values, np.where(real == 0, np.nan, real))
        assert 0.4 < np.nanmean(values) < 0.8


def test_numbers_that_are_no_coherence_are_refused_and_rounding_is_cut(tmp_path):
    coherence = made()
    coherence[20, 20] = 1.0003
    assert np.nanmax(read(write_gunw(tmp_path / "a.nc", coherence, 5.0, 20.0))[0]) == 1.0
    for bad in (1.7, -0.2):
        coherence[20, 20] = bad
        with pytest.raises(InputError, match="0 to 1"):
            read(write_gunw(tmp_path / "b.nc", coherence, 5.0, 20.0))


def change(path, name, values=None, **how):
    with h5py.File(path, "r+") as file:
        del file[f"{GRIDS}/{name}"]
        if values is not None or how:
            file[GRIDS].create_dataset(name, data=values, **how)


def told(path, name, **attributes):
    with h5py.File(path, "r+") as file:
        file[f"{GRIDS}/{name}"].attrs.update(attributes)


def linked(path, target):
    with h5py.File(path, "r+") as file:
        del file[f"{GRIDS}/coherence"]
        file[f"{GRIDS}/coherence"] = target


BENT = {
    "no coherence": lambda p: change(p, "coherence"),
    "three axes": lambda p: change(p, "coherence", np.ones((2, 4, 4), np.float32)),
    "text": lambda p: change(p, "coherence", np.full((40, 60), b"a")),
    "another number of rows": lambda p: change(p, "latitude", np.arange(39.0)),
    "uneven steps": lambda p: change(p, "latitude", np.geomspace(10, 20, 40)),
    "one place for all": lambda p: change(p, "longitude", np.full(60, 5.0)),
    "columns westward": lambda p: change(p, "longitude", np.arange(60.0)[::-1]),
    "no degrees": lambda p: change(p, "latitude", np.full(40, np.nan)),
    "cells counted": lambda p: change(p, "latitude", np.arange(40.0)),
    "radians": lambda p: told(p, "longitude", units="radian"),
    "axes swapped": lambda p: told(p, "latitude", units="degrees_east"),
    "metres": lambda p: told(p, "crs", grid_mapping_name="transverse_mercator"),
    "another ellipsoid": lambda p: told(p, "crs", semi_major_axis=6378206.4, inverse_flattening=294.9786982),
    "Paris for Greenwich": lambda p: told(p, "crs", longitude_of_prime_meridian=2.33722917),
    "a zone": lambda p: told(p, "crs", crs_wkt=pyproj.CRS("EPSG:32614").to_wkt()),
    "WGS 72": lambda p: told(p, "crs", spatial_ref=pyproj.CRS("EPSG:4322").to_wkt("WKT1_GDAL")),
    "no such text": lambda p: told(p, "crs", crs_wkt="GEOGCRS[nonsense"),
    "too many degrees": lambda p: change(p, "latitude", np.arange(40) * 100.0),
    "640 GB": lambda p: change(p, "coherence", None, shape=(400_000, 400_000), dtype="f4", chunks=(64, 64)),
    "one chunk of 4 GB": lambda p: change(p, "coherence", None, shape=(32_768, 32_768), dtype="f4", chunks=(32_768, 32_768)),
    "another packing": lambda p: change(p, "coherence", np.ones((40, 60), np.float32), compression="lzf"),
    "a link to another file": lambda p: linked(p, h5py.ExternalLink("/etc/hostname", "a")),
    "a soft link": lambda p: linked(p, h5py.SoftLink("/productBoundingBox")),
}  # fmt: skip


@pytest.mark.parametrize("how", BENT)
def test_what_is_not_in_this_layout_is_refused_by_name_before_a_cell_is_held(tmp_path, how):
    path = write_gunw(tmp_path / "bent.nc", made(), 5.0, 20.0)
    BENT[how](path)
    with pytest.raises(InputError, match=r"bent\.nc"):
        read(path)


@pytest.mark.parametrize("text", ["WKT1_GDAL", "WKT1_ESRI", "WKT2_2019"])
def test_degrees_of_wgs_84_are_known_in_every_spelling_and_where_no_system_is_told(tmp_path, text):
    path = write_gunw(tmp_path / "a.nc", made(), 5.0, 20.0)
    told(path, "crs", crs_wkt=pyproj.CRS("EPSG:4326").to_wkt(text))
    told(path, "latitude", units="degreesN")
    assert read(path)[1].crs == "EPSG:4326"
    change(path, "crs")
    assert read(path)[1].crs == "EPSG:4326"


def test_the_days_of_its_scenes_come_from_their_names_and_none_from_what_is_no_name(tmp_path):
    path = write_gunw(tmp_path / "a.nc", made(), 5.0, 20.0, Layout(days=("20200301", "20200229")))
    with open_gunw_product(path, "coherence") as product:
        assert product.days == ({"20200301"}, {"20200229"})
    # One that begins before midnight, as texts of any length, and ones without a name.
    midnight = "S1B_IW_SLC__1SDV_20200229T235950_20200301T000017_020480_026CE5_1F2A"
    with h5py.File(path, "r+") as file:
        for side, names in (("reference", [midnight, "", "S1"]), ("secondary", [""])):
            del file[f"{SCENES}/{side}/L1InputGranules"]
            file[f"{SCENES}/{side}"].create_dataset("L1InputGranules", data=names, dtype=h5py.string_dtype())
    with open_gunw_product(path, "coherence") as product:
        assert product.days == ({"20200229", "20200301"}, frozenset())


@pytest.mark.parametrize(
    "names", [np.full(65, b"S1A"), np.arange(3.0), h5py.Empty("S1"), h5py.ExternalLink("/etc/hostname", "a"), None]
)
def test_scenes_that_cannot_be_told_are_no_reason_to_refuse_a_product(tmp_path, names):
    path = write_gunw(tmp_path / "a.nc", made(), 5.0, 20.0)
    with h5py.File(path, "r+") as file:
        del file[f"{SCENES}/reference/L1InputGranules"]
        if names is not None:
            file[f"{SCENES}/reference/L1InputGranules"] = names
    with open_gunw_product(path, "coherence") as product:
        assert product.days == (frozenset(), {"20210711"})


def test_a_truncated_file_and_no_file_are_refused_by_name(tmp_path):
    whole = write_gunw(tmp_path / "a.nc", made(), 5.0, 20.0).read_bytes()
    for length in (0, 7, 500, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.nc").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.nc"):
            read(tmp_path / "cut.nc")
    with pytest.raises(InputError, match=r"none\.nc"):
        read(tmp_path / "none.nc")


def test_an_error_of_the_reader_itself_is_not_taken_for_a_bad_file(tmp_path):
    path = write_gunw(tmp_path / "a.nc", made(), 5.0, 20.0)
    with pytest.raises(ValueError, match="ours") as caught, open_gunw_product(path, "coherence"):
        raise ValueError("ours")
    assert not isinstance(caught.value, InputError)
