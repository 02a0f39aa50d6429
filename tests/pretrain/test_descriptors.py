"""What an image is like: turned about the same, and as a loop over pixels would say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.pretrain.augment import N_SYMMETRIES, turned
from terrashot.pretrain.descriptors import (
    N_DESCRIPTORS,
    N_PATTERNS,
    NEIGHBOURS,
    QUANTILES,
    block_means,
    describe,
    pattern_shares,
)


def images(count, side_px=16, seed=0):
    return np.random.default_rng(seed).normal(size=(count, side_px, side_px)).astype(np.float32)


@pytest.mark.parametrize("symmetry", range(N_SYMMETRIES))
def test_an_image_turned_about_has_the_same_descriptors(symmetry):
    found = describe(images(1)), describe(np.ascontiguousarray(turned(images(1)[0], symmetry))[None])
    np.testing.assert_allclose(*found, atol=1e-5)


def test_each_image_is_described_by_itself():
    assert describe(images(3)).shape == (3, N_DESCRIPTORS)
    np.testing.assert_array_equal(describe(images(3))[1:2], describe(images(3)[1:2]))


def test_moments_and_quantiles_are_numpys():
    found, flat = describe(images(2, 41)), images(2, 41).reshape(2, -1)
    np.testing.assert_allclose(found[:, 0], flat.mean(1), atol=1e-6)
    np.testing.assert_allclose(found[:, 1], flat.std(1), atol=1e-6)
    expected = np.quantile(flat, QUANTILES, axis=1, method="nearest").T
    np.testing.assert_allclose(found[:, 2 : 2 + len(QUANTILES)], expected, atol=0.02)


def naive_shares(image, radius):
    counts = np.zeros(N_PATTERNS)
    for row in range(radius, len(image) - radius):
        for col in range(radius, len(image) - radius):
            bits = [image[row + radius * y, col + radius * x] >= image[row, col] for y, x in NEIGHBOURS]
            changes = sum(bits[n] != bits[n - 1] for n in range(8))
            counts[sum(bits) if changes <= 2 else N_PATTERNS - 1] += 1
    return counts / counts.sum()


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_patterns_are_those_of_a_loop_over_pixels(radius):
    found = images(2, 12, seed=radius)
    np.testing.assert_allclose(
        pattern_shares(found, radius), [naive_shares(image, radius) for image in found], atol=1e-6
    )


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_patterns_do_not_change_with_brightness_or_contrast(gain, offset):
    found = np.round(images(1) * 8)
    np.testing.assert_array_equal(
        pattern_shares(found, 1), pattern_shares(np.round(found) * np.float32(gain) + np.float32(offset), 1)
    )


def test_block_means_leave_out_what_fills_no_block():
    found = np.arange(25, dtype=np.float32).reshape(1, 5, 5)
    np.testing.assert_array_equal(block_means(found, 2), [[[3, 5], [13, 15]]])
