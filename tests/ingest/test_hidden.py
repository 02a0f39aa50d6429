"""What a mask leaves of a channel, beside the same in numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from terrashot.ingest.hidden import hide, is_empty

NUMBERS = st.floats(width=32)


def test_what_is_hidden_is_no_data_in_every_band():
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    hidden = hide(values, np.array([[True, False], [False, True]]))
    assert np.isnan(hidden[:, [0, 1], [1, 0]]).all()
    assert hidden.dtype == np.float32 and hidden[:, [0, 1], [0, 1]].tolist() == [[0, 3], [4, 7]]


@given(arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=6), elements=NUMBERS), st.data())
def test_hiding_is_numpys_where(values, data):
    is_clear = data.draw(arrays(np.bool_, values.shape[1:]))
    np.testing.assert_array_equal(hide(values, is_clear), np.where(is_clear, values, np.float32(np.nan)))


@given(arrays(np.float32, array_shapes(max_dims=3, max_side=5), elements=st.sampled_from([np.nan, 0.0, np.inf])))
def test_a_channel_is_empty_where_all_of_it_is_nan(values):
    assert is_empty(values) == np.isnan(values).all()


@pytest.mark.parametrize("place", [0, 5, -1])
def test_one_value_is_enough_wherever_it_lies(place):
    values = np.full((3, 4), np.nan, np.float32)
    assert is_empty(values)
    values.reshape(-1)[place] = 0
    assert not is_empty(values)
