"""Heads fitted on few labels of a data set, and how many chips of each group they tell right.

Axis letters: F heads, S numbers of labels, R draws, N judged chips, B groups of judged chips.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float64, Int64
from real_chips import RealChips
from real_vectors import Vectors

from terrashot.domain.tables import Chips
from terrashot.domain.tasks import make_classes
from terrashot.durable.files import sha256_of
from terrashot.durable.parts import Parts
from terrashot.engine import as_finished, available_cores
from terrashot.evaluate.protocol.sampling import nested_draws, seed_of
from terrashot.heads.pool import HeadSettings, make_pool, predict

HEADS = ("forest", "logistic")
TOLD = HeadSettings(trees=50, depth=7)
SEED = 0
FORMAT = "real fits 1"


@dataclass(frozen=True, slots=True)
class Draws:
    """How many labels, how often."""

    sizes: tuple[int, ...] = (10, 25, 50, 100, 250, 500, 1000)
    repeats: int = 20

    def within(self, n_train: int) -> "Draws":
        """The sizes that leave a training chip undrawn."""
        return Draws(tuple(size for size in self.sizes if size < n_train), self.repeats)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What every fit says of the chips of one split, by group of chips."""

    groups: tuple[str, ...]
    n: Int64[np.ndarray, " B"]
    correct: Int64[np.ndarray, "F S R B"]

    @property
    def accuracy(self) -> Float64[np.ndarray, "F S R"]:
        """Of all chips together."""
        return self.correct.sum(axis=3) / self.n.sum()


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One feature set on one task: validation chips, on which heads and floors are chosen, and test chips."""

    data_set: str
    target: str
    view: str
    features: str
    sizes: tuple[int, ...]
    val: Judged
    test: Judged

    @property
    def task(self) -> str:
        """The task's name in tables."""
        return f"{self.data_set}, {self.target}, {self.view}"


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A target on one fold."""

    fold: Chips
    y: Int64[np.ndarray, " N"]
    names: tuple[object, ...]
    """What the draws follow from: neither view nor feature set, so that all see the same labels."""

    def rows_in(self, *splits: str) -> Int64[np.ndarray, " n"]:
        """The chips of these splits, one split after the other."""
        return np.concatenate([self.fold.rows_in(split) for split in splits])


def outcomes(real: RealChips, vectors: Sequence[Vectors], draws: Draws, kept: Parts) -> Iterator[Outcome]:
    """Every target and view of a data set with every feature set; folds are judged together.

    Args:
        vectors: of each fold.
        kept: what was fitted before is taken from here.
    """
    within = draws.within(min(len(fold.rows_in("train")) for fold in real.folds))
    for target, (view, modalities) in product(real.labels.targets, real.asked.views.items()):
        lessons = [_lesson(real, target, number) for number in range(len(real.folds))]
        sets = [feature_sets(own, modalities) for own in vectors]
        for features in sets[0]:
            hits = [
                _hits(lesson, own[features], features, within, kept) for lesson, own in zip(lessons, sets, strict=True)
            ]
            judged = (judge(lessons, hits, split) for split in ("val", "test"))
            yield Outcome(real.name, target, view, features, within.sizes, *judged)


def feature_sets(vectors: Vectors, modalities: Sequence[str]) -> dict[str, np.ndarray]:
    """Vectors of the modalities side by side, by feature set; with `majority`, and the embedding with image statistics."""
    sets = {name: np.hstack([own[modality] for modality in modalities]) for name, own in vectors.items()}
    if "embedding" in sets:
        sets["embedding+image_stats"] = np.hstack([sets["embedding"], sets["image_stats"]])
    n_chips = len(next(iter(sets.values())))
    return {**sets, "majority": np.empty((n_chips, 0), dtype=np.float32)}


def judge(lessons: Sequence[Lesson], hits: Sequence[Bool[np.ndarray, "F S R _"]], split: str) -> Judged:
    """Hits of all folds on the chips of one split, by group; a group that several folds judge counts in each."""
    groups = sorted({str(lesson.fold.group[row]) for lesson in lessons for row in lesson.rows_in(split)})
    number = {group: position for position, group in enumerate(groups)}
    n, correct = np.zeros(len(groups), dtype=np.int64), 0
    for lesson, own in zip(lessons, hits, strict=True):
        n_val = len(lesson.rows_in("val"))
        theirs = own[..., :n_val] if split == "val" else own[..., n_val:]
        member = np.array([number[str(lesson.fold.group[row])] for row in lesson.rows_in(split)])
        is_in = member[:, None] == np.arange(len(groups))
        n, correct = n + is_in.sum(axis=0), correct + theirs.astype(np.float32) @ is_in.astype(np.float32)
    return Judged(tuple(groups), n, np.rint(correct).astype(np.int64))


def _lesson(real: RealChips, target: str, number: int) -> Lesson:
    """The target's classes; a share is cut nearest to balance on the fold's training chips."""
    fold, values = real.folds[number], real.labels.targets[target]
    is_train = np.array([split == "train" for split in fold.split])
    classes = make_classes(target, values, is_train, "nearest")
    return Lesson(fold, classes.y, (SEED, real.name, target, number))


def _hits(lesson: Lesson, vectors: np.ndarray, features: str, draws: Draws, kept: Parts) -> Bool[np.ndarray, "F S R N"]:
    """Which validation and test chips each fit tells right, validation chips first."""
    shape = (len(HEADS), len(draws.sizes), draws.repeats, len(lesson.rows_in("val", "test")))
    key = _key(lesson, vectors, features, draws)
    content = kept.get(key)
    if content is not None:
        return np.unpackbits(np.frombuffer(content, np.uint8), count=int(np.prod(shape))).reshape(shape).astype(bool)
    hits = _fitted(lesson, vectors, features, draws)
    kept.put(key, np.packbits(hits).tobytes())
    return hits


def _fitted(lesson: Lesson, vectors: np.ndarray, features: str, draws: Draws) -> Bool[np.ndarray, "F S R N"]:
    learn, judged = lesson.rows_in("train"), lesson.rows_in("val", "test")
    pool = make_pool(vectors[learn], vectors[judged], SEED, HEADS)
    y, truth, n_classes = lesson.y[learn], lesson.y[judged], int(lesson.y.max()) + 1
    drawn = [
        nested_draws(len(learn), draws.sizes, np.random.default_rng(seed_of(*lesson.names, repeat)))
        for repeat in range(draws.repeats)
    ]
    # The longest first.
    fits = list(product(reversed(range(len(draws.sizes))), range(draws.repeats), range(len(HEADS))))

    def fit(at: tuple[int, int, int]) -> np.ndarray:
        size, repeat, head = at
        rows, seed = drawn[repeat][size], seed_of(*lesson.names, features, *at)
        told = predict(HEADS[head], pool, rows, y[rows], n_classes=n_classes, settings=TOLD, seed=seed)
        return told.argmax(axis=1) == truth

    hits = np.empty((len(HEADS), len(draws.sizes), draws.repeats, len(judged)), dtype=bool)
    for number, told_right in as_finished(fit, fits, available_cores()):
        size, repeat, head = fits[number]
        hits[head, size, repeat] = told_right
    return hits


def _key(lesson: Lesson, vectors: np.ndarray, features: str, draws: Draws) -> str:
    """Digest of all that the fits follow from."""
    parts = (FORMAT, HEADS, TOLD, draws, features, lesson.names, lesson.fold.ids, lesson.fold.split, vectors.shape)
    told = repr(parts).encode() + lesson.y.tobytes() + np.ascontiguousarray(vectors).tobytes()
    return sha256_of(told)


def by_task(found: Sequence[Outcome]) -> Mapping[str, dict[str, Outcome]]:
    """Outcomes by task, then by feature set."""
    tasks: dict[str, dict[str, Outcome]] = {}
    for outcome in found:
        tasks.setdefault(outcome.task, {})[outcome.features] = outcome
    return tasks
