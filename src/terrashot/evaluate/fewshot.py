"""The few-label protocol: every task, area, feature set, head, size and repeat, on the same chips and the same draws.

Source: Allen et al. 2023, arXiv:2310.00119, section 4.2. The rules of comparison stand in docs/few-labels.md.
"""

import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field

import numpy as np
from jaxtyping import Float32

from terrashot.domain.results import BlockScore, Result, Timing
from terrashot.domain.tables import Chips, Labels, shared_rows
from terrashot.domain.tasks import Classes, ThresholdRule, make_classes
from terrashot.durable.parts import NO_PARTS, Parts, read_part
from terrashot.engine import ordered_map
from terrashot.errors import InputError
from terrashot.evaluate.metrics import score
from terrashot.evaluate.sampling import nested_draws, seed_of, sizes_within
from terrashot.evaluate.spatial import block_names
from terrashot.heads.pool import DETERMINISTIC, HeadSettings, Pool, make_pool, predict


@dataclass(frozen=True, slots=True)
class FewshotSettings:
    """The protocol's numbers."""

    sizes: tuple[int, ...] = (5, 10, 100, 250, 500, 1000, 5000, 20000)
    repeats: int = 10
    heads: tuple[str, ...] = ("forest", "logistic")
    head: HeadSettings = field(default_factory=HeadSettings)
    rule: ThresholdRule = "nearest"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class CellDone:
    """One feature set of one area is finished, over all its tasks."""

    area: str
    features: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class FewshotTables:
    """All that the protocol gives."""

    results: list[Result] = field(default_factory=list)
    blocks: list[BlockScore] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What must be said: chips left out, draws of one class."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskDraws:
    """One task in one area: the same for every feature set and head."""

    task: str
    classes: Classes
    train: np.ndarray
    """Rows of the area's chips to draw from."""
    test: np.ndarray
    draws: tuple[tuple[int | None, int, np.ndarray], ...]
    """(size asked, repeat, positions in `train`); None is the full set."""
    blocks: tuple[str, ...]
    """Names of the spatial blocks of the test chips."""
    member: np.ndarray
    """Number of each test chip's block."""


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One feature set of one area, with all its tasks: the unit of work."""

    area: str
    features: str
    vectors: Float32[np.ndarray, "N D"]
    tasks: tuple[TaskDraws, ...]
    scheme: str
    settings: FewshotSettings


def run_fewshot(
    features: Mapping[str, Float32[np.ndarray, "N D"]],
    chips: Chips,
    labels: Labels,
    settings: FewshotSettings,
    *,
    split_scheme: str,
    workers: int = 1,
    parts: Parts = NO_PARTS,
) -> Generator[CellDone, None, FewshotTables]:
    """Every fit of the protocol, in the end; progress on the way.

    Args:
        features: by name; a row of NaN is a chip without it. All are compared on the chips that have every one of them.
        parts: finished cells, which are not fitted again.

    Raises:
        MisalignedError: features and labels share no chip.
        InputError: an area has too few training chips, no test chip, or a label that is all alike.
    """
    tables = FewshotTables()
    cells = list(_cells(features, chips, labels, settings, scheme=split_scheme, notes=tables.notes))
    for done, (cell, found) in enumerate(zip(cells, _fitted(cells, parts, workers), strict=True), start=1):
        tables.results.extend(found.results)
        tables.blocks.extend(found.blocks)
        tables.timings.extend(found.timings)
        yield CellDone(cell.area, cell.features, done, len(cells))
    tables.results.sort(key=lambda row: (row.task, row.area))
    tables.notes.extend(_one_class_note(cells))
    return tables


def _fitted(cells: Sequence[Cell], parts: Parts, workers: int) -> Iterator[FewshotTables]:
    """The tables of each cell, in order: from the parts, or fitted now and put there."""
    kept = [read_part(parts, f"cell-{number}", _tables_of) for number in range(len(cells))]
    fresh = ordered_map(fit_cell, [cell for cell, there in zip(cells, kept, strict=True) if there is None], workers)
    for number, tables in enumerate(kept):
        if tables is None:
            tables = next(fresh)
            parts.put(f"cell-{number}", _as_bytes(tables))
        yield tables


def _as_bytes(tables: FewshotTables) -> bytes:
    rows = (tables.results, tables.blocks, tables.timings)
    return json.dumps([[astuple(row) for row in of_kind] for of_kind in rows]).encode()


def _tables_of(content: bytes) -> FewshotTables:
    results, blocks, timings = json.loads(content)
    return FewshotTables(
        [Result(*row) for row in results], [BlockScore(*row) for row in blocks], [Timing(*row) for row in timings]
    )


def fit_cell(cell: Cell) -> FewshotTables:
    """Every fit of one cell."""
    tables = FewshotTables()
    pools: dict[bytes, Pool] = {}
    for task in cell.tasks:
        # Tasks whose labels are known for the same chips share their pool.
        key = task.train.tobytes() + b"/" + task.test.tobytes()
        if key not in pools:
            pools = {key: make_pool(cell.vectors[task.train], cell.vectors[task.test], cell.settings.seed)}
        pool = pools[key]
        for head in cell.settings.heads:
            for asked, repeat, drawn in task.draws:
                if asked is None and repeat and (head in DETERMINISTIC or cell.features == "majority"):
                    continue  # the same fit on the same chips
                _fit(cell, task, pool, head=head, draw=(asked, repeat, drawn), tables=tables)
    return tables


def _cells(
    features: Mapping[str, np.ndarray],
    chips: Chips,
    labels: Labels,
    settings: FewshotSettings,
    *,
    scheme: str,
    notes: list[str],
) -> Generator[Cell, None, None]:
    ours, theirs = shared_rows(chips.ids, labels.chip_ids)
    # By id, so that the order of neither table decides who is drawn.
    by_id = sorted(range(len(ours)), key=lambda number: chips.ids[ours[number]])
    ours, theirs = ours[by_id], theirs[by_id]
    complete = np.ones(len(chips), dtype=bool)
    for block in features.values():
        complete &= ~np.isnan(block).any(axis=1)
    notes.extend(_left_out(chips, len(ours), len(labels.chip_ids), complete[ours]))
    labelled = chips.take(ours)
    for area in dict.fromkeys(labelled.area):
        in_area = np.array([name == area for name in labelled.area], dtype=bool) & complete[ours]
        rows = ours[in_area]
        values = {target: found[theirs[in_area]] for target, found in labels.targets.items()}
        tasks = tuple(_draws(area, target, found, chips.take(rows), settings) for target, found in values.items())
        for name, block in features.items():
            yield Cell(area, name, np.ascontiguousarray(block[rows]), tasks, scheme, settings)


def _draws(area: str, target: str, values: np.ndarray, chips: Chips, settings: FewshotSettings) -> TaskDraws:
    split = np.array([str(name) for name in chips.split])
    where = f"area '{area}', label '{target}'"
    try:
        classes = make_classes(target, values, split == "train", settings.rule)
    except InputError as error:
        raise InputError(f"area '{area}': {error}") from None
    train = np.flatnonzero((split == "train") & (classes.y >= 0))
    test = np.flatnonzero((split == "test") & (classes.y >= 0))
    if len(test) == 0:
        raise InputError(f"{where}: no test chip has a label and every modality; change the split or add chips")
    sizes = sizes_within(settings.sizes, len(train), where)
    draws: list[tuple[int | None, int, np.ndarray]] = []
    for repeat in range(settings.repeats):
        rng = np.random.default_rng(seed_of(settings.seed, target, area, repeat))
        found = nested_draws(len(train), [*sizes, len(train)], rng)
        draws += [(asked, repeat, drawn) for asked, drawn in zip([*sizes, None], found, strict=True)]
    names, member = np.unique(np.array(block_names(chips.take(test)), dtype=str), return_inverse=True)
    return TaskDraws(target, classes, train, test, tuple(draws), tuple(map(str, names)), member)


def _fit(
    cell: Cell,
    task: TaskDraws,
    pool: Pool,
    *,
    head: str,
    draw: tuple[int | None, int, np.ndarray],
    tables: FewshotTables,
) -> None:
    asked, repeat, drawn = draw
    seed = seed_of(cell.settings.seed, task.task, cell.area, cell.features, head, asked, repeat)
    y_train, y_test = task.classes.y[task.train[drawn]], task.classes.y[task.test]
    started = time.perf_counter()
    probabilities = predict(
        head, pool, drawn, y_train, n_classes=len(task.classes.names), settings=cell.settings.head, seed=seed
    )
    seconds = time.perf_counter() - started
    key = (task.task, cell.area, cell.area, cell.scheme, cell.features, head, asked, len(drawn), repeat)
    found = score(y_test, probabilities)
    is_binary = len(task.classes.names) == 2
    tables.results.append(
        Result(
            *key,
            seed,
            len(y_test),
            task.classes.threshold,
            float((y_test == 1).mean()) if is_binary else None,
            **asdict(found),
        )
    )
    tables.timings.append(Timing(task.task, cell.area, cell.features, head, len(drawn), repeat, seconds))
    correct = probabilities.argmax(axis=1) == y_test
    tables.blocks.extend(BlockScore(*key, block, n, right) for block, n, right in _by_block(task, correct))


def _by_block(task: TaskDraws, correct: np.ndarray) -> Iterator[tuple[str, int, int]]:
    counts, right = np.bincount(task.member), np.bincount(task.member, weights=correct)
    return ((name, int(n), int(r)) for name, n, r in zip(task.blocks, counts, right, strict=True))


def _left_out(chips: Chips, n_shared: int, n_labels: int, complete: np.ndarray) -> list[str]:
    notes = []
    if n_shared < len(chips) or n_shared < n_labels:
        notes.append(
            f"{len(chips) - n_shared} chips have no row of labels, {n_labels - n_shared} rows of labels no chip"
        )
    if not complete.all():
        notes.append(
            f"{int((~complete).sum())} of {len(complete)} labelled chips lack a modality and are left out of every curve, "
            "so that all are compared on the same chips"
        )
    return notes


def _one_class_note(cells: Sequence[Cell]) -> list[str]:
    seen = {(cell.area, task.task): task for cell in cells for task in cell.tasks}
    count = sum(
        len(np.unique(task.classes.y[task.train[drawn]])) == 1 for task in seen.values() for _, _, drawn in task.draws
    )
    return [f"{count} draws hold one class only; they are kept and scored as a constant predictor"] if count else []
