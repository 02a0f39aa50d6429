"""Readers that share no code with ours open the store, and find in it the very numbers that were written."""

import numpy as np
import pytest
import tensorstore
from test_shard import RADAR, SIDE, fill, pairs, radar

from terrashot.domain.modality import Absence
from terrashot.store.chips import ZARR
from terrashot.store.encode import encode
from terrashot.store.encoding import ENCODINGS

IMAGERY = {
    "s1grdm": {"a": radar(0), "b": radar(1, lost="vh"), "c": Absence(None, "missing", "no acquisition")},
    "gunw": {"a": pairs(3), "b": pairs(0), "c": pairs(1)},
}
UNITS = {"s1grdm": "dB", "gunw": "coherence"}
SHAPES = {"s1grdm": (3, len(RADAR), SIDE, SIDE), "gunw": (3, 4, 3, 3)}


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    fill(folder, IMAGERY)
    return folder / ZARR


def written(modality):
    """The stored numbers of chips a, b and c; what is absent is no data. The first channels have the first slots."""
    encoding = ENCODINGS[UNITS[modality]]
    numbers = np.full(SHAPES[modality], encoding.nodata, encoding.dtype)
    for row, found in enumerate(IMAGERY[modality].values()):
        if not isinstance(found, Absence):
            numbers[row, : len(found.channels)] = encode(encoding, found.values)[0]
    return numbers


def by_tensorstore(group, modality):
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(group / modality)}}
    return tensorstore.open(spec, read=True).result()


def by_xarray(group, **options):
    return pytest.importorskip("xarray").open_zarr(group, consolidated=False, **options)


@pytest.mark.parametrize("modality", UNITS)
def test_tensorstore_reads_the_stored_numbers_and_absent_chunks_as_no_data(group, modality):
    found = by_tensorstore(group, modality)[:3].read().result()
    assert found.dtype == np.dtype(ENCODINGS[UNITS[modality]].dtype)
    np.testing.assert_array_equal(found, written(modality))


@pytest.mark.parametrize("modality", UNITS)
def test_tensorstore_knows_the_fill_value_and_finds_it_where_no_chip_lies(group, modality):
    array = by_tensorstore(group, modality)
    assert array.fill_value == ENCODINGS[UNITS[modality]].nodata
    np.testing.assert_array_equal(array[3:].read().result(), array.fill_value)


@pytest.mark.parametrize("modality", UNITS)
def test_xarray_reads_the_stored_numbers_and_absent_chunks_as_no_data(group, modality):
    with by_xarray(group, mask_and_scale=False) as opened:
        found = opened[modality].isel(chip=slice(0, 3)).to_numpy()
    assert found.dtype == np.dtype(ENCODINGS[UNITS[modality]].dtype)
    np.testing.assert_array_equal(found, written(modality))


@pytest.mark.parametrize("modality", UNITS)
def test_xarray_masks_exactly_what_holds_no_data(group, modality):
    with by_xarray(group) as opened:
        found = opened[modality].isel(chip=slice(0, 3)).to_numpy()
    np.testing.assert_array_equal(np.isnan(found), written(modality) == ENCODINGS[UNITS[modality]].nodata)
