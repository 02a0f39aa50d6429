"""A missing-data report from made-up numbers."""

from terrashot.domain.absence_scores import AbsenceReport, AbsenceScore

COSTS = {
    ("nothing", ""): 0.0, ("modality", "s2rgbm"): 0.02, ("modality", "s1grdm"): 0.08, ("modality", "gunw"): 0.01,
    ("modality", "s2rgbm, s1grdm"): 0.15, ("kind", "red"): 0.01, ("kind", "vv, vv-vh"): 0.03, ("month", "2020-01"): 0.002,
    ("month", "2020-02"): 0.02, ("channel", "2020-01_red"): 0.001, ("pairs", "half of gunw"): 0.0,
}  # fmt: skip
"""What the ridge, or what is left, loses by case and what is left out."""
DROPPED = 0.25


def absence_report(
    tasks=("water",), areas=("north",), *, r2=(), sizes=(100, 250, None), notes=("something was sampled",)
):
    """Modalities have all strategies: the training mean loses twice as much as the ridge; heads learnt without lose half."""
    rows = [
        _row(task, area, case, answer, strategy, loss, asked, is_r2=task in r2)
        for task in tasks for area in areas for case, cost in COSTS.items() for answer, strategy, loss in _ways(case[0], cost)
        for asked in sizes
    ]  # fmt: skip
    return AbsenceReport(tuple(rows), notes)


def _ways(case, cost):
    if case == "modality":
        yield from (("met", "training-mean", 2 * cost), ("met", "ridge", cost), ("met", "drop", DROPPED))
    else:
        yield "met", "rest", cost
    if case in ("modality", "kind", "month"):
        yield "learnt", "rest", cost / 2


def _row(task, area, case, answer, strategy, loss, asked, *, is_r2):
    score, n = 0.8 - loss, asked or 400
    like = (1 - loss, 0.9 - loss, 0.3 - loss, 0.5 - loss, 0.6 - loss)
    return AbsenceScore(
        task, area, *case, answer, strategy, "modsconcat", "ridge" if is_r2 else "logistic", "R2" if is_r2 else "accuracy", n,
        asked is None, 1 if asked is None else 10, 90, float(case[0] == "modality"), score, score - 0.04, score + 0.03, -loss, -loss - 0.015,
        -loss + 0.015, *((None,) * 5 if answer == "learnt" or strategy == "drop" else like),
    )  # fmt: skip
