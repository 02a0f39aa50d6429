"""95 % intervals from the two-way bootstrap, the parts of their half widths, and paired differences.

Axes: T replicates, S sizes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.stats import norm
from scipy.stats import t as student

from terrashot.evaluate.certainty.bootstrap import Replicates

UPPER = 0.975


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variances of estimates; NaN where one draw or one block leaves them unknown."""

    draws: Float64[np.ndarray, " S"]
    """Of the draws alone, on these blocks."""
    blocks: Float64[np.ndarray, " S"]
    """Of the blocks alone, with these draws."""
    total: Float64[np.ndarray, " S"]
    quantile: Float64[np.ndarray, " S"]
    """Half widths in standard errors (Student's t)."""


@dataclass(frozen=True, slots=True, eq=False)
class HalfWidths:
    """Half widths of 95 % intervals that would count one source of uncertainty alone."""

    draws: Float64[np.ndarray, " S"]
    blocks: Float64[np.ndarray, " S"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A score less another over the same draws and blocks."""

    estimate: float
    low: float | None
    """95 % interval; None: one draw or one block cannot tell."""
    high: float | None
    share_above: float | None
    """Share of the replicates in which it is above 0; None likewise."""


def spread_of(scores: Replicates) -> Spread:
    """The variances of the scores, over draws, over blocks, and over both.

    The first two hold the luck of a draw in a block twice, so it is taken off once: the rule of the two-way table of random
    effects (Cameron, Gelbach and Miller 2011, doi:10.1198/jbes.2010.07136), but never below either part. Degrees of
    freedom: Satterthwaite 1946, doi:10.2307/3002019, never fewer than the scarcer of draws and blocks has; unequal
    blocks count as fewer (Carter, Schnepel and Steigerwald 2017, doi:10.1162/REST_a_00639, by their sizes alone).
    """
    draws, blocks, both = (part.var(axis=0) for part in (scores.by_draws, scores.by_blocks, scores.by_both))
    total = np.maximum(draws + blocks - both, np.maximum(draws, blocks))
    known = (scores.draws_df > 0) & (scores.blocks_df > 0)
    df_draws, df_blocks = np.where(known, scores.draws_df, 1.0), np.where(known, scores.blocks_df, 1.0)
    noise = draws**2 / df_draws + blocks**2 / df_blocks + both**2 / (df_draws * df_blocks)
    df = np.divide(total**2, noise, out=np.zeros_like(total), where=noise > 0)
    quantile = student.ppf(UPPER, np.maximum(df, np.minimum(df_draws, df_blocks)))
    unknown = np.where(known, 1.0, np.nan)
    return Spread(draws, blocks, total, quantile * unknown)


def interval(scores: Replicates) -> tuple[Float64[np.ndarray, " S"], Float64[np.ndarray, " S"]]:
    """Low and high ends that hold the expectation over new draws and new blocks 95 times of 100; NaN: cannot be told.

    A mean of ten draws is too few for quantiles of replicates, which fall short by (R - 1) / R and by Student's t; so the
    ends are the estimate -+ t standard errors. Measured coverage: docs/few-labels.md. An end may pass the best possible score.
    """
    spread = spread_of(scores)
    half = spread.quantile * np.sqrt(spread.total)
    return scores.estimate - half, scores.estimate + half


def stretched(scores: Replicates) -> Float64[np.ndarray, "T S"]:
    """Replicates of the scores whose quantiles agree with `interval`; for what is no plain mean. NaN: cannot be told."""
    spread = spread_of(scores)
    plain = np.sqrt(spread.draws + spread.blocks)
    wanted = np.sqrt(spread.total) * spread.quantile / norm.ppf(UPPER)
    factor = np.divide(wanted, plain, out=np.where(np.isnan(wanted), np.nan, 1.0), where=plain > 0)
    return scores.estimate + (scores.by_draws + scores.by_blocks) * factor


def half_widths(scores: Replicates) -> HalfWidths:
    """The parts of the half width; infinite of one draw or one block. `repeats.repeats_needed` acts on the draws' part."""
    spread = spread_of(scores)
    of_blocks = np.full(len(scores.estimate), scores.blocks_df)
    return HalfWidths(_half_width(spread.draws, scores.draws_df), _half_width(spread.blocks, of_blocks))


def paired_difference(one: Replicates, other: Replicates) -> Difference:
    """One score less another, each a curve of one size (`Replicates.at`), under the same weights."""
    gap = one.minus(other)
    low, high = interval(gap)
    above = None if np.isnan(low[0]) else float((stretched(gap) > 0).mean())
    return Difference(float(gap.estimate[0]), _known(low[0]), _known(high[0]), above)


def _half_width(variance: Float64[np.ndarray, " S"], df: Float64[np.ndarray, " S"]) -> Float64[np.ndarray, " S"]:
    half = student.ppf(UPPER, np.where(df > 0, df, 1.0)) * np.sqrt(variance)
    return np.where(df > 0, half, np.inf)


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
