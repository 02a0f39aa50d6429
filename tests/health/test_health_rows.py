"""Finite, zeros, norms: one pass over the rows, whatever is in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.health import survey
from terrashot.health.rows import look_at_rows, row_measures


def block_of(n=200, width=8, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def verdict(block, name, n_parts=1):
    return {measure.name: measure for measure in row_measures("a", look_at_rows(block, n_parts))}[name]


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 1000))
def test_blocks_of_rows_change_nothing(n, width, seed):
    block = block_of(n, width, seed).astype(np.float16)
    block[np.random.default_rng(seed).random(n) < 0.3] = np.nan
    whole = look_at_rows(block, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "BLOCK_NUMBERS", 7)
        parts = look_at_rows(block, 1)
    for name in ("there", "finite", "length", "empty_share", "empty_part", "empty_column"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_a_row_of_nan_is_a_chip_without_a_vector_and_one_with_some_nan_is_broken():
    block = block_of()
    block[:20] = np.nan
    assert verdict(block, "finite").sentence == "180 of 200 chips have a vector, all finite"
    block[50, 3] = np.nan
    block[60, 3] = np.inf
    assert (verdict(block, "finite").verdict, verdict(block, "finite").value) == ("bad", 2 / 180)


def test_lengths_of_half_precision_do_not_overflow():
    block = np.full((10, 100), 6e4, np.float16)
    assert look_at_rows(block, 1).length[0] == pytest.approx(10 * 6e4, rel=1e-3)


def test_a_part_of_zeros_is_seen_where_the_vector_tells_of_parts():
    block = block_of(width=40)
    block[3, 8:12] = 0  # one kind of ten: too little to be seen without knowing of kinds
    assert verdict(block, "zeros").verdict == "good"
    assert verdict(block, "zeros", n_parts=10).verdict == "bad"


def test_a_long_run_of_zeros_is_seen_and_scattered_ones_are_not():
    filled, scattered = block_of(width=40), block_of(width=40)
    filled[3, 20:30] = 0
    scattered[3, ::2] = 0
    assert verdict(filled, "zeros").verdict == "bad"
    assert verdict(scattered, "zeros").verdict == "good"
    filled[3, 25] = 1e-3
    assert verdict(filled, "zeros").verdict == "good"


def test_vectors_of_few_numbers_may_hold_a_zero():
    block = block_of(width=4)
    block[5, 1] = 0
    assert verdict(block, "zeros").verdict == "good"


def test_features_that_are_zero_half_of_the_time_by_nature_are_no_filled_ones():
    assert verdict(np.maximum(block_of(width=64), 0), "zeros").verdict == "good"


def test_a_few_numbers_that_no_chip_uses_are_worth_a_look():
    block = block_of(width=10)
    block[:, 0] = 0
    assert verdict(block, "zeros").verdict == "look"
    block[:, :3] = 0
    assert verdict(block, "zeros").verdict == "bad"


@pytest.mark.parametrize(("factor", "expected"), [(1, "good"), (30, "look"), (1e4, "bad"), (1e-4, "bad")])
def test_one_length_far_from_the_others_is_seen(factor, expected):
    block = block_of() / np.linalg.norm(block_of(), axis=1, keepdims=True)
    block[7] *= factor
    assert verdict(block, "norms").verdict == expected
