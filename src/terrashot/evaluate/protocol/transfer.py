"""Labels of one area used in another: train area by test area by number of labels, and foreign labels with a few local ones."""

import numpy as np
from jaxtyping import Int64

from terrashot.evaluate.protocol.comparison import Comparison, DrawSettings, Labelled, rows_of
from terrashot.evaluate.protocol.elsewhere import BUDGETS, PoolDraws, comparison_of, targets_of
from terrashot.evaluate.protocol.sampling import Draw, draws_of
from terrashot.evaluate.protocol.target import Target

LOCAL = (10, 100, 250)
"""Local labels that are added to the foreign ones."""
TOGETHER = "{}+{}"
"""Name of the training area where foreign labels and local ones are taken together."""


def transfer_comparisons(labelled: Labelled, settings: DrawSettings, scheme: str) -> list[Comparison]:
    """One a test area: every area's labels, and every other's with local ones. None for a single area.

    A numeric label is cut where the test area's training chips say: the question is that of the place where it is asked. Of an area
    that is left out, which has none, the others say.
    """
    areas = list(dict.fromkeys(labelled.chips.area))
    if len(areas) < 2:
        return []
    return [_of_area(labelled, area, areas, settings, scheme) for area in labelled.compared]


def _of_area(labelled: Labelled, area: str, areas: list[str], settings: DrawSettings, scheme: str) -> Comparison:
    targets = targets_of(labelled, area, settings)
    pools = []
    for name, target in targets.items():
        own = _known(labelled, area, target)
        for other in areas:
            rows = _known(labelled, other, target)
            pools.append(PoolDraws(name, other, scheme, _alone(rows, name, other, settings)))
            if other != area:
                both = _together(rows, own, (name, other, area), settings)
                pools.append(PoolDraws(name, TOGETHER.format(other, area), scheme, both))
    drawn = [pool for pool in pools if pool.draws]
    return comparison_of(labelled, area, rows_of(labelled, area, "test"), targets, drawn)


def _known(labelled: Labelled, area: str, target: Target) -> Int64[np.ndarray, " n"]:
    rows = rows_of(labelled, area, "train")
    return rows[target.known[rows]]


def _alone(rows: np.ndarray, name: str, area: str, settings: DrawSettings) -> tuple[Draw, ...]:
    sizes: list[int | None] = [size for size in BUDGETS if size <= len(rows)]
    names = (settings.seed, name, area)
    return tuple(d for repeat in range(settings.repeats) if sizes for d in draws_of(rows, sizes, repeat, names))


def _together(
    foreign: np.ndarray, own: np.ndarray, names: tuple[str, str, str], settings: DrawSettings
) -> tuple[Draw, ...]:
    """As many foreign labels as the largest budget allows, with each number of local ones."""
    size = max((n for n in BUDGETS if n <= len(foreign)), default=None)
    local: list[int | None] = [n for n in LOCAL if n <= len(own)]
    if size is None or not local:
        return ()
    name, other, area = names
    draws = []
    for repeat in range(settings.repeats):
        (far,) = draws_of(foreign, [size], repeat, (settings.seed, name, other))
        near = draws_of(own, local, repeat, (settings.seed, name, area))
        draws += [Draw(draw.asked, repeat, np.concatenate([far.rows, draw.rows])) for draw in near]
    return tuple(draws)
