from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from terrashot.embed.image_stats import (
    CHANNEL_STATISTICS,
    QUANTILES,
    ColumnMeans,
    feature_names,
    fill_absent_with_training_mean,
    image_stats,
    mean_and_spread,
)


def naive_channel(image: np.ndarray) -> list[float]:
    """The statistics of one channel, pixel by pixel."""
    valid = image[~np.isnan(image)]
    if valid.size == 0:
        return [np.nan] * len(CHANNEL_STATISTICS)
    height, width = image.shape
    down = [abs(image[r + 1, c] - image[r, c]) for r in range(height - 1) for c in range(width)]
    along = [abs(image[r, c + 1] - image[r, c]) for r in range(height) for c in range(width - 1)]
    gradients = [
        np.mean(known) if (known := [d for d in steps if not np.isnan(d)]) else np.nan for steps in (down, along)
    ]
    block_means = []
    for rows in np.split(image, [height * k // 8 for k in range(1, 8)] if height >= 8 else range(1, height), axis=0):
        for block in np.split(rows, [width * k // 8 for k in range(1, 8)] if width >= 8 else range(1, width), axis=1):
            known = block[~np.isnan(block)]
            block_means += [known.mean()] if known.size else []
    return [valid.mean(), valid.std(), *np.quantile(valid, QUANTILES), *gradients, np.std(block_means)]


def naive(image: np.ndarray) -> list[float]:
    image = image.astype(np.float64)
    features = [value for channel in image for value in naive_channel(channel)]
    for left, right in combinations(image, 2):
        both = ~np.isnan(left) & ~np.isnan(right)
        pair = left[both], right[both]
        varies = both.any() and all(side.std() > 1e-6 for side in pair)
        features.append(np.corrcoef(*pair)[0, 1] if varies else np.nan)
    return features


def textured(seed: int, shape: tuple[int, ...], gap_share: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    images = rng.normal(-10, 3, shape)
    images += 2 * images.mean(axis=1, keepdims=True) + np.linspace(0, 4, shape[-1])
    images[rng.random(shape) < gap_share] = np.nan
    return images.astype(np.float32)


def column(name: str, n_channels: int = 2) -> int:
    return feature_names([f"c{k}" for k in range(n_channels)]).index(name)


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(2, 19), st.integers(2, 19)),
    st.sampled_from([0.0, 0.1, 0.6, 0.95]),
)
def test_statistics_equal_those_counted_pixel_by_pixel(seed, shape, gap_share):
    images = textured(seed, shape, gap_share)
    features = image_stats(images)
    np.testing.assert_allclose(features, [naive(image) for image in images], rtol=2e-4, atol=2e-4)


def test_every_column_has_its_own_name():
    names = feature_names(["red", "green", "blue"])
    assert len(set(names)) == len(names) == image_stats(textured(0, (1, 3, 16, 16))).shape[1] == 3 * 12 + 3
    assert names[:3] == ("red_mean", "red_spread", "red_q02") and names[-1] == "green_blue_correlation"


def test_a_gradient_along_the_rows_is_one_step_per_pixel_and_none_down_the_columns():
    ramp = np.broadcast_to(np.arange(16, dtype=np.float32), (1, 2, 16, 16)).copy()
    features = image_stats(ramp)[0]
    assert features[column("c0_gradient_x")] == 1 and features[column("c0_gradient_y")] == 0


def test_a_small_variation_on_a_large_value_is_not_lost():
    image = np.float32(10_000) + np.float32(0.5) * (np.indices((64, 64)).sum(axis=0) % 2).astype(np.float32)
    features = image_stats(image[None, None])[0]
    assert features[column("c0_spread", 1)] == pytest.approx(0.25, rel=1e-4)
    assert features[column("c0_gradient_x", 1)] == pytest.approx(0.5, rel=1e-4)


def test_channels_that_agree_correlate_fully_and_opposite_ones_negatively():
    first = textured(1, (1, 1, 20, 20), 0.2)
    assert image_stats(np.concatenate([first, 3 * first + 1], axis=1))[0, -1] == pytest.approx(1, abs=1e-4)
    assert image_stats(np.concatenate([first, -first], axis=1))[0, -1] == pytest.approx(-1, abs=1e-4)


def test_a_constant_channel_correlates_with_nothing():
    images = textured(2, (1, 2, 16, 16))
    images[:, 1] = 7.3
    features = image_stats(images)[0]
    assert np.isnan(features[-1]) and features[column("c1_spread")] == 0


def test_an_absent_channel_leaves_the_others_as_they_are():
    images = textured(3, (2, 3, 16, 16))
    whole = image_stats(images)
    images[0, 1] = np.nan
    features = image_stats(images)
    names = feature_names(["a", "b", "c"])
    absent = np.array(["b" in name.split("_")[:2] for name in names])
    assert np.isnan(features[0, absent]).all()
    np.testing.assert_array_equal(features[0, ~absent], whole[0, ~absent])
    np.testing.assert_array_equal(features[1], whole[1])


def test_infinite_pixels_are_no_data():
    images = textured(4, (1, 2, 16, 16))
    gaps, infinities = images.copy(), images.copy()
    gaps[0, 0, :3], infinities[0, 0, :3] = np.nan, -np.inf
    np.testing.assert_array_equal(image_stats(infinities), image_stats(gaps))


def test_an_undeclared_no_data_code_neither_warns_nor_gives_infinities():
    images = textured(5, (1, 2, 16, 16))
    images[0, 0, :3] = np.finfo(np.float32).min
    assert not np.isinf(image_stats(images)).any()


def test_a_chip_has_the_same_bytes_in_any_company_and_with_any_number_of_threads():
    images = textured(6, (5, 9, 64, 64), 0.05)
    with threadpool_limits(2):
        together = image_stats(images)
    with threadpool_limits(1):
        alone = np.concatenate([image_stats(images[row : row + 1]) for row in range(5)])
    assert together.tobytes() == alone.tobytes()


def test_mean_and_spread_are_over_the_channels_that_show_a_pixel():
    images = np.array([[[[1, np.nan, 2]], [[3, np.nan, np.nan]]]], np.float32)
    expected = np.array([[[[2, np.nan, 2]], [[1, np.nan, 0]]]], np.float32)
    np.testing.assert_array_equal(mean_and_spread(images), expected)


def test_mean_and_spread_do_not_depend_on_the_order_of_the_channels():
    images = textured(7, (2, 5, 12, 12), 0.3)
    np.testing.assert_allclose(mean_and_spread(images), mean_and_spread(images[:, ::-1].copy()), rtol=1e-6)


def test_what_is_absent_becomes_the_training_mean():
    nan = np.nan
    features = np.array([[1, 2], [3, nan], [nan, 90], [nan, nan]], np.float32)
    training = ColumnMeans()
    for row in features[:2]:
        training.add(row[None])
    filled = fill_absent_with_training_mean(features, training)
    np.testing.assert_array_equal(filled, np.array([[1, 2], [3, 2], [2, 90], [nan, nan]], np.float32))


def test_a_column_that_no_training_chip_has_says_nothing():
    features = np.array([[1, np.nan], [2, 5]], np.float32)
    training = ColumnMeans()
    training.add(features[:1])
    filled = fill_absent_with_training_mean(features, training)
    np.testing.assert_array_equal(filled, np.array([[1, 0], [2, 0]], np.float32))
