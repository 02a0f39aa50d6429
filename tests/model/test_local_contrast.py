"""What a stem reads of an image."""

import numpy as np
import pytest
import torch

from terrashot.model.local_contrast import CONTRAST_FLOOR, N_PLANES, SIDES_PX, with_local_contrast


def texture(n=2, side=20):
    return torch.randn(n, 1, side, side, generator=torch.Generator().manual_seed(0))


def naive(image, side):
    """Pixel by pixel, in float64."""
    found = np.empty_like(image, dtype=np.float64)
    for row, col in np.ndindex(image.shape):
        reach = side // 2
        square = image[max(0, row - reach) : row + reach + 1, max(0, col - reach) : col + reach + 1].astype(np.float64)
        found[row, col] = (image[row, col] - square.mean()) / (square.std() + CONTRAST_FLOOR)
    return found


def test_planes_are_the_image_and_its_distance_from_its_surroundings_in_their_spreads():
    pixels = texture()
    planes = with_local_contrast(pixels)
    assert planes.shape == (2, N_PLANES, 20, 20) and torch.equal(planes[:, :1], pixels)
    for number, side in enumerate(SIDES_PX, start=1):
        expected = naive(pixels[1, 0].numpy(), side)
        np.testing.assert_allclose(planes[1, number].numpy(), expected, atol=1e-5)


def test_contrast_does_not_change_with_level_and_hardly_with_strength():
    pixels = texture()
    plain, moved, faint = (with_local_contrast(own)[:, 1:] for own in (pixels, pixels + 3, pixels / 2))
    torch.testing.assert_close(moved, plain, atol=1e-4, rtol=0)
    assert torch.corrcoef(torch.stack([faint.flatten(), plain.flatten()]))[0, 1] > 0.995


@pytest.mark.parametrize("value", [0.0, 8.0])
def test_where_nothing_stands_out_there_is_no_contrast(value):
    planes = with_local_contrast(torch.full((1, 1, 8, 8), value))
    torch.testing.assert_close(planes[:, 1:], torch.zeros(1, 2, 8, 8), atol=1e-4, rtol=0)
