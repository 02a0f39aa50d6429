"""One fit, and what it says of the same test chips in many versions.

Legend: P numbers of a vector, V versions, B blocks of test chips.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from terrashot.domain.results import BlockScores
from terrashot.engine import as_finished
from terrashot.evaluate.protocol.comparison import Comparison, TaskDraws
from terrashot.evaluate.protocol.fits import Fit, answers_of
from terrashot.evaluate.protocol.fitting import FitSettings, block_scores, is_repetition
from terrashot.evaluate.protocol.sampling import seed_of
from terrashot.heads.lesson import HeadSettings
from terrashot.heads.pool import HEADS, Pool, make_pool

JUDGED_BYTES = 256 << 20
"""Versions of the test chips that are judged together take at most so much memory; more of them are fitted again."""
FOR_CLASSES, FOR_VALUES = "logistic", "ridge"
"""The head that is taken where the study has it; and the one that learns a numeric target where none of the study's can."""


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """The test chips of a comparison in one form."""

    key: str
    """Tells it from the other versions of the comparison."""
    judge: Float32[np.ndarray, "N2 P"]
    """A row of NaN is a chip that cannot be judged; the commonest label is guessed, or the mean of a regression."""


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """Vectors of the training chips of a comparison, and versions of its test chips."""

    features: str
    """Name of the feature set; with it, a head that draws at random is the same as in the study."""
    learn: Float32[np.ndarray, "N P"]
    versions: tuple[Version, ...]


def judged(
    comparison: Comparison, lot: Lot, settings: FitSettings, workers: int
) -> Generator[Fit, None, list[BlockScores]]:
    """Scores by block of every task and version, under the version's key; yields each fit as it is done."""
    fits = fits_of(comparison, lot.features, settings)
    found: list[BlockScores] = []
    for versions in _affordable(lot.versions):
        pool, unknown = _pool(lot.learn, versions, fits, settings.seed)
        outcomes = yield from _outcomes(fits, pool, unknown, workers)
        for place, version in enumerate(versions):
            found += _rows(comparison, version, fits, [outcome[place] for outcome in outcomes])
    return found


def _outcomes(
    fits: Sequence[Fit], pool: Pool, unknown: Bool[np.ndarray, "V N2"], workers: int
) -> Generator[Fit, None, list[Float64[np.ndarray, "V B"]]]:
    """What each fit does by version and block, in the order of the fits."""
    found: dict[int, Float64[np.ndarray, "V B"]] = {}
    for number, outcome in as_finished(lambda at: in_blocks(fits[at], pool, unknown), range(len(fits)), workers):
        found[number] = outcome
        yield fits[number]
    return [found[number] for number in range(len(fits))]


def fits_of(comparison: Comparison, features: str, settings: FitSettings) -> list[Fit]:
    """The fits of one of the study's heads on this feature set, seeded as the study's own are."""
    told = HeadSettings(settings.trees[0], settings.depth[0])
    fits = []
    for task in comparison.tasks:
        head = _head(task, settings)
        for draw in task.draws:
            if not is_repetition(head, draw, features):
                seed = seed_of(settings.seed, task.task, comparison.area, features, head, draw.asked, draw.repeat)
                fits.append(Fit(task, head, told, draw, seed, ""))
    return fits


def _head(task: TaskDraws, settings: FitSettings) -> str:
    if not task.learn.is_regression:
        return FOR_CLASSES if FOR_CLASSES in settings.heads else settings.heads[0]
    return next((head for head in settings.heads if HEADS[head].values is not None), FOR_VALUES)


def _pool(
    learn: np.ndarray, versions: Sequence[Version], fits: Sequence[Fit], seed: int
) -> tuple[Pool, Bool[np.ndarray, "V N2"]]:
    """All versions one after another as rows to judge, and which of them cannot be judged."""
    together = np.concatenate([version.judge for version in versions])
    unknown = np.isnan(together).any(axis=1)
    together[unknown] = learn[0]  # any row that a head can judge: what it says of it is not heard
    pool = make_pool(learn, together, seed, sorted({fit.head for fit in fits}))
    return pool, unknown.reshape(len(versions), -1)


def _rows(
    comparison: Comparison, version: Version, fits: Sequence[Fit], outcomes: Sequence[Float64[np.ndarray, " B"]]
) -> Iterator[BlockScores]:
    for task in comparison.tasks:
        own = [number for number, fit in enumerate(fits) if fit.task is task]
        sums = np.stack([outcomes[number] for number in own])
        yield block_scores(task, comparison.area, version.key, [fits[number] for number in own], sums)


def in_blocks(fit: Fit, pool: Pool, unknown: Bool[np.ndarray, "V N2"]) -> Float64[np.ndarray, "V B"]:
    """By version and block, test chips told right, or the sum of squared errors of a regression.

    Args:
        unknown: chips that cannot be judged in a version.
    """
    task, drawn = fit.task, fit.task.learn.y[fit.draw.rows]
    answers = answers_of(fit, pool)
    told = answers if task.learn.is_regression else answers.argmax(axis=1)
    guess = drawn.mean() if task.learn.is_regression else np.bincount(drawn).argmax()
    told = np.where(unknown, guess, told.reshape(unknown.shape))
    known = np.flatnonzero(task.member >= 0)
    told, truth, member = told[:, known], task.judge.y[known], task.member[known]
    per_chip = (told - truth) ** 2 if task.learn.is_regression else told == truth
    return np.stack([np.bincount(member, weights=own, minlength=len(task.blocks)) for own in per_chip])


def _affordable(versions: Sequence[Version]) -> Iterator[Sequence[Version]]:
    size = max(1, versions[0].judge.nbytes)
    at_once = max(1, JUDGED_BYTES // size)
    return (versions[start : start + at_once] for start in range(0, len(versions), at_once))
