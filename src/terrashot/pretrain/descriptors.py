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
    rows, cols = (length // side * side for length in images.shape[1:])
    # Sums of every side-th row, then column: five times as fast as a mean over two axes of a few numbers each.
    of_rows = np.add.reduce([images[:, first:rows:side, :cols] for first in range(side)])
    sums: np.ndarray = np.add.reduce([of_rows[:, :, first::side] for first in range(side)])
    return sums / np.float32(side**2)


def _gradient(images: Float32[np.ndarray, "B H W"]) -> Float32[np.ndarray, " B"]:
    down, along = np.abs(np.diff(images, axis=1)), np.abs(np.diff(images, axis=2))
    mean: np.ndarray = (down.mean(axis=(1, 2)) + along.mean(axis=(1, 2))) / 2
    return mean


def pattern_shares(images: Float32[np.ndarray, "B H W"], radius: int) -> Float32[np.ndarray, "B 10"]:
    """Shares of the pixels with each local binary pattern: so many of eight neighbours as bright or brighter, in one run;
    and last, all patterns of several runs.

    Source: Ojala, Pietikäinen and Mäenpää 2002, IEEE TPAMI 24(7), equation 10 (rotation-invariant uniform patterns).
    """
    codes = _codes(images, radius).reshape(len(images), -1)
    counts = np.stack([np.bincount(own, minlength=len(IS_PATTERN)) for own in codes])
    return (counts @ IS_PATTERN / codes.shape[1]).astype(np.float32)


def _codes(images: Float32[np.ndarray, "B H W"], radius: int) -> UInt8[np.ndarray, "B h w"]:
    """A bit for each neighbour that is as bright or brighter."""
    inner = np.ascontiguousarray(images[:, radius:-radius, radius:-radius])
    codes, height, width = np.zeros(inner.shape, dtype=np.uint8), *inner.shape[1:]
    is_as_bright = np.empty(inner.shape, dtype=np.bool_)
    for bit, (down, along) in enumerate(NEIGHBOURS):
        top, left = radius * (1 + down), radius * (1 + along)
        np.greater_equal(images[:, top : top + height, left : left + width], inner, out=is_as_bright)
        # In place: new memory for each neighbour would take as long as the comparison.
        flags = is_as_bright.view(np.uint8)
        codes |= np.left_shift(flags, np.uint8(bit), out=flags)
    return codes


def _patterns_of_codes() -> Float32[np.ndarray, "256 10"]:
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    is_one_run = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    patterns = np.where(is_one_run, bits.sum(axis=1), N_PATTERNS - 1)
    return (patterns[:, None] == np.arange(N_PATTERNS)).astype(np.float32)


IS_PATTERN = _patterns_of_codes()
"""Whether a code is of a pattern: eight bits in a ring."""
