"""Every fit of some comparisons: what is kept is taken, the rest is fitted side by side, the longest first."""

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from terrashot.domain.results import BlockScores, FitName, Result, Timing
from terrashot.durable.parts import NO_PARTS, Parts, read_part
from terrashot.engine import as_finished
from terrashot.evaluate.protocol.choice import TOLD, choose_settings, grid_of
from terrashot.evaluate.protocol.comparison import Comparison, TaskDraws
from terrashot.evaluate.protocol.feature_sets import FeatureSet
from terrashot.evaluate.protocol.fits import Fit, FitScore, as_bytes, fit_and_score, key_of, score_of
from terrashot.evaluate.protocol.sampling import Draw, seed_of
from terrashot.heads.lesson import HeadSettings
from terrashot.heads.pool import HEADS, make_pool


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Which heads, and what they are told; several trees or depths are chosen among on validation chips."""

    heads: tuple[str, ...] = ("forest", "logistic")
    trees: tuple[int, ...] = (50,)
    depth: tuple[int, ...] = (7,)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where fits run and where their outcomes are kept."""

    workers: int = 1
    parts: Parts = NO_PARTS
    used: set[str] = field(default_factory=set)
    """Keys of the outcomes that this run needed."""


@dataclass(frozen=True, slots=True)
class FitsDone:
    """So many seconds' worth of fits is done."""

    area: str
    features: str
    done: float
    total: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """One row a fit, and its scores by spatial block."""

    results: list[Result] = field(default_factory=list)
    blocks: list[BlockScores] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)

    def extend(self, other: "Fitted") -> None:
        """This and the other's."""
        self.results.extend(other.results)
        self.blocks.extend(other.blocks)
        self.timings.extend(other.timings)


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One feature set in one comparison: the fits that share a pool."""

    comparison: Comparison
    name: str
    features: FeatureSet
    settings: FitSettings

    @property
    def wanted(self) -> list[tuple[TaskDraws, str, Draw]]:
        """Task, head and draw of every fit; one that could only repeat another is left out."""
        return [
            (task, head, draw)
            for task in self.comparison.tasks
            for head in self.settings.heads
            if HEADS[head].values is not None or not task.learn.is_regression
            for draw in task.draws
            if not is_repetition(head, draw, self.name)
        ]

    @property
    def cost(self) -> float:
        """Seconds, roughly."""
        told = HeadSettings(max(self.settings.trees), max(self.settings.depth))
        fits = (Fit(task, head, told, draw, 0, "") for task, head, draw in self.wanted)
        return sum(fit.cost(self.features.n_features) for fit in fits)


def is_repetition(head: str, draw: Draw, features: str) -> bool:
    """Whether the fit could only repeat that of the first draw: all labels, and nothing random."""
    return draw.asked is None and draw.repeat > 0 and (HEADS[head].deterministic or features == "majority")


def fit_comparisons(
    features: Mapping[str, FeatureSet], comparisons: Sequence[Comparison], settings: FitSettings, workshop: Workshop
) -> Generator[FitsDone, None, Fitted]:
    """The outcome of every feature set, task, head and draw, in that order within an area; progress on the way."""
    total, done, all_fitted = cost_of(features, comparisons, settings), 0.0, Fitted()
    for cell in _cells(features, comparisons, settings):
        work = _fit_cell(cell, workshop)
        while True:
            try:
                seconds = next(work)
            except StopIteration as stop:
                all_fitted.extend(stop.value)
                break
            done += seconds
            yield FitsDone(cell.comparison.area, cell.name, min(done, total), total)
    return all_fitted


def cost_of(features: Mapping[str, FeatureSet], comparisons: Sequence[Comparison], settings: FitSettings) -> float:
    """Seconds of all their fits, roughly."""
    return sum(cell.cost for cell in _cells(features, comparisons, settings))


def _cells(
    features: Mapping[str, FeatureSet], comparisons: Sequence[Comparison], settings: FitSettings
) -> Iterator[Cell]:
    return (Cell(one, name, own, settings) for one in comparisons for name, own in features.items() if one.tasks)


def _fit_cell(cell: Cell, workshop: Workshop) -> Generator[float, None, Fitted]:
    """Rows and block scores of a cell; yields the cost of each fit as it is done."""
    learn, judge = cell.features.take(cell.comparison.learn), cell.features.take(cell.comparison.judge)
    fits = _fits_of(cell, _digest(learn, judge), _told(cell, learn))
    found = [read_part(workshop.parts, fit.key, score_of) for fit in fits]
    workshop.used.update(fit.key for fit in fits)
    costs = [fit.cost(cell.features.n_features) for fit in fits]
    yield sum(cost for cost, there in zip(costs, found, strict=True) if there is not None)
    missing = [number for number, there in enumerate(found) if there is None]
    if missing:
        pool = make_pool(learn, judge, cell.settings.seed, cell.settings.heads)
        del learn, judge  # at full size they take more than all else
        missing.sort(key=lambda number: -costs[number])
        done = as_finished(lambda number: fit_and_score(fits[number], pool), missing, workshop.workers)
        for place, outcome in done:
            number = missing[place]
            found[number] = outcome
            workshop.parts.put(fits[number].key, as_bytes(outcome))
            yield costs[number]
    return _rows_of(cell, fits, [outcome for outcome in found if outcome is not None])


def _fits_of(cell: Cell, vectors: str, told: Mapping[tuple[str, str], HeadSettings]) -> list[Fit]:
    fits = []
    for task, head, draw in cell.wanted:
        own = told[task.task, head]
        seed = seed_of(cell.settings.seed, task.task, cell.comparison.area, cell.name, head, draw.asked, draw.repeat)
        named = (head, (own.trees, own.depth) if head in TOLD else None, seed)
        fits.append(Fit(task, head, own, draw, seed, key_of(task, vectors, draw, named)))
    return fits


def _told(cell: Cell, learn: np.ndarray) -> dict[tuple[str, str], HeadSettings]:
    """What each head is told in each task."""
    grid = grid_of(cell.settings.trees, cell.settings.depth)
    told = {(task.task, head): grid[0] for task in cell.comparison.tasks for head in cell.settings.heads}
    choosing = [head for head in cell.settings.heads if head in TOLD]
    if len(grid) == 1 or not choosing or not len(cell.comparison.choose):
        return told
    pool = make_pool(learn, cell.features.take(cell.comparison.choose), cell.settings.seed, tuple(choosing))
    for task in cell.comparison.tasks:
        for head in choosing:
            told[task.task, head] = choose_settings(grid, head, task, pool, cell.settings.seed)
    return told


def _digest(*vectors: np.ndarray) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for block in vectors:
        digest.update(f"{block.dtype.str}{block.shape}".encode())
        digest.update(np.ascontiguousarray(block).data)
    return digest.hexdigest()


def _rows_of(cell: Cell, fits: Sequence[Fit], outcomes: Sequence[FitScore]) -> Fitted:
    fitted = Fitted()
    for fit, outcome in zip(fits, outcomes, strict=True):
        fitted.results.append(_result(cell, fit, outcome))
        names = (fit.task.task, cell.comparison.area, cell.name, fit.head, len(fit.draw.rows), fit.draw.repeat)
        fitted.timings.append(Timing(*names, outcome.seconds))
    for task in cell.comparison.tasks:
        own = [(fit, outcome) for fit, outcome in zip(fits, outcomes, strict=True) if fit.task is task]
        if own:
            in_blocks = np.stack([outcome.in_blocks for _, outcome in own])
            own_fits = [fit for fit, _ in own]
            fitted.blocks.append(block_scores(task, cell.comparison.area, cell.name, own_fits, in_blocks))
    return fitted


def _result(cell: Cell, fit: Fit, outcome: FitScore) -> Result:
    task, judged = fit.task, fit.task.judge.y[fit.task.member >= 0]
    share = float((judged == 1).mean()) if len(task.learn.names) == 2 else None
    told = f"{fit.told.trees} trees, depth {fit.told.depth}" if fit.head in TOLD else ""
    return Result(
        task.task, cell.comparison.area, task.train_area, task.scheme, cell.name, fit.head, fit.draw.asked,
        len(fit.draw.rows), fit.draw.repeat, fit.seed, len(judged), task.learn.threshold, share,
        settings=told, **outcome.scores,
    )  # fmt: skip


def block_scores(
    task: TaskDraws, area: str, features: str, fits: Sequence[Fit], in_blocks: Float64[np.ndarray, "F B"]
) -> BlockScores:
    """The fits of one feature set and task with the blocks that they were judged on.

    Args:
        in_blocks: by fit and block, chips told right, or the sum of squared errors of a regression.
    """
    names = tuple(FitName(fit.head, fit.draw.asked, len(fit.draw.rows), fit.draw.repeat) for fit in fits)
    key = (task.task, area, task.train_area, task.scheme, features, names, task.blocks)
    member = task.member[task.member >= 0]
    counts = np.bincount(member, minlength=len(task.blocks)).astype(np.int64)
    if not task.learn.is_regression:
        return BlockScores(*key, counts, np.rint(in_blocks).astype(np.int64))
    truth = task.judge.y[task.member >= 0]
    sums, squares = (np.bincount(member, weights=w, minlength=len(task.blocks)) for w in (truth, truth**2))
    return BlockScores(*key, counts, None, in_blocks, sums, squares)
