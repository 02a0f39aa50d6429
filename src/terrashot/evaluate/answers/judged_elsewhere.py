"""What leakage and transfer amount to, with intervals."""

import numpy as np

from terrashot.domain.answers import LabelRange, Leak, Moved
from terrashot.domain.tables import Chips, Labels, shared_rows
from terrashot.evaluate.answers.autocorrelation import autocorrelation
from terrashot.evaluate.certainty.bootstrap import replicate
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.curves import Key, curves_of, weights_for
from terrashot.evaluate.certainty.enough import Scored
from terrashot.evaluate.certainty.intervals import paired_difference
from terrashot.evaluate.protocol.fitting import Fitted
from terrashot.evaluate.protocol.leakage import ADJOINING, OTHER_AREAS, RANDOM


def leaks(fitted: Fitted, seed: int) -> list[Leak]:
    """Every scheme beside the study's own, by task, area, feature set and number of labels."""
    rows: list[Leak] = []
    for own in _grouped(curves_of(fitted.blocks)):
        weights = weights_for([curve for _, curve in own], seed)
        scored = {key[3]: Scored(curve, replicate(curve, weights)) for key, curve in own}
        apart = (name for name in scored if name not in (RANDOM, OTHER_AREAS) and not name.endswith(ADJOINING[2:]))
        named = next(apart, OTHER_AREAS)  # where the study's own scheme is to leave an area out
        for scheme, one in scored.items():
            rows += [_leak(scheme, one, scored[named], at) for at in range(len(one.curve.sizes))]
    return rows


def _leak(scheme: str, one: Scored, ours: Scored, at: int) -> Leak:
    curve, spread = one.curve, one.scores.at(at)
    difference = None if one is ours else paired_difference(spread, ours.scores.at(at))
    return Leak(
        curve.task, curve.area, curve.features, curve.head, scheme, curve.sizes[at], float(spread.estimate[0]),
        *one.ends[at],
        difference.estimate if difference else None, difference.low if difference else None, difference.high if difference else None,
    )  # fmt: skip


def moved(fitted: Fitted, seed: int) -> list[Moved]:
    """Every training area in every test area, by task, feature set and number of labels."""
    asked = {
        (one.task, one.area, one.train_area, fit.n_labels): fit.n_labels_asked or 0 for one in fitted.blocks for fit in one.fits
    }  # fmt: skip
    rows = []
    for own in _grouped(curves_of(fitted.blocks)):
        weights = weights_for([curve for _, curve in own], seed)
        for (task, area, train_area, *_), curve in own:
            scores = replicate(curve, weights)
            ends = Scored(curve, scores).ends
            for at, size in enumerate(curve.sizes):
                local = (
                    asked[task, area, train_area, size] if train_area == area or train_area.endswith(f"+{area}") else 0
                )
                names = (task, area, train_area, curve.features, curve.head, size, local)
                rows.append(Moved(*names, float(scores.estimate[at]), *ends[at]))
    return rows


def label_ranges(chips: Chips, labels: Labels, seed: int) -> list[LabelRange]:
    """The range of spatial autocorrelation of each label in each area; None where no chip has a place."""
    if chips.lon_deg is None or chips.lat_deg is None:
        return []
    ours, theirs = shared_rows(chips.ids, labels.chip_ids)
    areas = np.array(chips.area, dtype=object)[ours]
    rows = []
    for target, values in labels.targets.items():
        for area in dict.fromkeys(areas):
            own = areas == area
            found = autocorrelation(
                _numbers(values[theirs[own]]), chips.lon_deg[ours[own]], chips.lat_deg[ours[own]], seed=seed
            )
            rows.append(LabelRange(target, area, found.range_km if found else None, found.moran if found else None))
    return rows


def _numbers(values: np.ndarray) -> np.ndarray:
    """Numbers as they are; classes by name as whether a chip is of the commonest one."""
    if values.dtype != object:
        return values
    known = [value for value in values if value is not None]
    commonest = max(sorted(set(known)), key=known.count, default=None)
    return np.array([np.nan if value is None else float(value == commonest) for value in values])


def _grouped(curves: dict[Key, Curve]) -> list[list[tuple[Key, Curve]]]:
    """Curves of the same task, area, feature set and head, which differ in where they were trained."""
    groups: dict[tuple[str, str, str, str], list[tuple[Key, Curve]]] = {}
    for key, curve in curves.items():
        groups.setdefault((key[0], key[1], key[4], key[5]), []).append((key, curve))
    return list(groups.values())
