"""Random convolutional features: a floor that knows texture, and has learnt nothing but which patches occur.

Axis letters: F filters, h w rows and columns of a filter.
"""

import math

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn.functional import conv2d

N_FILTERS = 512
PATCH_PX = 5
STRIDE_PX = 2
RESPONSE_BYTES = 4 << 20
"""Responses held at once; all those of a 448 px chip, which no cache holds, took half as long again (AMD EPYC)."""
CONTRAST = 1e-3
"""A patch whose spread, in units of its channels' own, is less than this shows nothing but rounding."""


def cut_patches(
    images: Float32[np.ndarray, "N C H W"], *, n_patches: int, rng: np.random.Generator
) -> Float32[np.ndarray, "n_patches C h w"]:
    """Patches at random places of the images, taken in turn, so that every image gives as many (or one more).

    Their side is 5 pixels, or the images' own if that is less.
    """
    height, width = (min(PATCH_PX, side) for side in images.shape[2:])
    rows = rng.integers(0, images.shape[2] - height + 1, n_patches)
    cols = rng.integers(0, images.shape[3] - width + 1, n_patches)
    return np.stack(
        [
            images[number % len(images), :, row : row + height, col : col + width]
            for number, (row, col) in enumerate(zip(rows, cols, strict=True))
        ]
    )


def standardise(patches: Float32[np.ndarray, "N C h w"], n_filters: int) -> Float32[np.ndarray, "{n_filters} C h w"]:
    """Filters of zero mean and unit norm from the first `n_filters` patches that show any contrast.

    Where too few do, the rest are filters of 0, whose features are 0.

    *Deviation* from the source, which whitens its patches: standardising alone needs no matrix that training chips
    must be enough to estimate.
    """
    flat = patches.reshape(len(patches), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    has_contrast = norm > CONTRAST * flat.shape[1] ** 0.5
    unit = np.where(has_contrast, flat / np.where(has_contrast, norm, 1), 0)
    kept = np.argsort(~has_contrast[:, 0], kind="stable")[:n_filters]
    filters = np.zeros((n_filters, *patches.shape[1:]), dtype=np.float32)
    filters[: len(kept)] = unit[kept].reshape(-1, *patches.shape[1:])
    return filters


def random_conv(
    images: Float32[np.ndarray, "B C H W"], filters: Float32[np.ndarray, "F C h w"], *, stride_px: int = STRIDE_PX
) -> Float32[np.ndarray, "B twice_F"]:
    """Mean over all places of each filter's response where it is positive, then of each where it is negative.

    Every second row and column of places is enough: against all of them the features correlate by more than 0.98
    (tests/embed/test_random_conv.py measures it on textures), for a quarter of the work.

    Args:
        images: scaled by channel, without NaN.

    Source: Rolf et al. 2021, doi 10.1038/s41467-021-24638-z, methods ("random convolutional features").
    """
    places = [(size - patch) // stride_px + 1 for size, patch in zip(images.shape[2:], filters.shape[2:], strict=True)]
    bytes_per_filter = 4 * math.prod(places)
    weights = torch.split(torch.from_numpy(filters), max(1, RESPONSE_BYTES // bytes_per_filter))
    batches = torch.split(torch.from_numpy(images), max(1, RESPONSE_BYTES // (bytes_per_filter * len(filters))))
    with torch.inference_mode():
        rows = [torch.cat([_pool(conv2d(batch, w, stride=stride_px)) for w in weights], dim=2) for batch in batches]
        return torch.cat(rows).flatten(1).numpy()


def _pool(responses: Float[Tensor, "B F H W"]) -> Float[Tensor, "B 2 F"]:
    mean = responses.mean(dim=(2, 3))
    size = responses.abs_().mean(dim=(2, 3))
    return torch.stack([size + mean, size - mean], dim=1).clamp_(min=0) / 2
