"""The leakage meter: how much better a head seems when its training chips lie beside the test chips.

The test chips are the same in every scheme, and so is the number of labels; only the pool of training chips changes. Half of
the area's test chips are judged; the other half lets the random scheme draw from between them, as a random split would.

Source: Roberts et al. 2017, doi:10.1111/ecog.02881 (blocked and random validation side by side).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int64

from terrashot.evaluate.protocol.comparison import OTHERS, Comparison, DrawSettings, Labelled, rows_of, teachers_of
from terrashot.evaluate.protocol.elsewhere import BUDGETS, PoolDraws, comparison_of, targets_of
from terrashot.evaluate.protocol.sampling import draws_of, seed_of

RANDOM, ADJOINING, OTHER_AREAS = "random", "{}_adjoining", "leave_area_out"


def leakage_comparisons(labelled: Labelled, settings: DrawSettings, scheme: str) -> list[Comparison]:
    """One an area whose test chips are set apart by more than chance; none where no chip has a place or a group."""
    if scheme == RANDOM or not _are_apart(labelled):
        return []
    areas = list(dict.fromkeys(labelled.chips.area))
    return [_of_area(labelled, area, areas, settings, scheme) for area in labelled.compared]


def _are_apart(labelled: Labelled) -> bool:
    has_group = any(group is not None for group in labelled.chips.group)
    return has_group or labelled.chips.lon_deg is not None or labelled.chips.utm is not None


def _of_area(labelled: Labelled, area: str, areas: Sequence[str], settings: DrawSettings, scheme: str) -> Comparison:
    test = rows_of(labelled, area, "test")
    rng = np.random.default_rng(seed_of(settings.seed, "leakage", area))
    judged = np.sort(rng.permutation(test)[: max(1, len(test) // 2)])
    targets = targets_of(labelled, area, settings)
    pools = _pools(labelled, area, areas, judged, scheme)
    drawn = []
    for name, target in targets.items():
        known = {key: rows[target.known[rows]] for key, rows in pools.items()}
        known = {key: rows for key, rows in known.items() if len(rows) >= min(BUDGETS)}
        # Without the study's own scheme, or any other, there is nothing to compare.
        if (teachers_of(labelled, area)[0], scheme) in known and len(known) > 1:
            drawn += _draws(name, known, area, settings)
    return comparison_of(labelled, area, judged, targets, drawn)


def _pools(
    labelled: Labelled, area: str, areas: Sequence[str], judged: np.ndarray, scheme: str
) -> dict[tuple[str, str], Int64[np.ndarray, " n"]]:
    """Rows to draw from, by training area and scheme."""
    (train_area, train), buffer = teachers_of(labelled, area), rows_of(labelled, area, "buffer")
    everyone = rows_of(labelled, area, "train", "val", "test", "buffer")
    pools = {(area, RANDOM): np.setdiff1d(everyone, judged), (train_area, scheme): train}
    if len(buffer):
        pools[train_area, ADJOINING.format(scheme)] = np.sort(np.concatenate([train, buffer]))
    others = [rows_of(labelled, other, "train") for other in areas if other != area]
    if others and train_area != OTHERS:
        pools[OTHERS, OTHER_AREAS] = np.sort(np.concatenate(others))
    return pools


def _draws(
    name: str, pools: Mapping[tuple[str, str], np.ndarray], area: str, settings: DrawSettings
) -> list[PoolDraws]:
    """The same sizes from each pool: those that the smallest has."""
    fewest = min(len(rows) for rows in pools.values())
    sizes: list[int | None] = [size for size in BUDGETS if size <= fewest]
    names = (settings.seed, name, area, "leakage")
    return [
        PoolDraws(name, train_area, scheme, tuple(
            draw for repeat in range(settings.repeats) for draw in draws_of(rows, sizes, repeat, names)
        ))
        for (train_area, scheme), rows in pools.items()
    ]  # fmt: skip
