"""The law of a learning curve: what score other numbers of labels would give, with an interval.

score(n) = start + (top - start) * (1 - (1 + n / k) ** -b): from `start` without labels to `top` with all the labels of the
world; a power law for n >> k, nearly an exponential for large b. No law fits all curves (Viering and Loog 2023), and three to
five sizes cannot tell k and b; so all of a grid of (k, b) stay in play, weighted by how well they fit.

Letters: `S` sizes, `R` repeats, `Q` shapes (k, b), `T` curves that are equally likely, `G` numbers of labels.

Source: Viering and Loog 2023, doi:10.1109/TPAMI.2022.3220744 (arXiv:2103.10948), table 1 and section 4; averaging over laws:
Domhan, Springenberg and Hutter 2015, IJCAI, section 3. *Deviation:* one family with start and top held by priors, in closed
form, in place of Markov chains over eleven.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import ndtri

from terrashot.errors import InputError

HALVES = np.geomspace(2, 1e4, 20)
"""Labels at which half of the way from start to top is done: the k that are tried, by b."""
EXPONENTS = np.array([0.25, 0.5, 0.75, 1, 2])
HORIZON = 10**7
GRID = np.geomspace(1, HORIZON, 140)
CURVES = 200
START_SD = 0.15
"""Of the prior of the start about the floor; this and the next in shares of the way from floor to a perfect score. What is
called measured here was so on 91 curves of a simulated study and 36 of EuroSAT pixel statistics, digits, breast cancer,
diabetes and Friedman's function: of the values tried, those that trade least error of held-back sizes between the two, with
a coverage of 90 to 100 %."""
TOP_MEAN, TOP_SD = 0.6, 12**-0.5
"""Spread of a uniform prior; the mean between what was best on the simulated study (1/2) and on the real tables (3/4)."""
DRAW_SD = 0.45
"""Spread of the score over draws of n labels, times the root of n, where repeats do not tell: measured, 0.42 to 0.56 at 10 to
200 labels on the simulated study, 0.20 to 0.49 on the others."""
DRAW_WEIGHT = 3.0
"""How many repeats that usual spread counts for."""
DRAW_LIKENESS = 0.5
"""Correlation of two nested draws, one twice as large as the other; measured 0.39 and 0.44."""
MISFIT = 0.006
"""By how much a law misses a mean score between known sizes; measured."""
LAW_ERROR = 0.01
"""By how much a law drifts from the truth each time the labels grow by e beyond the known; measured."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownScores:
    """Scores of one feature set and head on one task, as far as they are known."""

    name: str
    sizes: Int64[np.ndarray, " S"]
    """Rising."""
    scores: Float64[np.ndarray, "S R"]
    """Repeats in columns, draws of a column nested; NaN where a fit is missing. 1 is perfect."""
    floor: float
    """Score without labels: the majority's accuracy, 0 for R2."""

    def up_to(self, n_labels: int) -> "KnownScores":
        """The sizes up to a number of labels."""
        known = self.sizes <= n_labels
        return KnownScores(self.name, self.sizes[known], self.scores[known], self.floor)


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """Score by number of labels, at the numbers of `GRID`; none of the three ever falls."""

    score: Float64[np.ndarray, " G"]
    """Median."""
    low: Float64[np.ndarray, " G"]
    """This and the next: 95 % interval of the mean score over all possible draws."""
    high: Float64[np.ndarray, " G"]
    repeats: int
    """Most repeats of one size; with 1 the interval rests on the usual spread of a draw and the law's own error."""

    def at(self, n_labels: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "3 n"]:
        """Score, low end and high end for these numbers of labels, from 1 to 10 million."""
        log_n = np.log(n_labels)
        return np.stack([np.interp(log_n, np.log(GRID), line) for line in (self.score, self.low, self.high)])


def fit_law(curve: KnownScores, *, seed: int, law_error: float = LAW_ERROR) -> Law:
    """The law of a curve of two sizes or more.

    The interval is that of 200 curves: of each, the shape is drawn by the weights and the scores are those seen with the noise
    of the draws added anew (their covariance over sizes, from the repeats), refitted; beyond the last known size a drift of
    `law_error` for each growth by e is added. A parametric bootstrap (Efron and Tibshirani 1993, section 6.5), for it works
    from one repeat on, where resampling repeats does not.

    Raises:
        InputError: fewer than two sizes have a score.
    """
    curve = _scored(curve)
    mean, noise = _mean_and_noise(curve)
    problem = _Problem.of(curve.sizes.astype(np.float64), min(curve.floor, float(mean.min())), noise)
    rng = np.random.default_rng(seed)
    even = (np.arange(CURVES) + 0.5) / CURVES
    shape = np.searchsorted(np.cumsum(problem.weights(mean)), even).clip(0, len(problem.k) - 1)
    curves_TG = problem.refit(mean, shape, rng)
    drift_T = rng.permutation(ndtri(even)) * law_error
    curves_TG += drift_T[:, None] * np.log(np.maximum(GRID / curve.sizes[-1], 1))
    # More labels do no harm on average: a drift downward stops where the curve would fall.
    curves_TG = np.maximum.accumulate(np.minimum(curves_TG, 1), axis=1)
    low, score, high = np.quantile(curves_TG, [0.025, 0.5, 0.975], axis=0)
    return Law(score, low, high, int(np.isfinite(curve.scores).sum(axis=1).max()))


def _scored(curve: KnownScores) -> KnownScores:
    known = np.isfinite(curve.scores).any(axis=1)
    if known.sum() < 2:
        raise InputError(
            f"curve '{curve.name}': {int(known.sum())} sizes have a score; a forecast needs two or more, such as 20, 50 and 100"
        )
    return KnownScores(curve.name, curve.sizes[known], curve.scores[known], curve.floor)


def _mean_and_noise(curve: KnownScores) -> tuple[Float64[np.ndarray, " S"], Float64[np.ndarray, "S S"]]:
    """Mean score of each size, and the covariance of these means over draws, drawn towards the usual one."""
    known, sizes = np.isfinite(curve.scores), curve.sizes.astype(np.float64)
    count = known.sum(axis=1)
    mean = np.nanmean(curve.scores, axis=1)
    weight = np.sqrt(DRAW_WEIGHT + count - 1)
    away_SR = np.where(known, curve.scores - mean[:, None], 0) / weight[:, None]
    usual = DRAW_SD / np.sqrt(sizes) * np.sqrt(DRAW_WEIGHT) / weight
    alike = DRAW_LIKENESS ** np.abs(np.log2(sizes[:, None] / sizes))
    one_draw = usual[:, None] * usual * alike + away_SR @ away_SR.T
    return mean, one_draw / np.sqrt(count[:, None] * count) + MISFIT**2 * np.eye(len(sizes))


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Least squares for (start, top), one for each shape."""

    k: Float64[np.ndarray, " Q"]
    b: Float64[np.ndarray, " Q"]
    design: Float64[np.ndarray, "Q S 2"]
    noise: Float64[np.ndarray, "S S"]
    prior: Float64[np.ndarray, " 2"]
    prior_sd: Float64[np.ndarray, " 2"]

    @staticmethod
    def of(sizes: Float64[np.ndarray, " S"], floor: float, noise: Float64[np.ndarray, "S S"]) -> "_Problem":
        half, b = (axis.ravel() for axis in np.meshgrid(HALVES, EXPONENTS, indexing="ij"))
        k = half / (2 ** (1 / b) - 1)
        room = max(1 - floor, 1e-3)
        prior, prior_sd = np.array([floor, floor + room * TOP_MEAN]), room * np.array([START_SD, TOP_SD])
        return _Problem(k, b, _design(sizes, k, b), noise, prior, prior_sd)

    @property
    def normal(self) -> Float64[np.ndarray, "Q 2 2"]:
        """Matrices of the normal equations."""
        return self._projected @ self.design + np.diag(self.prior_sd**-2)

    @property
    def _projected(self) -> Float64[np.ndarray, "Q 2 S"]:
        return self.design.transpose(0, 2, 1) @ np.linalg.inv(self.noise)

    def weights(self, mean: Float64[np.ndarray, " S"]) -> Float64[np.ndarray, " Q"]:
        """How likely each shape is, given the scores: sum 1 (Laplace's approximation)."""
        normal = self.normal
        found = _bounded(normal, self._projected @ mean + self.prior / self.prior_sd**2)
        left_QS = mean - (self.design @ found[:, :, None])[:, :, 0]
        squares = np.einsum("qs,st,qt->q", left_QS, np.linalg.inv(self.noise), left_QS)
        squares += (((found - self.prior) / self.prior_sd) ** 2).sum(axis=1)
        log_weight = -0.5 * (squares + np.linalg.slogdet(normal)[1])
        weight = np.exp(log_weight - log_weight.max())
        return weight / weight.sum()

    def refit(
        self, mean: Float64[np.ndarray, " S"], shape: Int64[np.ndarray, " T"], rng: np.random.Generator
    ) -> Float64[np.ndarray, "T G"]:
        """Curves of the shapes named, each fitted to the scores and the prior with their noise added anew."""
        seen_TS = mean + rng.standard_normal((len(shape), len(mean))) @ np.linalg.cholesky(self.noise).T
        prior_T2 = self.prior + rng.standard_normal((len(shape), 2)) * self.prior_sd
        right = (self._projected[shape] @ seen_TS[:, :, None])[:, :, 0] + prior_T2 / self.prior_sd**2
        found = _bounded(self.normal[shape], right)
        return (_design(GRID, self.k[shape], self.b[shape]) @ found[:, :, None])[:, :, 0]


def _design(n: Float64[np.ndarray, " n"], k: np.ndarray, b: np.ndarray) -> Float64[np.ndarray, "q n 2"]:
    to_go = (1 + n / k[:, None]) ** -b[:, None]
    return np.stack([to_go, 1 - to_go], axis=2)


def _bounded(normal: Float64[np.ndarray, "q 2 2"], right: Float64[np.ndarray, "q 2"]) -> Float64[np.ndarray, "q 2"]:
    """Start and top that solve the equations with start <= top <= 1: a quadratic in a plane, so a bound is met on its edge."""
    start, top = np.linalg.solve(normal, right[:, :, None])[:, :, 0].T
    over = top > 1
    start = np.where(over, (right[:, 0] - normal[:, 0, 1]) / normal[:, 0, 0], start)
    top = np.where(over, 1, top)
    level = np.minimum(right.sum(axis=1) / normal.sum(axis=(1, 2)), 1)
    falls = start > top
    return np.stack([np.where(falls, level, start), np.where(falls, level, top)], axis=1)
