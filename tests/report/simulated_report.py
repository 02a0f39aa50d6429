"""A report's content from made-up numbers: small, or as large as the paper's study."""

import numpy as np
import shapely

from terrashot.domain.answers import (
    Answers,
    Claim,
    EnoughLabels,
    ForecastTest,
    Foreseen,
    LabelRange,
    Leak,
    Moved,
    Verdict,
)
from terrashot.domain.results import Result, dots, is_floor, summarize
from terrashot.domain.tables import Chips, Labels
from terrashot.plots.chip_plates import Plate
from terrashot.plots.tsne import Layout
from terrashot.report.content import ReportContent

SIZES = (10, 250, None)
LEVELS = {
    "s2rgbm": 0.7, "s1grdm": 0.74, "gunw": 0.68, "modsconcat": 0.8, "image_stats": 0.72, "random_conv": 0.66, "untrained": 0.64,
    "coordinates": 0.6, "majority": 0.5,
}  # fmt: skip


def results(
    tasks=("water",),
    areas=("north",),
    *,
    features=("s2rgbm", "modsconcat", "image_stats", "majority"),
    sizes=SIZES,
    full=400,
    heads=("forest", "logistic"),
    r2=(),
):
    """Scores that rise with log n; of the tasks in `r2` as a regression."""
    rng = np.random.default_rng(0)
    return [
        _result(task, area, name, head, asked, repeat, full, LEVELS[name], rng, is_r2=task in r2)
        for task in tasks for area in areas for name in features for head in heads for asked in sizes for repeat in range(3)
    ]  # fmt: skip


def _result(task, area, name, head, asked, repeat, full, level, rng, *, is_r2):
    n = asked or full
    share = np.log(n / 5) / np.log(full / 5)
    score = 0.5 + (level + 0.12 - 0.5) * share ** (0.5 if name != "majority" else 9) if name != "majority" else 0.5
    score = float(score + rng.normal(0, 0.05 / np.sqrt(n)))
    plain = (None,) * 6 if is_r2 else (score, score - 0.05, None, None, None, None)
    return Result(
        task, area, area, "bands", name, head, asked, n, repeat, 1, 90, None if is_r2 else 0.1, None if is_r2 else 0.5, *plain, None,
        r2=3 * score - 2 if is_r2 else None,
    )  # fmt: skip


def answers(points):
    """Numbers for every section, of the same tasks and areas."""
    places = list(dict.fromkeys((p.task, p.area) for p in points))
    at = {(p.task, p.area, p.features, p.head, p.n_labels): p for p in points if not p.is_full}
    full = {(p.task, p.area, p.features, p.head): p for p in points if p.is_full}
    return Answers(
        verdicts=tuple(_verdict(task, area, n, at, full) for task, area in places for n in (100, 250) if (task, area, "modsconcat", "forest", n) in at),
        enough=tuple(_enough(key, form, i, p.n_labels) for i, (key, p) in enumerate(full.items()) for form in ("dot", "crossing", "skill", "common")),
        claims=(
            Claim("always below 500", True, 1.0, 0.93, 1.0, "the paper: always; here 12 of 12 curves reach 95 % of the full-label accuracy with fewer than 500 labels"),
            Claim("radar best", False, 0.31, 0.12, 0.48, "the paper: in general; here s1grdm is the best single modality in 4 of 13 cells"),
            Claim("all better", None, None, None, None, "not tested, no task has modsconcat beside a single modality"),
        ),
        leakage=tuple(_leak(task, area, name, scheme, n, i) for task, area in places for name in ("modsconcat", "image_stats") for n in (100, 250)
                      for i, scheme in enumerate(("random", "bands", "bands_adjoining", "leave_area_out"))),
        ranges=tuple(LabelRange(task, area, 12.4 if i % 3 else None, 0.41) for i, (task, area) in enumerate(places)),
        transfer=tuple(row for task, area in places for row in _moved(task, area, [a for t, a in places if t == task])),
        forecasts=tuple(Foreseen(task, area, "modsconcat", "forest", 250, target, *((None, None, None) if target > 0.9 else (1800.0, 900.0, None if i % 2 else 5200.0)))
                        for i, (task, area) in enumerate(places) for target in (0.85, 0.95)),
        forecast_tests=(ForecastTest(100, 12, 0.012, 0.031, 0.018, 0.75, 0.94, "with up to 100 labels seen, the law missed later scores by 1.2 points on average"),),
        sentences=tuple(f"{task} in {area}: 240 labels (150 to 400) of modsconcat (forest) reach 95 % of the accuracy that the best embedding has with all 100,000; image_stats need 900" for task, area in places),
    )  # fmt: skip


def _verdict(task, area, n, at, full):
    best, floor, all_labels = (
        at[task, area, "modsconcat", "forest", n],
        at.get((task, area, "image_stats", "forest", n)),
        full[task, area, "modsconcat", "forest"],
    )
    names = (
        task,
        area,
        n,
        best.features,
        best.head,
        best.measure,
        best.score,
        best.score - 0.03,
        best.score + 0.02,
        all_labels.n_labels,
        all_labels.score,
    )
    if floor is None:
        return Verdict(*names)
    gain = best.score - floor.score
    return Verdict(*names, floor.features, floor.head, floor.score, gain, gain - 0.03, gain + 0.03, gain - 0.03, 0.998)


def _enough(key, form, index, n_full):
    n = None if form == "common" and is_floor(key[2]) else 240.0
    return EnoughLabels(*key, form, n, None if n is None else 150.0, None if n is None or index % 2 else 400.0, n_full)


def _leak(task, area, name, scheme, n, index):
    score = {"random": 0.86, "bands": 0.8, "bands_adjoining": 0.82, "leave_area_out": 0.71}[scheme] - (
        0.06 if is_floor(name) else 0
    )
    optimism = None if scheme == "bands" else score - 0.8 + (0.06 if is_floor(name) else 0)
    ends = (None, None) if optimism is None else (optimism - 0.02, optimism + 0.02)
    return Leak(task, area, name, "forest", scheme, n, score, score - 0.03, score + 0.02, optimism, *ends)


def _moved(task, area, areas):
    for name in ("modsconcat", "image_stats"):
        for other in areas:
            score = 0.83 if other == area else 0.62 + 0.03 * len(other) % 0.15
            yield from (
                Moved(
                    task, area, other, name, "forest", n, n if other == area else 0, score, score - 0.03, score + 0.02
                )
                for n in (100, 250)
            )
            if other != area:
                yield Moved(task, area, f"{other}+{area}", name, "forest", 260, 10, score + 0.05, None, None)


def content(rows=None, *, n=40, areas=("north",), simulated=True, places=True, values=None, **more):
    """Small, with a section of every kind."""
    rows = rows if rows is not None else results(areas=areas)
    rng = np.random.default_rng(1)
    chips = _chips(n, areas, places=places)
    points = summarize(rows)
    tasks = list(dict.fromkeys(p.task for p in points))
    targets = {task: values if values is not None else rng.random(n) ** 4 for task in tasks}
    given = {
        "title": "demo", "simulated": simulated, "chips": chips, "labels": Labels(chips.ids, targets),
        "cuts": {(task, area): None if targets[task].dtype == object else 0.1 for task in tasks for area in areas},
        "points": points, "dots": dots(points), "answers": answers(points),
        "layouts": {name: Layout(rng.normal(size=(n, 2)).astype(np.float32), n) for name in ("s2rgbm", "s1grdm")},
        "metrics": [{"epoch": i, "train_loss": 4.0 - i, "val_loss": 4.1 - i, "temperature": 0.07, "recall": {"a>b": {"1": 0.1, "5": 0.2, "10": 0.3, "n": 50}}} for i in range(3)],
        "best_epoch": 2, "plates": [Plate("c0", "north", {"s2rgbm": rng.random((3, 8, 8)).astype(np.float32), "gunw": None})],
        "absent": [("gunw", "missing", "no pair", 4)], "facts": {"seed": "0"}, "notes": ["something was left out"],
    }  # fmt: skip
    return ReportContent(**given | more)


def _chips(n, areas, *, places):
    """Areas side by side, each a square of touching chips in bands."""
    number = np.arange(n)
    area, within = number % len(areas), number // len(areas)
    side = int(np.ceil(np.sqrt(n / len(areas))))
    lon, lat = 9 + 8.0 * area + within % side * 0.01, 45 + within // side * 0.01
    shapes = shapely.box(lon - 0.005, lat - 0.005, lon + 0.005, lat + 0.005)
    band = (within % side) * 20 // side
    split = np.array(["train", "train", "buffer", "test", "val"], dtype=object)[band % 5]
    names = tuple(np.array(areas, dtype=object)[area])
    ids = tuple(f"c{i}" for i in range(n))
    return Chips(ids, names, (None,) * n, tuple(split), shapes if places else None, lon, lat)


def whole_study(n=2000, n_drawn=None, areas=("CONUS", "Europe", "China")):
    """Four tasks, all floors, the paper's sizes; `n_drawn` chips have a t-SNE place."""
    rng = np.random.default_rng(2)
    tasks = ("vegetation", "builtup", "cropland", "water")
    rows = results(
        tasks, areas, features=tuple(LEVELS), sizes=(5, 10, 100, 250, 500, 1000, 5000, 20_000, None), full=100_000
    )
    base = content(rows, n=n, areas=areas)
    places = np.full((n, 2), np.nan, dtype=np.float32)
    shown = rng.permutation(n)[: n_drawn or n]
    places[shown] = rng.normal(size=(len(shown), 2)) + 4 * rng.integers(0, 3, (len(shown), 1))
    targets = {task: rng.random(n) ** (2 + 2 * i) * (rng.random(n) > 0.1 * i) for i, task in enumerate(tasks)}
    more = {
        "labels": Labels(base.chips.ids, targets),
        "layouts": {name: Layout(places, n) for name in ("s2rgbm", "s1grdm", "gunw")},
    }
    return ReportContent(**{name: getattr(base, name) for name in base.__slots__} | more)
