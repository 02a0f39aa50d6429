"""Numbers that anyone would compute first from a chip's images: a floor that an encoder must beat.

Axis letters: F features, P pixels of an image, E pairs of channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

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
    neighbours down the columns and along the rows, and the spread of the means of 8 x 8 blocks; of each pair of
    channels the correlation. NaN and infinite pixels are no data. What no pixel tells is NaN: all of a channel without
    data, a gradient where no two neighbours are valid, a correlation with a constant.
    """
    # Pixels near the largest float32, a no-data code that nobody declared, overflow: such statistics are absent too.
    with np.errstate(over="ignore", invalid="ignore"):
        features = _image_stats(images, np.isfinite(images)).astype(np.float32)
    features[~np.isfinite(features)] = np.nan
    return features


def _image_stats(
    images: Float32[np.ndarray, "B C H W"], valid: Bool[np.ndarray, "B C H W"]
) -> Float64[np.ndarray, "B F"]:
    n_chips, n_channels = images.shape[:2]
    counts = valid.sum(axis=(2, 3))
    mean = _per(np.where(valid, images, 0).sum(axis=(2, 3), dtype=np.float64), counts)
    # Centred: the squares of 10,000 plus or minus 1 would lose the 1 in float32.
    centred = np.where(valid, images - np.nan_to_num(mean).astype(np.float32)[..., None, None], np.float32(0))
    spread = np.sqrt(_per(np.square(centred).sum(axis=(2, 3), dtype=np.float64), counts))
    statistics = [
        mean,
        spread,
        *_quantiles(images, valid, counts),
        _mean_difference(centred, valid, axis=2),
        _mean_difference(centred, valid, axis=3),
        _block_spread(centred, valid),
    ]
    of_channels = np.stack(statistics, axis=-1).reshape(n_chips, n_channels * len(CHANNEL_STATISTICS))
    return np.hstack([of_channels, _correlations(centred, valid)])


def mean_and_spread(images: Float32[np.ndarray, "B C H W"]) -> Float32[np.ndarray, "B 2 H W"]:
    """The mean and the spread of each pixel over its channels: one form for chips with any number of channels.

    A pixel that no channel shows is NaN in both; one that a single channel shows has no spread, that is 0.
    """
    valid = np.isfinite(images)
    counts = valid.sum(axis=1)
    mean = _per(np.where(valid, images, 0).sum(axis=1, dtype=np.float64), counts)
    deviations = np.where(valid, images - mean[:, None], 0)
    spread = np.sqrt(_per(np.square(deviations).sum(axis=1), counts))
    return np.stack([mean, spread], axis=1).astype(np.float32)


@dataclass(slots=True)
class ColumnMeans:
    """Means of the columns of many rows, of which some at a time are added; NaN counts for nothing."""

    total: Float64[np.ndarray, " F"] | float = 0.0
    seen: Int64[np.ndarray, " F"] | int = 0

    def add(self, features: Float32[np.ndarray, "n F"]) -> None:
        """Merge rows in."""
        known = ~np.isnan(features)
        self.total = self.total + np.where(known, features, 0).sum(axis=0, dtype=np.float64)
        self.seen = self.seen + known.sum(axis=0)


def fill_absent_with_training_mean(
    features: Float32[np.ndarray, "N F"], training: ColumnMeans
) -> Float32[np.ndarray, "N F"]:
    """Features in which what is absent has become the mean of the training chips that have it.

    A column that no training chip has becomes 0 in every row, so that nothing is learnt from it. A row without any
    feature, a chip without the modality, stays NaN.
    """
    known, seen = ~np.isnan(features), np.broadcast_to(training.seen, features.shape[1:])
    means = np.nan_to_num(_per(np.broadcast_to(training.total, seen.shape), seen))
    filled = np.where(known, features, means.astype(np.float32))
    filled[:, seen == 0] = 0
    filled[~known.any(axis=1)] = np.nan
    return filled


def _per(total: Float64[np.ndarray, "..."], count: Int64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """Total per count; NaN of nothing."""
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _quantiles(
    images: Float32[np.ndarray, "B C H W"], valid: Bool[np.ndarray, "B C H W"], counts: Int64[np.ndarray, "B C"]
) -> list[Float64[np.ndarray, "B C"]]:
    """Quantiles with linear interpolation between order statistics, as numpy's default."""
    ascending = np.sort(np.where(valid, images, np.float32(np.nan)).reshape(*counts.shape, -1), axis=-1)
    last = np.maximum(counts - 1, 0)[..., None]
    places = last * np.array(QUANTILES)
    below = places.astype(np.int64)
    low = np.take_along_axis(ascending, below, axis=-1).astype(np.float64)
    high = np.take_along_axis(ascending, np.minimum(below + 1, last), axis=-1)
    return list(np.moveaxis(low + (high - low) * (places - below), -1, 0))


def _mean_difference(
    centred: Float32[np.ndarray, "B C H W"], valid: Bool[np.ndarray, "B C H W"], *, axis: int
) -> Float64[np.ndarray, "B C"]:
    """Mean absolute difference of neighbours along an axis, where both are valid."""
    end = centred.shape[axis]
    both = valid.take(range(1, end), axis) & valid.take(range(end - 1), axis)
    steps = np.abs(np.diff(centred, axis=axis))
    return _per(np.where(both, steps, 0).sum(axis=(2, 3), dtype=np.float64), both.sum(axis=(2, 3)))


def _block_spread(
    centred: Float32[np.ndarray, "B C H W"], valid: Bool[np.ndarray, "B C H W"]
) -> Float64[np.ndarray, "B C"]:
    """Standard deviation of the means of the blocks that have a valid pixel."""
    block_means = _per(_sum_blocks(centred).astype(np.float64), _sum_blocks(valid.astype(np.int64)))
    known = ~np.isnan(block_means)
    counts = known.sum(axis=(2, 3))
    filled = np.where(known, block_means, 0)
    middle = _per(filled.sum(axis=(2, 3)), counts)[..., None, None]
    return np.sqrt(_per(np.where(known, np.square(block_means - middle), 0).sum(axis=(2, 3)), counts))


def _sum_blocks(images: np.ndarray) -> np.ndarray:
    """Sums over an 8 x 8 grid of blocks as equal as the side allows; fewer blocks in an image of fewer pixels."""
    for axis in (2, 3):
        side = images.shape[axis]
        n_blocks = min(BLOCKS_PER_SIDE, side)
        images = np.add.reduceat(images, np.arange(n_blocks) * side // n_blocks, axis=axis)
    return images


def _correlations(
    centred: Float32[np.ndarray, "B C H W"], valid: Bool[np.ndarray, "B C H W"]
) -> Float64[np.ndarray, "B E"]:
    """Pearson correlation of each pair of channels over the pixels both show; NaN where either is constant there."""
    x = centred.reshape(*centred.shape[:2], -1)
    w = valid.reshape(x.shape).astype(np.float32)
    # Entry (i, j): a sum over the pixels that channels i and j share, of what channel i shows there.
    counts = np.maximum(_gram(w, w), 1)
    sums, squares = _gram(x, w), _gram(np.square(x), w)
    variances = squares - np.square(sums) / counts
    varies = (variances > CONSTANT * squares) & (variances > 0)
    covariances = _gram(x, x) - sums * sums.swapaxes(1, 2) / counts
    scale = np.sqrt(np.where(varies, variances, 1))
    correlations = np.clip(covariances / (scale * scale.swapaxes(1, 2)), -1, 1)
    correlations[~(varies & varies.swapaxes(1, 2))] = np.nan
    left, right = np.triu_indices(x.shape[1], k=1)
    return correlations[:, left, right]


def _gram(left: Float32[np.ndarray, "B C P"], right: Float32[np.ndarray, "B C P"]) -> Float64[np.ndarray, "B C C"]:
    return (left @ right.swapaxes(1, 2)).astype(np.float64)
