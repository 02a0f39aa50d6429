"""Simple numbers that say what an image is like, whichever way it lies: what the second loss predicts.

Legend: Q numbers a descriptor, P pixels.
"""

import numpy as np
from jaxtyping import Float32, UInt8

QUANTILES = (0.02, 0.10, 0.25, 0.50, 0.75, 0.90, 0.98)
SCALES = (1, 2, 4)
BLOCKS_PER_SIDE = 8
RADII = (1, 2, 3)
NEIGHBOURS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
"""Row and column of each neighbour, in order around a pixel, in radii."""
N_PATTERNS = 10
LEAST_SIDE_PX = 2 * max(RADII) + 1
N_DESCRIPTORS = 2 + len(QUANTILES) + len(SCALES) + 1 + N_PATTERNS * len(RADII)


def describe(images: Float32[np.ndarray, "B H W"]) -> Float32[np.ndarray, "B Q"]:
    """Moments, quantiles, gradients and local binary patterns of each image; the same however it is turned or flipped.

    Mean and spread, seven quantiles; the mean absolute difference of neighbours in the image and in the means of its blocks of
    2 and 4 pixels; the spread of the means of 8 x 8 blocks; the square roots of the shares of each pattern, by radius.

    Args:
        images: finite, square, at least 7 px.
    """
    flat = np.sort(images.reshape(len(images), -1), axis=1)
    places = np.rint(np.array(QUANTILES) * (flat.shape[1] - 1)).astype(np.int64)
    moments = [flat.mean(axis=1)[:, None], flat.std(axis=1)[:, None], flat[:, places]]
    gradients = [_gradient(block_means(images, scale)) for scale in SCALES]
    blocks = block_means(images, max(1, images.shape[1] // BLOCKS_PER_SIDE))
    spread = blocks.reshape(len(images), -1).std(axis=1)
    patterns = [np.sqrt(pattern_shares(images, radius)) for radius in RADII]
    return np.concatenate([*moments, np.stack([*gradients, spread], axis=1), *patterns], axis=1, dtype=np.float32)


def block_means(images: Float32[np.ndarray, "B H W"], side: int) -> Float32[np.ndarray, "B h w"]:
    """Means of square blocks; rows and columns that fill none are left out."""
    if side == 1:
        return images
    rows, cols = images.shape[1] // side, images.shape[2] // side
    whole = images[:, : rows * side, : cols * side]
    means: np.ndarray = whole.reshape(len(images), rows, side, cols, side).mean(axis=(2, 4))
    return means


def _gradient(images: Float32[np.ndarray, "B H W"]) -> Float32[np.ndarray, " B"]:
    down, along = np.abs(np.diff(images, axis=1)), np.abs(np.diff(images, axis=2))
    mean: np.ndarray = (down.mean(axis=(1, 2)) + along.mean(axis=(1, 2))) / 2
    return mean


def pattern_shares(images: Float32[np.ndarray, "B H W"], radius: int) -> Float32[np.ndarray, "B 10"]:
    """Shares of the pixels with each local binary pattern: so many of eight neighbours as bright or brighter, in one run;
    and last, all patterns of several runs.

    Source: Ojala, Pietikäinen and Mäenpää 2002, IEEE TPAMI 24(7), equation 10 (rotation-invariant uniform patterns).
    """
    inner = images[:, radius:-radius, radius:-radius]
    codes = np.zeros(inner.shape, dtype=np.uint8)
    height, width = images.shape[1:]
    for bit, (down, along) in enumerate(NEIGHBOURS):
        top, left = radius * (1 + down), radius * (1 + along)
        beside = images[:, top : top + height - 2 * radius, left : left + width - 2 * radius]
        codes |= (beside >= inner).view(np.uint8) << np.uint8(bit)
    classes = PATTERN_OF[codes].reshape(len(images), -1).astype(np.int64)
    classes += N_PATTERNS * np.arange(len(images))[:, None]
    counts = np.bincount(classes.ravel(), minlength=N_PATTERNS * len(images))
    return (counts.reshape(len(images), N_PATTERNS) / classes.shape[1]).astype(np.float32)


def _pattern_of_codes() -> UInt8[np.ndarray, " 256"]:
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    is_one_run = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(is_one_run, bits.sum(axis=1), N_PATTERNS - 1).astype(np.uint8)


PATTERN_OF = _pattern_of_codes()
