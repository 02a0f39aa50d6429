"""Each image is interpolated by itself, and what is the same everywhere stays so."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrashot.store.upsample import upsample


@given(st.integers(1, 6), st.integers(0, 10**6))
def test_an_image_is_the_same_whatever_else_is_in_its_batch(side, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.random((4, side, side)).astype(np.float32)
    coarse[rng.random(coarse.shape) < 0.2] = np.nan
    coarse[3] = 0.5
    together = upsample(coarse, 17)
    for image, fine in zip(coarse, together, strict=True):
        np.testing.assert_array_equal(upsample(image[None], 17)[0], fine)


@given(st.integers(1, 6), st.floats(0, 1, width=32))
def test_a_field_that_is_level_stays_level_to_the_last_bit(side, level):
    assert (upsample(np.full((1, side, side), level, np.float32), 13) == np.float32(level)).all()


def test_an_image_without_data_gives_none():
    assert np.isnan(upsample(np.full((1, 3, 3), np.nan, np.float32), 8)).all()
    assert upsample(np.empty((0, 3, 3), np.float32), 8).shape == (0, 8, 8)
