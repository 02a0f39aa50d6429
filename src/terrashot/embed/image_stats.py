"""Numbers that anyone would compute first from a chip's images: a floor that an encoder must beat.

Axis letters: F features, P pixels of an image.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

QUANTILES = (0.02, 0.10, 0.25, 0.50, 0.75, 0.90, 0.98)
BLOCKS_PER_SIDE = 8
CHANNEL_STATISTICS = (
    "mean",
    "spread",
    *(f"q{round(100 * share):02d}" for share in QUANTILES),
    "gradient_y",
    "gradient_x",
    "block_spread",
)
CONSTANT = 1e-5
"""Pixels whose variance is this small a share of their mean square differ by rounding of float32 only."""


def feature_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns of `image_stats`: each statistic of each channel, then each pair's correlation."""
    of_channels = [f"{channel}_{statistic}" for channel in channels for statistic in CHANNEL_STATISTICS]
    return (*of_channels, *(f"{left}_{right}_correlation" for left, right in combinations(channels, 2)))


def image_stats(images: Float32[np.ndarray, "B C H W"]) -> Float32[np.ndarray, "B F"]:
    """Statistics of the valid pixels of each chip; columns as `feature_names` says.

    Of each channel the mean, the spread (standard deviation), seven quantiles, the mean absolute difference of
    neighbours down the columns and along the rows, and the spread of the means of 8 x 8 blocks; of each pair of channels
    the correlation. NaN or infinite pixels are no data. What no pixel tells is NaN: all of a channel without data, a
    gradient where no two neighbours are valid, a correlation with a constant.
    """
    n_chips, n_channels = images.shape[:2]
    valid = np.isfinite(images)
    pixels = images if valid.all() else np.where(valid, images, np.float32(np.nan))
    mean = _share(np.where(valid, images, 0).sum(axis=(2, 3), dtype=np.float64), valid.sum(axis=(2, 3)))
    # Centred: sums of squares of 10,000 plus or minus 1 would lose the 1 in float32.
    centred = pixels - mean.astype(np.float32)[..., None, None]
    filled = np.where(valid, centred, 0)
    spread = np.sqrt(_share(np.square(filled).sum(axis=(2, 3), dtype=np.float64), valid.sum(axis=(2, 3))))
    statistics = [mean, spread, *_quantiles(pixels, valid), *_gradients(pixels), _block_spread(filled, valid)]
    of_channels = np.stack(statistics, axis=-1).reshape(n_chips, n_channels * len(CHANNEL_STATISTICS))
    return np.hstack([of_channels, _correlations(filled, valid)]).astype(np.float32)
