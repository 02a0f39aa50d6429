"""Differences become numbers again: what a packer takes apart, number by number, comes back to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.raster.predictor import floats_of, numbers_of


def taken_apart(numbers):
    """The differences of neighbours along a row, band by band."""
    found = numbers.copy()
    for col in range(numbers.shape[1] - 1, 0, -1):
        found[:, col] -= numbers[:, col - 1]
    return found


def bytes_apart(content):
    """Bytes of floats (R, W, S, n), the least first, as differences (R, n, W, S): the highest bytes of a row first."""
    n_rows, _, n_bands, _ = content.shape
    planes = content[..., ::-1].transpose(0, 3, 1, 2)
    row = planes.reshape(n_rows, -1)
    found = row.copy()
    found[:, n_bands:] -= row[:, :-n_bands]
    return found.reshape(planes.shape)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["u1", "u2", "u4", "u8"]),
    st.integers(1, 5),
    st.integers(1, 70),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_whole_numbers_come_back(dtype, rows, cols, bands, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (rows, cols, bands * int(dtype[1])), np.uint8)
    numbers = noise.view(dtype)
    np.testing.assert_array_equal(numbers_of(taken_apart(numbers)), numbers)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([4, 8]),
    st.integers(1, 3),
    st.sampled_from([1, 2, 255, 256, 257, 512, 700]),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_floats_come_back_however_long_the_row(n_bytes, rows, cols, bands, seed):
    content = np.random.default_rng(seed).integers(0, 256, (rows, cols, bands, n_bytes), np.uint8)
    np.testing.assert_array_equal(floats_of(bytes_apart(content)), content)


@pytest.mark.parametrize("rows", [1, 128, 129])
def test_the_largest_differences_there_are_run_over_into_no_neighbour(rows):
    differences = np.full((rows, 4, 600, 1), 255, np.uint8)
    wanted = (255 * (1 + np.arange(2400))).astype(np.uint8).reshape(4, 600)
    found = floats_of(differences)
    for byte in range(4):
        assert (found[:, :, 0, 3 - byte] == wanted[byte]).all()
