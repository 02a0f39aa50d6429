"""The few-label engine beside scikit-learn's plain loop: same draws, same test chips, binning included.

python benchmarks/fewshot.py [--quick]            a loop of forests of all sizes up to 5,000, both ways, interleaved
python benchmarks/fewshot.py --full FOLDER        the paper's whole ablation at its sizes; stop it and start it again as you like

The full ablation: 5 areas of 83,000 to 285,000 chips, 3 modalities of 768 numbers and all together, 4 tasks, 9 sizes up to all
171,000 training chips, 10 draws: 7,200 forests, each judged on all test chips of its area. Vectors are simulated. What
scikit-learn would take is worked out from its forests of each size, timed before and after.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
from interleaved import report, seconds_a_call
from resident import resident
from sklearn.ensemble import RandomForestClassifier

from terrashot.domain.results import Result
from terrashot.domain.tables import Chips, Labels
from terrashot.durable.kept import SqliteParts
from terrashot.durable.parts import NO_PARTS, Parts
from terrashot.engine import available_cores
from terrashot.evaluate.protocol.comparison import DrawSettings
from terrashot.evaluate.protocol.feature_sets import FeatureSet
from terrashot.evaluate.protocol.fewshot import FewshotSettings, run_fewshot
from terrashot.evaluate.protocol.fitting import FitSettings, Workshop
from terrashot.evaluate.protocol.sampling import draws_of

TREES, DEPTH, REPEATS = 50, 7, 10
AREAS = {"CONUS": 167_000, "Middle East": 163_000, "Pakistan-India": 147_000, "China": 285_000, "South America": 83_000}
MODALITIES, WIDTH, TASKS = ("s2rgbm", "s1grdm", "gunw"), 768, ("vegetation", "builtup", "cropland", "water")
SIZES = (5, 10, 100, 250, 500, 1000, 5000, 20_000)
ROWS_AT_ONCE = 20_000


def simulated(n: int, width: int, seed: int, block: np.ndarray, signal: np.ndarray) -> None:
    """Fills `block` with unit-length rows of low rank in noise, in half precision, as embeddings are; `signal` is (n, 64)."""
    mixing = np.random.default_rng(7).normal(size=(signal.shape[1], width)).astype(np.float32) / 8
    for start in range(0, n, ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, n))
        rng = np.random.default_rng([seed, start])
        found = np.tanh(signal[rows] @ mixing) + 0.5 * rng.standard_normal((rows.stop - start, width), dtype=np.float32)
        block[rows] = found / np.linalg.norm(found, axis=1, keepdims=True)


def table(areas: dict[str, int], width: int) -> tuple[Chips, dict[str, FeatureSet], Labels]:
    """Chips, feature sets and labels of a simulated study; a fifth of each area is test, a fifth validation."""
    n = sum(areas.values())
    rng = np.random.default_rng(0)
    signal = rng.standard_normal((n, 64), dtype=np.float32) * np.linspace(2, 0.2, 64, dtype=np.float32)
    blocks = {name: np.empty((n, width), np.float16) for name in MODALITIES}
    for number, block in enumerate(blocks.values()):
        # Each modality sees its own part of the signal, and all a common one.
        seen = signal * (np.arange(64) % 4 != number)
        simulated(n, width, number + 1, block, seen.astype(np.float32))
    values = signal[:, : len(TASKS)] * 1.0 + signal[:, 8 : 8 + len(TASKS)] + 1.5 * rng.standard_normal((n, len(TASKS)))
    names = [name for name, count in areas.items() for _ in range(count)]
    place = np.concatenate([np.arange(count) for count in areas.values()])
    split = [("train", "train", "train", "test", "val")[number] for number in place // 64 % 5]
    ids = tuple(f"chip{number:07d}" for number in range(n))
    groups = tuple(f"{name}-{number // 64}" for name, number in zip(names, place, strict=True))
    chips = Chips(ids, tuple(names), groups, tuple(split))
    features = {name: FeatureSet((block,)) for name, block in blocks.items()}
    features["modsconcat"] = FeatureSet(tuple(blocks.values()))
    return chips, features, Labels(ids, {task: values[:, at].astype(np.float64) for at, task in enumerate(TASKS)})


def ours(
    study: tuple[Chips, dict[str, FeatureSet], Labels],
    sizes: tuple[int, ...],
    repeats: int,
    parts: Parts,
    *,
    say: bool = False,
) -> list[Result]:
    """Every forest of the protocol, and nothing else."""
    settings = FewshotSettings(
        DrawSettings(sizes, repeats, "median"), FitSettings(("forest",), (TREES,), (DEPTH,)), repeats, False, False
    )
    chips, features, labels = study
    work = run_fewshot(
        features, chips, labels, settings, split_scheme="given", workshop=Workshop(available_cores(), parts)
    )
    said = time.monotonic()
    while True:
        try:
            done = next(work)
        except StopIteration as stop:
            return stop.value.fitted.results
        if say and time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"{done.area}, {done.features}: {done.done / done.total:.1%}", flush=True)


def theirs(study: tuple[Chips, dict[str, FeatureSet], Labels], sizes: tuple[int, ...], repeats: int) -> list[float]:
    """The plain loop: accuracy of each forest, fitted to the same draws on all cores and judged on all test chips."""
    chips, features, labels = study
    scores = []
    split = np.array(chips.split)
    train, test = np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
    for own in features.values():
        learn, judge = own.take(train).astype(np.float32), own.take(test).astype(np.float32)
        for task, values in labels.targets.items():
            y = values > np.median(values[train])
            for repeat in range(repeats):
                for draw in draws_of(np.arange(len(train)), [*sizes, None], repeat, (0, task, chips.area[0])):
                    model = RandomForestClassifier(TREES, max_depth=DEPTH, n_jobs=-1, random_state=repeat)
                    model.fit(learn[draw.rows], y[train[draw.rows]])
                    scores.append(float((model.predict(judge) == y[test]).mean()))
    return scores


def one_forest(own: FeatureSet, chips: Chips, area: str, values: np.ndarray, n: int | None) -> float:
    """Seconds of scikit-learn for one forest of so many labels (None: all), judged on the area's test chips."""
    inside = np.array(chips.area) == area
    train, test = (np.flatnonzero(inside & (np.array(chips.split) == name)) for name in ("train", "test"))
    drawn = train if n is None else np.random.default_rng(1).choice(train, n, replace=False)
    learn, judge, y = own.take(drawn).astype(np.float32), own.take(test).astype(np.float32), values[drawn] > 0
    started = time.perf_counter()
    RandomForestClassifier(TREES, max_depth=DEPTH, n_jobs=-1, random_state=0).fit(learn, y).predict(judge)
    return time.perf_counter() - started


def plain_loop_seconds(study: tuple[Chips, dict[str, FeatureSet], Labels], area: str) -> float:
    """What the plain loop would take at least for the whole ablation: its forests of each size in one area, times how many.

    A forest on all labels counts by the area's chips; one of fewer labels as here, though larger areas have more to judge.
    """
    chips, features, labels = study
    all_areas = sum(AREAS.values()) / AREAS[area]
    seconds = 0.0
    for name, times in (("s2rgbm", 3), ("modsconcat", 1)):
        for n in (*SIZES, None):
            found = one_forest(features[name], chips, area, labels.targets["water"], n)
            print(f"scikit-learn, {name}, {n or 'all'} labels: {found:.2f} s", flush=True)
            seconds += found * (all_areas if n is None else len(AREAS)) * times * len(TASKS) * REPEATS
    return seconds


def compare(quick: bool) -> None:
    width, n, sizes, repeats = (192, 2_000, (10, 100, 250), 1) if quick else (768, 20_000, (10, 100, 1000, 5000), 1)
    study = table({"all": n}, width)
    rows: dict[str, list[float]] = {}

    def mine() -> None:
        rows["ours"] = [row.accuracy or 0.0 for row in ours(study, sizes, repeats, NO_PARTS)]

    def plain_loop() -> None:
        rows["sklearn"] = theirs(study, sizes, repeats)

    times = seconds_a_call({"ours": mine, "sklearn": plain_loop}, rounds=3, at_least_s=0.0)
    ratios = [other / own for other, own in zip(times["sklearn"], times["ours"], strict=True)]
    report(
        "fewshot", ratios, "scikit-learn's plain loop over RandomForestClassifier(n_jobs=-1), same draws and test chips",
        sizes=(*sizes, "all"), dimensions=width, chips=n, cores=available_cores(),
        accuracy={name: round(statistics.mean(found), 4) for name, found in rows.items()},
        seconds={name: round(statistics.median(found), 2) for name, found in times.items()},
    )  # fmt: skip


def full(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    study = table(AREAS, WIDTH)
    print("table made", flush=True)
    log = folder / "seconds.json"
    before = json.loads(log.read_text()) if log.is_file() else []
    parts, started = SqliteParts(folder / "fits.sqlite"), time.monotonic()
    try:
        rows = ours(study, SIZES, REPEATS, parts, say=True)
    finally:
        parts.close()
        before.append(time.monotonic() - started)
        log.write_text(json.dumps(before))
    peak = resident("VmHWM")
    seconds = sum(before)
    rival = plain_loop_seconds(study, "South America")
    by_size = {
        str(n or "all"): round(statistics.mean(row.accuracy or 0.0 for row in rows if row.n_labels_asked == n), 4)
        for n in (*SIZES, None)
    }
    report(
        "fewshot full", [rival / seconds], "scikit-learn's plain loop, n_jobs=-1, from its forests of each size in one area",
        forests=len(rows), hours=round(seconds / 3600, 3), rival_hours=round(rival / 3600, 2), pieces=len(before),
        peak_gb=round(peak / 1e9, 2), cores=available_cores(), accuracy_by_labels=by_size, simulated=True,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    if asked.full:
        full(asked.full)
    else:
        compare(asked.quick)


if __name__ == "__main__":
    main()
