"""Stored numbers are those of the plain numpy form, to the last bit, and values are counted as numpy counts them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from terrashot.store.encode import count_of_both, encode
from terrashot.store.encoding import ENCODINGS

ANY = arrays(np.float32, array_shapes(min_dims=2, max_dims=3, max_side=6), elements=st.floats(width=32))


def by_numpy(encoding, values):
    if encoding.dtype == "float32":
        return np.where(np.isfinite(values), values, np.float32(np.nan))
    steps = np.rint((np.nan_to_num(values, posinf=0, neginf=0).astype(np.float64) - encoding.offset) / encoding.scale)
    return np.where(np.isfinite(values), np.clip(steps, 0, encoding.nodata - 1), encoding.nodata).astype(encoding.dtype)


@given(st.sampled_from(sorted(ENCODINGS, key=str)), ANY)
def test_any_values_become_the_numbers_of_numpy(unit, values):
    stored, n_there = encode(ENCODINGS[unit], values)
    wanted = by_numpy(ENCODINGS[unit], values)
    assert (stored.dtype, stored.tobytes()) == (wanted.dtype, wanted.tobytes())
    assert n_there == np.isfinite(values).sum()


@pytest.mark.parametrize("unit", ["reflectance", "dB", "coherence"])
def test_every_step_and_every_half_step_becomes_the_number_of_numpy(unit):
    encoding = ENCODINGS[unit]
    halves = np.arange(-3, 2 * encoding.nodata + 4).astype(np.float32) / 2
    values = (halves * encoding.scale + encoding.offset).astype(np.float32)[None]
    np.testing.assert_array_equal(encode(encoding, values)[0], by_numpy(encoding, values))


@given(st.data())
def test_pixels_with_a_value_in_both_are_counted(data):
    one, other = (data.draw(arrays(np.float32, (3, 4), elements=st.floats(width=32))) for _ in range(2))
    assert count_of_both(one, other) == (np.isfinite(one) & np.isfinite(other)).sum()
