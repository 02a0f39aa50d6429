"""What the absent part of a vector becomes: nothing, the mean of training chips, or what its present parts foretell.

Legend: P numbers of all parts side by side.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from terrashot.errors import InputError, UsageError

AbsenceStrategy = Literal["drop", "training-mean", "ridge"]
"""`drop`: a chip that lacks a part has no vector; `training-mean`: the part's mean over the training chips; `ridge`: the part as
a ridge regression learnt on the training chips foretells it from the parts that are there."""
LONGEST = 8192
"""Longer vectors get no ridge: their covariance alone would take half a gigabyte, and its Cholesky factor as much again."""
LEAST_SHRINKAGE = 1e-6
"""Keeps a covariance of few or exactly related rows invertible in float64."""
BLOCK_ROWS = 1024
"""Rows are summed in lots of so many, however they come, so that batches change no bit."""

Batches = Callable[[], Iterable[Float[np.ndarray, "n P"]]]


@dataclass(frozen=True, slots=True, eq=False)
class AbsenceModel:
    """Moments of the training chips."""

    mean: Float64[np.ndarray, " P"]
    covariance: Float64[np.ndarray, "P P"] | None
    """Shrunk towards a multiple of the identity; None: good for training means alone."""
    shrinkage: float
    """Share of that multiple in it, 0 to 1; 0 without a covariance."""
    n_rows: int
    """Training chips that it was learnt from."""


def learn_absence(batches: Batches, strategy: AbsenceStrategy) -> AbsenceModel:
    """What stands in for absent parts: for `training-mean` each number's mean over the rows that have it; for `ridge` the mean
    and covariance of the rows without NaN.

    One fit of the latter serves every pattern of what is absent: the conditional mean under this covariance is the ridge
    regression of the absent numbers on the present ones, all patterns with the same penalty for each number that tells. The
    penalty is the shrinkage by which the covariance comes nearest to that of the population in expected squares: no label and no
    further chip chooses it. The same rows in the same order give the same bytes, whatever the batches and the threads; another
    order agrees to about 1e-12.

    Args:
        batches: called twice for `ridge`, for the means and then for what is around them; else once.

    Source: Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, section 3.3.

    Raises:
        InputError: `ridge` and fewer than two rows are complete, or a number that no row has.
        UsageError: the vectors are too long for `ridge`.
    """
    # One thread: how many there are decides in which order a product is added up.
    with threadpool_limits(1):
        if strategy != "ridge":
            return AbsenceModel(*_mean_where_there(batches()))
        mean, n_rows = _mean(batches())
        return AbsenceModel(mean, *_shrunk(*_scatter(batches(), mean), n_rows), n_rows)


def fill_absent_parts(
    vectors: Float[np.ndarray, "N P"], model: AbsenceModel, strategy: AbsenceStrategy
) -> Float[np.ndarray, "N P"]:
    """The vectors with something in the place of every NaN, where a row has anything at all; a row of NaN stays one.

    What is there keeps its bits. Under `drop` a row that lacks anything becomes all NaN. A foretold part is shorter than the
    unit length of its like, the more so the less is known of it, and stays so: as measured, unit length would lose
    (docs/missing-data.md). Each pattern of absence costs a Cholesky factor, so give many rows at once.

    Raises:
        UsageError: `ridge`, of a model learnt for training means alone.
    """
    if strategy == "ridge" and model.covariance is None:
        raise UsageError("absence: the model holds training means alone; learn it with the strategy 'ridge'")
    filled = vectors.copy()
    with threadpool_limits(1):
        for rows, absent in _patterns(np.isnan(vectors)):
            if strategy == "drop":
                filled[rows] = np.nan
            elif strategy == "training-mean":
                filled[np.ix_(rows, absent)] = model.mean[absent]
            else:
                filled[np.ix_(rows, absent)] = _foretold(vectors[rows][:, ~absent], model, absent)
    return filled


def _foretold(
    present: Float[np.ndarray, "n O"], model: AbsenceModel, absent: Bool[np.ndarray, " P"]
) -> Float64[np.ndarray, "n A"]:
    """Mean of the absent numbers given the present ones: mu_a + S_ap S_pp^-1 (x_p - mu_p)."""
    assert model.covariance is not None, "asked for before"
    factor = cho_factor(model.covariance[np.ix_(~absent, ~absent)], lower=True, overwrite_a=True, check_finite=False)
    weights = cho_solve(factor, model.covariance[np.ix_(~absent, absent)], overwrite_b=True, check_finite=False)
    foretold: np.ndarray = model.mean[absent] + (present - model.mean[~absent]) @ weights
    return foretold


def _patterns(
    is_absent: Bool[np.ndarray, "N P"],
) -> Iterator[tuple[Int64[np.ndarray, " n"], Bool[np.ndarray, " P"]]]:
    """Rows that lack the same numbers, and these; rows that lack nothing or everything are left out."""
    some = np.flatnonzero(is_absent.any(axis=1) & ~is_absent.all(axis=1))
    _, first, member = np.unique(np.packbits(is_absent[some], axis=1), axis=0, return_index=True, return_inverse=True)
    for number, row in enumerate(some[first]):
        yield some[member.reshape(-1) == number], is_absent[row]


def _mean_where_there(batches: Iterable[np.ndarray]) -> tuple[Float64[np.ndarray, " P"], None, float, int]:
    """Mean of each number over the rows that have it, and how many have the scarcest."""
    total, seen = np.zeros(1), np.zeros(1, dtype=np.int64)
    for block in _blocks(batches):
        there = ~np.isnan(block)
        total = total + np.where(there, block, 0).sum(axis=0)
        seen = seen + there.sum(axis=0)
    if seen.min() == 0:
        raise InputError(
            "absence: no training chip has some of the parts, so that nothing can stand in for them; add training chips, or "
            "leave these channels out"
        )
    return total / seen, None, 0.0, int(seen.min())


def _mean(batches: Iterable[np.ndarray]) -> tuple[Float64[np.ndarray, " P"], int]:
    """Mean of the complete rows, and how many there are."""
    total, n_rows = np.zeros(1), 0
    for block in _complete_blocks(batches):
        if block.shape[1] > LONGEST:
            raise UsageError(
                f"absence: vectors of {block.shape[1]} numbers are too long for the strategy 'ridge', which takes up to "
                f"{LONGEST}; use 'training-mean', or fewer parts"
            )
        total = total + block.sum(axis=0)
        n_rows += len(block)
    if n_rows < 2:
        raise InputError(
            f"absence: {n_rows} training chips have every part, at least 2 are needed for the strategy 'ridge'; use "
            "'training-mean', or add training chips"
        )
    return total / n_rows, n_rows


def _scatter(
    batches: Iterable[np.ndarray], mean: Float64[np.ndarray, " P"]
) -> tuple[Float64[np.ndarray, "P P"], float]:
    """Sum of the products of the centred complete rows, and that of their squared squared lengths."""
    products, fourths = np.zeros((len(mean), len(mean))), 0.0
    for block in _complete_blocks(batches):
        block -= mean
        products += block.T @ block
        fourths += float((np.einsum("np,np->n", block, block) ** 2).sum())
    return products, fourths


def _shrunk(
    products: Float64[np.ndarray, "P P"], fourths: float, n_rows: int
) -> tuple[Float64[np.ndarray, "P P"], float]:
    """The covariance drawn towards the identity times its mean variance, and by what share (Ledoit and Wolf 2004, eq. 14)."""
    covariance = products
    covariance /= n_rows
    size = len(covariance)
    variance = float(np.trace(covariance)) / size
    if variance == 0:
        return np.eye(size), 1.0
    squares = float(np.einsum("pq,pq->", covariance, covariance))
    from_identity = squares - size * variance**2
    from_truth = (fourths / n_rows - squares) / n_rows
    share = 1.0 if from_identity <= from_truth else max(from_truth / from_identity, LEAST_SHRINKAGE)
    covariance *= 1 - share
    covariance[np.diag_indices(size)] += share * variance
    return covariance, share


def _complete_blocks(batches: Iterable[np.ndarray]) -> Iterator[Float64[np.ndarray, "n P"]]:
    """As `_blocks`, of the rows without NaN."""
    return _blocks(batch[~np.isnan(batch).any(axis=1)] for batch in batches)


def _blocks(batches: Iterable[np.ndarray]) -> Iterator[Float64[np.ndarray, "n P"]]:
    """The rows in order, `BLOCK_ROWS` at a time and the rest in the end; each block may be overwritten."""
    held: list[np.ndarray] = []
    n_held = 0
    for batch in batches:
        rows = batch.astype(np.float64)
        while n_held + len(rows) >= BLOCK_ROWS:
            taken = BLOCK_ROWS - n_held
            yield np.concatenate([*held, rows[:taken]])
            held, n_held, rows = [], 0, rows[taken:]
        held, n_held = [*held, rows], n_held + len(rows)
    if n_held:
        yield np.concatenate(held)
