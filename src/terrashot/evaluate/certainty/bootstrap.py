"""The two-way bootstrap: what other draws of labels and other blocks of test chips would have given.

Axes: T replicates, S sizes, R draws, B blocks of test chips.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from terrashot.evaluate.certainty.curve import Curve, scores_by_draw

REPLICATES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """How much each draw and each block counts in each replicate; one for all that is compared in a task and area.

    The same weights for every size, feature set, head and floor make their differences paired.
    """

    draws: Float64[np.ndarray, "T R"]
    """R: as many as the size with the most draws; one with fewer uses the first."""
    blocks: Float64[np.ndarray, "T B"]


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Scores, and how far other draws, other blocks, and both at once would move them.

    Moves are widened for the finite number of draws or blocks, so that their variances are not too small.
    """

    estimate: Float64[np.ndarray, " S"]
    """Mean over the draws."""
    by_draws: Float64[np.ndarray, "T S"]
    by_blocks: Float64[np.ndarray, "T S"]
    by_both: Float64[np.ndarray, "T S"]
    """What is left when the first two are taken off: a draw's luck in a block."""
    draws_df: Float64[np.ndarray, " S"]
    """Degrees of freedom: draws less one; infinite for a single fit on all labels, which no draw changes; 0: unknown."""
    blocks_df: float
    """Blocks less one, unequal ones counting as fewer, but at least 1; 0 of one block: unknown."""

    def at(self, position: int) -> "Replicates":
        """One size of them, as a curve of one size."""
        own = [position]
        return Replicates(
            self.estimate[own],
            self.by_draws[:, own],
            self.by_blocks[:, own],
            self.by_both[:, own],
            self.draws_df[own],
            self.blocks_df,
        )

    def minus(self, other: "Replicates", share: float = 1.0) -> "Replicates":
        """The difference from a share of another under the same weights: size by size, or from its one size."""
        return Replicates(
            self.estimate - share * other.estimate,
            self.by_draws - share * other.by_draws,
            self.by_blocks - share * other.by_blocks,
            self.by_both - share * other.by_both,
            np.minimum(self.draws_df, other.draws_df),
            min(self.blocks_df, other.blocks_df),
        )


def make_weights(n_draws: int, n_blocks: int, rng: np.random.Generator, n_replicates: int = REPLICATES) -> Weights:
    """Independent exponential weights of draws and of blocks. More draws leave the weights of the first as they were.

    Source: Owen and Eckles 2012, doi:10.1214/12-AOAS547 (the Bayesian form of the pigeonhole bootstrap, Owen 2007,
    doi:10.1214/07-AOAS122). *Deviation* from drawing with replacement, where of few draws or blocks a replicate may hold none
    that a size has; an exponential weight is never zero, and some of the weights are again such weights.
    """
    of_draws, of_blocks = rng.spawn(2)
    return Weights(
        of_draws.standard_exponential((n_draws, n_replicates)).T,
        of_blocks.standard_exponential((n_blocks, n_replicates)).T,
    )


def replicate(curve: Curve, weights: Weights) -> Replicates:
    """The curve's scores and how its draws and blocks move them.

    Where a size exceeds a third of the pool, draws hardly differ and their spread hides that the pool itself is a sample; the
    fits to give here are then those on pools resampled by group (`sampling.resampled_draw`). Nothing else changes.

    Source: Owen and Eckles 2012. No reweighting is exact for two crossed factors (McCullagh 2000, doi:10.2307/3318577): the luck
    of a draw in a block counts three times. So the parts stay apart here, and `intervals.spread_of` adds them up rightly.
    """
    weighted = scores_by_draw(curve, weights.blocks)
    plain = scores_by_draw(curve, np.ones((1, len(curve.n))))
    moves = [_moves(own, base[:, 0], weights.draws) for own, base in zip(weighted, plain, strict=True)]
    by_draws, by_blocks, by_both = (np.stack(part, axis=1) for part in zip(*moves, strict=True))
    effective = float(curve.n.sum()) ** 2 / float((curve.n.astype(np.float64) ** 2).sum())
    wider_draws, wider_blocks = _widening(curve.repeats.astype(np.float64)), _widening(np.array([effective]))
    return Replicates(
        np.array([base.mean() for base in plain]),
        by_draws * wider_draws,
        by_blocks * wider_blocks,
        by_both * wider_draws * wider_blocks,
        np.where((curve.repeats == 1) & np.array(curve.is_full), np.inf, curve.repeats - 1.0),
        max(effective - 1, 1.0) if len(curve.n) > 1 else 0.0,
    )


def _moves(
    weighted: Float64[np.ndarray, "R T"], plain: Float64[np.ndarray, " R"], draws: Float64[np.ndarray, "T _"]
) -> tuple[Float64[np.ndarray, " T"], Float64[np.ndarray, " T"], Float64[np.ndarray, " T"]]:
    """How far the mean of one size moves by the draws' weights, by the blocks', and by both beyond these two."""
    own = draws[:, : len(plain)]
    own = own / own.sum(axis=1, keepdims=True)
    mean = plain.mean()
    by_draws, by_blocks = own @ plain - mean, weighted.mean(axis=0) - mean
    return by_draws, by_blocks, np.einsum("tr,rt->t", own, weighted) - mean - by_draws - by_blocks


def _widening(count: Float64[np.ndarray, " S"]) -> Float64[np.ndarray, " S"]:
    """Root of (n + 1) / (n - 1): the variance that n exponential weights give a mean is so much too small; 0 for one.

    Source: the variance of Dirichlet weights, Rubin 1981, doi:10.1214/aos/1176345338, against that of a mean of n.
    """
    return np.sqrt(np.divide(count + 1, count - 1, out=np.zeros_like(count), where=count > 1))
