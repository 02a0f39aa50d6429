"""The mean over cells of another lattice, beside a reference that walks over every fine cell."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.raster.regrid import area_mean


def reference(values, side_px):
    """Each cell repeated until both lattices share their edges, then plain means over blocks."""
    channels, height, width = values.shape
    fine = np.repeat(np.repeat(values.astype(np.float64), side_px, axis=1), side_px, axis=2)
    blocks = fine.reshape(channels, side_px, height, side_px, width).transpose(0, 1, 3, 2, 4)
    blocks = blocks.reshape(channels, side_px, side_px, -1)
    there = (~np.isnan(blocks)).mean(axis=-1)
    total = np.nansum(blocks, axis=-1) / blocks.shape[-1]
    return np.where(there > 0.5 - 1e-9, total / np.where(there > 0, there, 1), np.nan)


@settings(max_examples=50)
@given(st.integers(1, 7), st.integers(1, 9), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_means_are_those_of_the_reference(height, width, side_px, seed):
    rng = np.random.default_rng(seed)
    values = rng.random((2, height, width)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    np.testing.assert_allclose(area_mean(values, side_px), reference(values, side_px), rtol=1e-5)


def test_the_mean_of_a_full_raster_is_kept():
    values = np.random.default_rng(0).random((1, 48, 59)).astype(np.float32)
    assert abs(area_mean(values, 48).mean() - values.mean()) < 1e-6


def test_a_raster_of_the_wanted_side_is_not_touched():
    values = np.random.default_rng(0).random((3, 8, 8)).astype(np.float32)
    assert area_mean(values, 8) is values


def test_a_cell_with_less_than_half_of_its_ground_is_no_data():
    values = np.array([[[1.0, np.nan, np.nan, np.nan, np.nan, 4.0]]], np.float32)
    assert np.isnan(area_mean(values, 2)).all()
    half = np.array([[[1.0, np.nan], [1.0, np.nan]]], np.float32)
    assert area_mean(half, 1)[0, 0, 0] == 1.0
