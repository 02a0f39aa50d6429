"""What the number type of a table that was just embedded loses: nearest neighbours, and accuracy where there are labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from terrashot.domain.results import PointsLost
from terrashot.domain.tables import Embeddings, Labels, shared_rows
from terrashot.domain.tasks import TaskRule
from terrashot.embed.embed import RawVectors
from terrashot.embed.stand_in import Groups
from terrashot.health.quantised import LOOK, neighbours_lost
from terrashot.steps.embed_tables import TableJob
from terrashot.steps.progress import Said
from terrashot.store.vectors import read_some_embeddings
from terrashot.store.write_vectors import VectorType

MOST_COMPARED = 2000
"""Chips whose neighbours are compared, as made and as stored."""
MOST_LEARNT, MOST_JUDGED = 1000, 2000
"""Training and test chips that tell what storing costs in accuracy."""
JUDGED_BY_LABELS: tuple[VectorType, ...] = ("int8",)
"""Half precision loses nothing that a head could tell (docs/health.md)."""
MOST_POINTS = 1.0
"""Of accuracy that may be lost without a warning."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTasks:
    """What few-label heads would be asked."""

    labels: Labels
    rules: Mapping[str, TaskRule]
    """Of every target."""


@dataclass(frozen=True, slots=True)
class StoringLoss:
    """Of one block."""

    neighbours: float
    """Of 100 nearest neighbours, how many are others."""
    accuracy: PointsLost | None
    """None where there are no labels."""


def storing_losses(path: Path, table: TableJob, made: Groups, tasks: LabelledTasks | None) -> dict[str, StoringLoss]:
    """By block, what the table at `path` has lost; of vectors made earlier, and of float32, nothing is told.

    Args:
        made: the vectors that were made just now, before they were stored.
    """
    if table.choices.dtype == "float32":
        return {}
    neighbours = _neighbours(path, table, made)
    accuracy = {} if tasks is None else _accuracy(path, table, made, tasks)
    return {name: StoringLoss(points, accuracy.get(name)) for name, points in neighbours.items()}


def loss_said(losses: Mapping[str, StoringLoss], dtype: VectorType) -> Iterator[Said]:
    """Every loss of int8, and of other types those above a point."""
    for name, loss in losses.items():
        if dtype == "int8" or loss.neighbours > LOOK:
            yield Said(f"{name} as {dtype}: {loss.neighbours:.2f} of 100 nearest neighbours are others; {_costs(loss)}")


def _costs(loss: StoringLoss) -> str:
    advice, told = "more than a point: float16 loses less", loss.accuracy
    if told is None:
        unknown = "no labels tell what that costs in accuracy"
        return f"{unknown}; {advice}" if loss.neighbours > LOOK else unknown
    lost = f"{told.points:.2f} points of accuracy are lost" if told.points > 0 else "no accuracy is lost"
    sentence = (
        f"{lost} ({100 * told.before:.1f} to {100 * told.after:.1f} %: logistic, "
        f"up to {told.n_labels} labels, {told.n_targets} targets, {told.n_judged:,} test chips)"
    )
    return f"{sentence}; {advice}" if told.points > MOST_POINTS else sentence


def _neighbours(path: Path, table: TableJob, made: Groups) -> dict[str, float]:
    seed = table.choices.seed
    rows = sampled(np.arange(len(table.chips)), MOST_COMPARED, seed)
    row_of = {table.chips.ids[row]: row for row in rows.tolist()}
    found = [_whole(ids, raw, row_of) for ids, raw in made()]
    there = [row for rows, _ in found for row in rows]
    if not there:
        return {}
    stored = read_some_embeddings(path, there)
    lost: dict[str, float] = {}
    for name in stored.blocks:
        before = np.concatenate([blocks[name] for _, blocks in found])
        points = _compared(before, stored, name, seed)
        lost |= {} if points is None else {name: points}
    return lost


def _whole(ids: Sequence[str], raw: RawVectors, row_of: Mapping[str, int]) -> tuple[list[int], dict[str, np.ndarray]]:
    """Of the chips that are among those asked for, their rows in the table and their vectors."""
    chosen = [place for place, chip_id in enumerate(ids) if chip_id in row_of]
    vectors = {
        name: parts[chosen].reshape(len(chosen), parts.shape[1] * parts.shape[2]) for name, parts in raw.parts.items()
    }
    return [row_of[ids[place]] for place in chosen], vectors


def _compared(before: np.ndarray, stored: Embeddings, name: str, seed: int) -> float | None:
    """Of the chips that lack nothing: what stands in was never made of pixels."""
    there = ~np.isnan(before).any(axis=1) & stored.present(name)
    return neighbours_lost(before[there], stored.blocks[name][there].astype(np.float32), seed)


def _accuracy(path: Path, table: TableJob, made: Groups, tasks: LabelledTasks) -> dict[str, PointsLost]:
    """By block, with what stands in for absent parts: that is what heads are given."""
    from terrashot.evaluate.protocol.points_lost import points_lost  # late: heads take 100 MB that few tables need

    rows = _labelled_rows(table, tasks.labels)
    if not len(rows):
        return {}
    before, stored = _rows_of(table.stand_ins(made), rows), read_some_embeddings(path, rows)
    _, theirs = shared_rows(stored.chips.ids, tasks.labels.chip_ids)
    found: dict[str, PointsLost] = {}
    for name, block in stored.blocks.items():
        there = stored.present(name)
        targets = {target: values[theirs[there]] for target, values in tasks.labels.targets.items()}
        is_train = np.array([split == "train" for split in stored.chips.split], dtype=bool)[there]
        told = points_lost(
            before[name][there], block[there].astype(np.float32), targets, tasks.rules, is_train, table.choices.seed
        )
        found |= {} if told is None else {name: told}
    return found


def _labelled_rows(table: TableJob, labels: Labels) -> Int64[np.ndarray, " n"]:
    """Rows of some training and test chips with a row of labels, growing."""
    known = set(labels.chip_ids)
    found = []
    for split, most in (("train", MOST_LEARNT), ("test", MOST_JUDGED)):
        rows = table.chips.rows_in(split)
        rows = rows[[table.chips.ids[row] in known for row in rows.tolist()]]
        found.append(sampled(rows, most, table.choices.seed))
    return np.sort(np.concatenate(found))


def _rows_of(groups: Iterable[Embeddings], rows: Int64[np.ndarray, " n"]) -> dict[str, np.ndarray]:
    """Vectors of these rows, growing, of tables of consecutive chips."""
    found: dict[str, list[np.ndarray]] = {}
    start = 0
    for group in groups:
        own = rows[(rows >= start) & (rows < start + len(group.chips))] - start
        for name, block in group.blocks.items():
            found.setdefault(name, []).append(block[own])
        start += len(group.chips)
    return {name: np.concatenate(blocks) for name, blocks in found.items()}


def sampled(rows: Int64[np.ndarray, " n"], most: int, seed: int) -> Int64[np.ndarray, " m"]:
    """At most so many of the rows, growing."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])
