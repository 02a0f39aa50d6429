"""What all feature sets and heads of a place are compared on: chips, labels and draws, the same for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from jaxtyping import Int64

from terrashot.domain.tables import Chips, Labels, shared_rows
from terrashot.domain.tasks import BALANCED, TaskRule, ThresholdRule
from terrashot.errors import InputError
from terrashot.evaluate.protocol.balance import balanced
from terrashot.evaluate.protocol.sampling import Draw, draws_of, sizes_within
from terrashot.evaluate.protocol.spatial import block_names
from terrashot.evaluate.protocol.target import Target, make_target

POOLED = "all areas"
"""Name of the comparison on the chips of all areas together."""
OTHERS = "others"
"""Name of the training area where all areas but the tested one teach."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskDraws:
    """One task, with one pool of training chips: the same for every feature set and head."""

    task: str
    train_area: str
    scheme: str
    learn: Target
    """Labels of the comparison's `learn` chips; this and the next two in their order."""
    choose: Target
    judge: Target
    pool: Int64[np.ndarray, " n"]
    """Positions in `learn` of the chips to draw from."""
    draws: tuple[Draw, ...]
    blocks: tuple[str, ...]
    """Names of the spatial blocks of the judged chips."""
    member: Int64[np.ndarray, " N2"]
    """Number of each judged chip's block; -1 where its label is unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Chips of one area, as row numbers in the study's chips, and the tasks on them."""

    area: str
    learn: Int64[np.ndarray, " N"]
    choose: Int64[np.ndarray, " N1"]
    """Validation chips: what is chosen is chosen here."""
    judge: Int64[np.ndarray, " N2"]
    """Test chips: seen once, by a finished fit."""
    groups: tuple[str, ...]
    """Spatial block or group of each `learn` chip."""
    tasks: tuple[TaskDraws, ...]
    notes: tuple[str, ...] = ()
    """Balanced tasks that are left out, and why."""

    def with_draws(self, draws: Mapping[str, Sequence[Draw]]) -> "Comparison":
        """The same with other draws by task; tasks without a draw are left out."""
        tasks = [replace(task, draws=tuple(draws.get(task.task, ()))) for task in self.tasks]
        return replace(self, tasks=tuple(task for task in tasks if task.draws))


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How labels become tasks, and who is drawn."""

    sizes: tuple[int, ...] = (5, 10, 100, 250, 500, 1000, 5000, 20000)
    repeats: int = 10
    cut: ThresholdRule = "nearest"
    """Of targets without a rule of their own."""
    rules: Mapping[str, TaskRule] = field(default_factory=dict)
    """By target."""
    pooled: bool = False
    """Also all areas together."""
    seed: int = 0

    def rule_of(self, target: str) -> TaskRule:
        """The target's own rule, else that of all."""
        return self.rules.get(target, TaskRule(self.cut))


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Chips with labels and every feature set, in the order of their ids, so that no table's order decides who is drawn."""

    rows: Int64[np.ndarray, " N"]
    """In the study's chips."""
    chips: Chips
    targets: Mapping[str, np.ndarray]
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Areas that the split tests and gives no training chip: the others teach."""

    @property
    def compared(self) -> tuple[str, ...]:
        """The areas that are judged: all, but where one is left out those alone that have a test chip."""
        tested = {area for area, split in zip(self.chips.area, self.chips.split, strict=True) if split == "test"}
        if not self.left_out:
            return tuple(dict.fromkeys(self.chips.area))
        return tuple(sorted(tested.union(self.left_out)))


def labelled_chips(chips: Chips, labels: Labels, complete: np.ndarray) -> Labelled:
    """The chips to compare on, and what must be said about those left out.

    Raises:
        MisalignedError: chips and labels share no id.
    """
    ours, theirs = shared_rows(chips.ids, labels.chip_ids)
    by_id = np.array(sorted(range(len(ours)), key=lambda number: chips.ids[ours[number]]), dtype=np.int64)
    ours, theirs = ours[by_id], theirs[by_id]
    whole = complete[ours]
    left_out = _areas_left_out(chips)
    notes = [*_incomplete(chips, len(ours), len(labels.chip_ids), whole), *map(_told, left_out)]
    targets = {name: values[theirs[whole]] for name, values in labels.targets.items()}
    return Labelled(ours[whole], chips.take(ours[whole]), targets, tuple(notes), left_out)


def _areas_left_out(chips: Chips) -> tuple[str, ...]:
    """By the split of all chips, so that labels which are merely missing make no other question of it."""
    held = set(zip(chips.area, chips.split, strict=True))
    teaches = {area for area, split in held if split == "train"}
    return tuple(sorted(area for area, split in held if split == "test" and teaches and area not in teaches))


def _told(area: str) -> str:
    return f"area '{area}' is left out: labels are drawn from the training chips of the other areas, which cut numeric labels too"


def rows_of(labelled: Labelled, area: str, *splits: str) -> Int64[np.ndarray, " n"]:
    """Rows of an area's chips in these splits."""
    pairs = zip(labelled.chips.area, labelled.chips.split, strict=True)
    return np.flatnonzero(np.array([own == area and split in splits for own, split in pairs], dtype=bool))


def teachers_of(labelled: Labelled, area: str) -> tuple[str, Int64[np.ndarray, " n"]]:
    """Name of the training area, and rows of the training chips: the area's own, or those of all others where it is left out."""
    if area not in labelled.left_out:
        return area, rows_of(labelled, area, "train")
    return OTHERS, labelled.chips.rows_in("train")


def compare_areas(labelled: Labelled, settings: DrawSettings, scheme: str) -> list[Comparison]:
    """The study's own comparison of each area: its training chips, its test chips; and of all together, if asked for.

    Of an area that is left out the training and validation chips are those of the others, which cut a numeric label too. Of all
    together a numeric label is cut once, on the training chips of all.

    Raises:
        InputError: an area has too few training chips, no test chip, or a label that is all alike.
    """
    parts = {name: _part(labelled, name) for name in labelled.compared}
    if settings.pooled and len(parts) > 1:
        if POOLED in parts:
            raise InputError(f"an area is named '{POOLED}', which is the name of all together: rename it")
        parts[POOLED] = np.arange(len(labelled.chips))
    return [_compare(labelled, area, own, settings, scheme) for area, own in parts.items()]


def _part(labelled: Labelled, area: str) -> Int64[np.ndarray, " n"]:
    """Rows of all that a comparison of the area may look at."""
    is_own = np.array([name == area for name in labelled.chips.area], dtype=bool)
    if area in labelled.left_out:
        is_own |= np.array([split in ("train", "val") for split in labelled.chips.split], dtype=bool)
    return np.flatnonzero(is_own)


def _compare(labelled: Labelled, area: str, own: np.ndarray, settings: DrawSettings, scheme: str) -> Comparison:
    chips = labelled.chips.take(own)
    split = np.array([str(name) for name in chips.split])
    parts = [np.flatnonzero(split == name) for name in ("train", "val", "test")]
    train_area = OTHERS if area in labelled.left_out else area
    task_of = partial(_task, chips, parts, area, train_area, settings, scheme)
    tasks, notes = [], []
    for name, values in labelled.targets.items():
        try:
            target = make_target(name, values[own], split == "train", settings.rule_of(name))
        except InputError as error:
            raise InputError(f"area '{area}': {error}") from None
        tasks.append(task_of(name, target))
        if settings.rule_of(name).also_balanced:
            try:
                kept = balanced(target, parts, chips.ids, (settings.seed, name, area))
                tasks.append(task_of(name + BALANCED, kept))
            except InputError as error:  # the plain task stands, and with it all others
                notes.append(f"'{name}{BALANCED}' is left out of area '{area}': {error}")
    learn_rows, choose_rows, judge_rows = (labelled.rows[own[rows]] for rows in parts)
    groups = block_names(chips.take(parts[0]))
    return Comparison(area, learn_rows, choose_rows, judge_rows, groups, tuple(tasks), tuple(notes))


def left_out(comparisons: Sequence[Comparison]) -> list[str]:
    """Which tasks are left out of which areas, and why."""
    return [note for one in comparisons for note in one.notes]


def _task(
    chips: Chips, parts: Sequence[np.ndarray], area: str, train_area: str, settings: DrawSettings, scheme: str,
    name: str, target: Target,
) -> TaskDraws:  # fmt: skip
    learn, choose, judge = (target.take(rows) for rows in parts)
    blocks, member = blocks_of(chips.take(parts[2]), judge, area, name)
    pool = np.flatnonzero(learn.known)
    made = TaskDraws(name, train_area, scheme, learn, choose, judge, pool, (), blocks, member)
    return replace(made, draws=first_draws(made, area, settings))


def blocks_of(chips: Chips, judge: Target, area: str, name: str) -> tuple[tuple[str, ...], Int64[np.ndarray, " N2"]]:
    """Names of the blocks of the judged chips that have a label, and the number of each chip's.

    Raises:
        InputError: none has a label.
    """
    known = judge.known
    if not known.any():
        raise InputError(
            f"area '{area}', label '{name}': no test chip has a label and every modality; change the split or add chips"
        )
    names, numbers = np.unique(np.array(block_names(chips.take(np.flatnonzero(known))), dtype=str), return_inverse=True)
    member = np.full(len(known), -1, dtype=np.int64)
    member[known] = numbers
    return tuple(map(str, names)), member


def first_draws(task: TaskDraws, area: str, settings: DrawSettings) -> tuple[Draw, ...]:
    """Every size and the full set, as often as the settings say."""
    sizes = sizes_within(settings.sizes, len(task.pool), f"area '{area}', label '{task.task}'")
    names = (settings.seed, task.task, area)
    return tuple(
        draw for repeat in range(settings.repeats) for draw in draws_of(task.pool, [*sizes, None], repeat, names)
    )


def _incomplete(chips: Chips, n_shared: int, n_labels: int, complete: np.ndarray) -> list[str]:
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
