import numpy as np
import pytest
import torch

from terrashot.embed.random_conv import N_FILTERS, cut_patches, random_conv, standardise


def textures(seed: int, n: int, *, n_channels: int = 3, side: int = 64) -> np.ndarray:
    """Images with a power spectrum of their own each: smooth ones, rough ones, and all between."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]) + 1 / side
    images = []
    for slope in rng.uniform(0, 2.5, n):
        spectrum = np.fft.rfft2(rng.normal(size=(n_channels, side, side))) * frequency**-slope
        image = np.fft.irfft2(spectrum, (side, side))
        images.append(image / image.std() + rng.normal(0, 0.5, (n_channels, 1, 1)))
    return np.array(images, dtype=np.float32)


def filters_from(images: np.ndarray, n_filters: int = 16) -> np.ndarray:
    patches = cut_patches(images, n_patches=2 * n_filters, rng=np.random.default_rng(0))
    return standardise(patches, n_filters)


def naive(image: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Both rectified responses of every filter at every second place, added up one by one."""
    places = [(r, c) for r in range(0, image.shape[1] - 4, 2) for c in range(0, image.shape[2] - 4, 2)]
    responses = np.array([[(image[:, r : r + 5, c : c + 5] * f).sum() for r, c in places] for f in filters])
    return np.concatenate([np.maximum(responses, 0).mean(axis=1), np.maximum(-responses, 0).mean(axis=1)])


def test_features_equal_those_counted_place_by_place():
    images = textures(0, 3, side=15)
    filters = filters_from(images)
    expected = [naive(image, filters) for image in images]
    np.testing.assert_allclose(random_conv(images, filters), expected, rtol=1e-4, atol=1e-5)


def test_every_second_place_says_nearly_the_same_as_all_of_them():
    images = textures(1, 40)
    filters = filters_from(images, 32)
    half, full = random_conv(images, filters), random_conv(images, filters, stride_px=1)
    correlations = [np.corrcoef(half[:, k], full[:, k])[0, 1] for k in range(half.shape[1])]
    assert min(correlations) > 0.98


def test_the_negative_of_an_image_swaps_the_two_signs():
    images = textures(2, 2)
    filters = filters_from(images)
    n = len(filters)
    np.testing.assert_allclose(
        random_conv(-images, filters), np.roll(random_conv(images, filters), n, axis=1), rtol=1e-4, atol=1e-6
    )


def test_one_level_all_over_the_image_gives_no_response():
    images = textures(3, 2)
    flat = np.full_like(images, 3.0)
    assert np.abs(random_conv(flat, filters_from(images))).max() < 1e-5


def test_filters_have_zero_mean_and_unit_norm():
    filters = filters_from(textures(4, 4), N_FILTERS).reshape(N_FILTERS, -1)
    np.testing.assert_allclose(filters.mean(axis=1), 0, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(filters, axis=1), 1, rtol=1e-6)


def test_patches_without_contrast_are_passed_over():
    patches = textures(5, 4, side=5)
    patches[[0, 2]] = 0.7
    filters = standardise(patches, 2)
    np.testing.assert_array_equal(filters, standardise(patches[[1, 3]], 2))


@pytest.mark.parametrize("n_patches", [2, 6])
def test_too_few_patches_with_contrast_leave_filters_of_zero(n_patches):
    filters = standardise(np.zeros((n_patches, 2, 5, 5), np.float32), 4)
    assert filters.shape == (4, 2, 5, 5) and not filters.any()


def test_every_image_gives_patches_and_each_patch_is_of_the_image():
    images = np.arange(3, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 9, 9), np.float32)
    patches = cut_patches(images, n_patches=7, rng=np.random.default_rng(0))
    assert patches.shape == (7, 2, 5, 5)
    assert patches[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_patches_come_from_all_over_the_image():
    ramp = np.broadcast_to(np.arange(9, dtype=np.float32), (1, 1, 9, 9))
    patches = cut_patches(ramp, n_patches=200, rng=np.random.default_rng(0))
    assert set(patches[:, 0, 0, 0]) == {0, 1, 2, 3, 4}


def test_an_image_smaller_than_a_patch_gives_what_it_has():
    assert cut_patches(np.ones((1, 2, 3, 4), np.float32), n_patches=2, rng=np.random.default_rng(0)).shape == (
        2,
        2,
        3,
        4,
    )


def test_a_chip_has_the_same_bytes_in_any_company_and_with_any_number_of_threads():
    images = textures(6, 4)
    filters = filters_from(images, 64)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        together = random_conv(images, filters)
        torch.set_num_threads(1)
        alone = np.concatenate([random_conv(images[row : row + 1], filters) for row in range(4)])
    finally:
        torch.set_num_threads(before)
    assert together.tobytes() == alone.tobytes()


def test_no_chips_give_no_rows():
    assert random_conv(np.empty((0, 3, 64, 64), np.float32), filters_from(textures(7, 2))).shape == (0, 32)
