"""How many more labels each task needs, and how far such forecasts could be trusted here."""

from collections.abc import Sequence

import numpy as np

from terrashot.domain.answers import ForecastTest, Foreseen, Verdict
from terrashot.domain.results import Result
from terrashot.errors import InputError
from terrashot.evaluate.forecast.forecast import forecast, hold_back, known_scores_of
from terrashot.evaluate.forecast.learning_law import fit_law

TARGETS = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
KNOWN = (100, 250)
"""The forecasts that are tested saw so many labels at most."""


def foreseen(results: Sequence[Result], verdicts: Sequence[Verdict], seed: int) -> list[Foreseen]:
    """Of each task and area's best embedding, the labels that the next two targets above its best score need."""
    curves = {curve.name: curve for curve in known_scores_of(results)}
    rows = []
    for best in {(v.task, v.area): v for v in verdicts}.values():
        curve = curves.get("/".join((best.task, best.area, best.features, best.head)))
        if curve is None or len(curve.sizes) < 2:
            continue
        law, reached = fit_law(curve, seed=seed), float(np.nanmax(np.nanmean(curve.scores, axis=1)))
        for target in [target for target in TARGETS if target > reached][:2]:
            found = forecast(law, target)
            names = (best.task, best.area, best.features, best.head, int(curve.sizes[-1]), target)
            rows.append(Foreseen(*names, found.n_labels, found.low, found.high))
    return rows


def tested(results: Sequence[Result], seed: int) -> list[ForecastTest]:
    """The law beside no change and a straight line, on sizes it did not see; nothing where no size can be held back."""
    curves, rows = known_scores_of(results), []
    for known in KNOWN:
        try:
            found = hold_back(curves, known, seed=seed)
        except InputError:
            continue
        errors = (found.law_error, found.no_change_error, found.line_error)
        rows.append(ForecastTest(known, found.curves, *errors, found.share_best, found.coverage, found.sentence))
    return rows
