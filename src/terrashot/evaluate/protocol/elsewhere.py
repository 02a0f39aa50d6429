"""Comparisons whose training chips come from anywhere, while the test chips stay the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from terrashot.evaluate.protocol.comparison import (
    Comparison,
    DrawSettings,
    Labelled,
    TaskDraws,
    blocks_of,
    teachers_of,
)
from terrashot.evaluate.protocol.sampling import Draw
from terrashot.evaluate.protocol.spatial import block_names
from terrashot.evaluate.protocol.target import Target, make_target

BUDGETS = (100, 250, 1000)
"""Numbers of labels at which pools are compared, as far as each pool has them."""


@dataclass(frozen=True, slots=True, eq=False)
class PoolDraws:
    """Draws of one task from one pool of training chips; rows are those of the labelled chips."""

    task: str
    train_area: str
    scheme: str
    draws: tuple[Draw, ...]


def targets_of(labelled: Labelled, area: str, settings: DrawSettings) -> dict[str, Target]:
    """Every labelled chip's classes as this area sees them: a numeric label is cut where its training chips say, or those of
    the others where it is left out.

    Raises:
        InputError: the area's training labels are all alike.
    """
    mask = np.zeros(len(labelled.chips), dtype=bool)
    mask[teachers_of(labelled, area)[1]] = True
    return {name: make_target(name, values, mask, settings.rule_of(name)) for name, values in labelled.targets.items()}


def comparison_of(
    labelled: Labelled,
    area: str,
    judge: Int64[np.ndarray, " n"],
    targets: Mapping[str, Target],
    pools: Sequence[PoolDraws],
) -> Comparison:
    """The comparison on these test chips; only chips that are drawn come in, so that other areas cost little memory."""
    drawn = [draw.rows for pool in pools for draw in pool.draws]
    learn = np.unique(np.concatenate(drawn)) if drawn else np.empty(0, dtype=np.int64)
    nobody = np.empty(0, dtype=np.int64)
    tasks = []
    for pool in pools:
        target = targets[pool.task]
        judged = target.take(judge)
        draws = tuple(Draw(draw.asked, draw.repeat, np.searchsorted(learn, draw.rows)) for draw in pool.draws)
        tasks.append(TaskDraws(
            pool.task, pool.train_area, pool.scheme, target.take(learn), target.take(nobody), judged, nobody, draws,
            *blocks_of(labelled.chips.take(judge), judged, area, pool.task),
        ))  # fmt: skip
    groups = block_names(labelled.chips.take(learn))
    return Comparison(area, labelled.rows[learn], nobody, labelled.rows[judge], groups, tuple(tasks))
