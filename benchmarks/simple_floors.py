"""Simple features of images that need no training by gradient: colour histograms, local binary patterns, PCA of pixels.

Axis letters: K bins, P pixels of all channels of a chip, S features.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

BINS = 32
MOST_JOINT = 512
"""Cells of a joint histogram at most."""
RADII = (1, 2, 3)
N_NEIGHBOURS = 8
N_PATTERNS = N_NEIGHBOURS + 2
COMPONENTS = 64
SAMPLED_CHIPS = 500


@dataclass(frozen=True, slots=True, eq=False)
class ColourBins:
    """Edges between bins: quantiles of the training chips' pixels, by channel."""

    edges: Float32[np.ndarray, "C E"]


def learn_bins(train: Float32[np.ndarray, "N C H W"], n_bins: int) -> ColourBins:
    """Bins that hold as many training pixels each."""
    some = train[:: max(1, len(train) // SAMPLED_CHIPS)]
    shares = np.arange(1, n_bins) / n_bins
    edges = [np.quantile(some[:, channel], shares) for channel in range(train.shape[1])]
    return ColourBins(np.array(edges, dtype=np.float32))


def joint_bins(n_channels: int) -> int:
    """Bins a channel of the joint histogram: the largest power of two, at most 16, whose cells are not too many."""
    return max(bins for bins in (1, 2, 4, 8, 16) if bins**n_channels <= MOST_JOINT)


def colour_histograms(images: Float32[np.ndarray, "N C H W"], bins: ColourBins) -> Float32[np.ndarray, "N S"]:
    """Square roots of the shares of pixels in each bin of each channel.

    The root makes a straight line between histograms a fair distance (Hellinger; Arandjelovic and Zisserman 2012,
    doi:10.1109/CVPR.2012.6248018, section 3).
    """
    n_bins = bins.edges.shape[1] + 1
    shares = [_shares(_bins_of(images[:, channel], edges), n_bins) for channel, edges in enumerate(bins.edges)]
    return np.sqrt(np.concatenate(shares, axis=1)).astype(np.float32)


def joint_histograms(images: Float32[np.ndarray, "N C H W"], bins: ColourBins) -> Float32[np.ndarray, "N S"]:
    """Square roots of the shares of pixels in each cell that the bins of all channels make together."""
    n_bins = bins.edges.shape[1] + 1
    cells = np.zeros((len(images), *images.shape[2:]), dtype=np.int64)
    for channel, edges in enumerate(bins.edges):
        cells = cells * n_bins + _bins_of(images[:, channel], edges)
    return np.sqrt(_shares(cells, n_bins ** len(bins.edges))).astype(np.float32)


def _bins_of(images: Float32[np.ndarray, "N H W"], edges: Float32[np.ndarray, " E"]) -> np.ndarray:
    return np.searchsorted(edges, images, side="right")


def _shares(numbers: np.ndarray, n_bins: int) -> Float64[np.ndarray, "N K"]:
    """Share of each number from 0 to `n_bins` - 1 among the pixels of a chip."""
    flat = numbers.reshape(len(numbers), -1) + n_bins * np.arange(len(numbers))[:, None]
    return np.bincount(flat.ravel(), minlength=n_bins * len(numbers)).reshape(-1, n_bins) / numbers[0].size


def local_binary_patterns(images: Float32[np.ndarray, "N C H W"]) -> Float32[np.ndarray, "N S"]:
    """Square roots of the shares of uniform patterns, of each channel at each radius; no rotation by 90 degrees changes them.

    Source: Ojala, Pietikainen and Maenpaa 2002, doi:10.1109/TPAMI.2002.1017623, equation 9. *Deviation:* neighbours lie at
    whole pixels nearest to the circle, nothing is interpolated.
    """
    shares = [
        _shares(pattern_codes(images[:, channel], radius), N_PATTERNS)
        for channel in range(images.shape[1])
        for radius in RADII
    ]
    return np.sqrt(np.concatenate(shares, axis=1)).astype(np.float32)


def pattern_codes(images: Float32[np.ndarray, "N H W"], radius: int) -> UInt8[np.ndarray, "N h w"]:
    """Number of neighbours not darker than the pixel, where they lie side by side; 9 elsewhere. Pixels near an edge have none."""
    angles = 2 * np.pi * np.arange(N_NEIGHBOURS) / N_NEIGHBOURS
    rows, cols = (np.rint(radius * part).astype(int) + radius for part in (np.sin(angles), np.cos(angles)))
    height, width = (side - 2 * radius for side in images.shape[1:])
    centre = images[:, radius : radius + height, radius : radius + width]
    bits = np.array(
        [images[:, row : row + height, col : col + width] >= centre for row, col in zip(rows, cols, strict=True)]
    )
    changes = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
    return np.where(changes <= 2, bits.sum(axis=0), N_NEIGHBOURS + 1).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class PixelComponents:
    """Principal components of the training chips' pixels, scaled by channel."""

    mean: Float32[np.ndarray, " P"]
    spread: Float32[np.ndarray, " C"]
    components: Float32[np.ndarray, "P K"]

    def of(self, images: Float32[np.ndarray, "N C H W"]) -> Float32[np.ndarray, "N K"]:
        """The chips' coordinates."""
        return (_flat(images, self.spread) - self.mean) @ self.components


def learn_components(train: Float32[np.ndarray, "N C H W"]) -> PixelComponents:
    """The 64 directions of largest variance, or as many as the chips have."""
    spread = train.std(axis=(0, 2, 3)) + np.float32(1e-12)
    flat = _flat(train, spread)
    mean = flat.mean(axis=0)
    flat -= mean
    # By the products of chips with chips: far fewer than pixels.
    variances, chips = np.linalg.eigh((flat @ flat.T).astype(np.float64))
    kept = np.argsort(-variances)[: min(COMPONENTS, len(train) - 1)]
    directions = flat.T @ chips[:, kept].astype(np.float32)
    return PixelComponents(mean, spread, directions / np.linalg.norm(directions, axis=0))


def _flat(images: Float32[np.ndarray, "N C H W"], spread: Float32[np.ndarray, " C"]) -> Float32[np.ndarray, "N P"]:
    return (images / spread[:, None, None]).reshape(len(images), -1)
