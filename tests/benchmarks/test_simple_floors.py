"""The floors that need no training: what changes them, what does not, and that they learn from training chips alone."""

import numpy as np
import pytest
from simple_floors import (
    MOST_JOINT,
    RADII,
    colour_histograms,
    joint_bins,
    joint_histograms,
    learn_bins,
    learn_components,
    local_binary_patterns,
    pattern_codes,
)


def images(n=6, channels=2, side=16, seed=0):
    return np.random.default_rng(seed).normal(size=(n, channels, side, side)).astype(np.float32)


def naive_code(image, row, col, radius):
    angles = [2 * np.pi * k / 8 for k in range(8)]
    bits = [image[row + round(radius * np.sin(a)), col + round(radius * np.cos(a))] >= image[row, col] for a in angles]
    changes = sum(bits[k] != bits[k - 1] for k in range(8))
    return sum(bits) if changes <= 2 else 9


@pytest.mark.parametrize("radius", RADII)
def test_a_pattern_is_what_its_definition_says(radius):
    stack = images(n=2, channels=1, side=12)[:, 0]
    codes = pattern_codes(stack, radius)
    assert codes.shape == (2, 12 - 2 * radius, 12 - 2 * radius)
    for chip, row, col in np.ndindex(codes.shape):
        assert codes[chip, row, col] == naive_code(stack[chip], row + radius, col + radius, radius)


def test_patterns_do_not_change_with_brightness_contrast_or_a_quarter_turn():
    plain = local_binary_patterns(images())
    assert np.array_equal(plain, local_binary_patterns(np.exp(2 * images() + 1)))
    assert np.allclose(plain, local_binary_patterns(np.ascontiguousarray(np.rot90(images(), axes=(2, 3)))))
    assert not np.allclose(plain, local_binary_patterns(np.sort(images(), axis=3)))


def test_squares_of_pattern_shares_add_up_to_one_a_channel_and_radius():
    shares = local_binary_patterns(images()) ** 2
    assert np.allclose(shares.reshape(6, 2, len(RADII), 10).sum(axis=3), 1)


def test_squares_of_histograms_add_up_to_one_and_do_not_depend_on_where_a_pixel_lies():
    train, other = images(seed=1), images(seed=2)
    bins = learn_bins(train, 4)
    shares = colour_histograms(other, bins) ** 2
    assert np.allclose(shares.reshape(6, 2, 4).sum(axis=2), 1)
    assert np.allclose((joint_histograms(other, bins) ** 2).sum(axis=1), 1)
    moved = np.roll(other, 3, axis=2)
    assert np.array_equal(colour_histograms(moved, bins), colour_histograms(other, bins))
    assert np.array_equal(joint_histograms(moved, bins), joint_histograms(other, bins))


def test_a_joint_histogram_sees_which_colours_go_together():
    chips = images(n=4)
    apart = chips.copy()
    apart[:, 1] = np.roll(chips[:, 1], 5, axis=1)
    bins = learn_bins(chips, 4)
    assert np.array_equal(colour_histograms(apart, bins), colour_histograms(chips, bins))
    assert not np.allclose(joint_histograms(apart, bins), joint_histograms(chips, bins))


def test_bins_hold_as_many_training_pixels_each():
    train = images(n=20)
    shares = (colour_histograms(train, learn_bins(train, 8)) ** 2).mean(axis=0)
    assert np.allclose(shares, 1 / 8, atol=0.01)


@pytest.mark.parametrize("channels", range(1, 10))
def test_a_joint_histogram_never_has_too_many_cells(channels):
    assert joint_bins(channels) ** channels <= MOST_JOINT


def test_components_are_those_of_the_training_chips():
    train = images(n=30, side=8)
    found = learn_components(train).of(train)
    flat = (train / train.std(axis=(0, 2, 3))[:, None, None]).reshape(30, -1)
    left, sizes, _ = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    assert found.shape == (30, 29), "no more than training chips can tell"
    assert np.allclose(np.abs(found), np.abs(left * sizes)[:, :29], atol=1e-2)
    other = images(n=3, side=8, seed=5)
    assert np.allclose(
        learn_components(train).of(other), learn_components(train).of(np.vstack([other, 9 * other]))[:3], atol=1e-5
    )
