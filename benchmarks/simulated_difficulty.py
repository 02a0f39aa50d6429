"""How hard the simulated Earth is for simple features: within an area, and from one area to another.

    python benchmarks/simulated_difficulty.py [--px 64] [--seed 0] [--table]

No tower is trained or used. Prints one JSON line: by task and area the best floor's balanced accuracy at 250 labels, its
name, and what floors lose that learnt in another area. `--table` prints the tables of docs/simulated-earth.md instead.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.split import SplitRecipe, make_split
from terrashot.domain.tables import Chips, Embeddings, Labels
from terrashot.domain.tasks import make_classes
from terrashot.durable.parts import DiskParts
from terrashot.embed.floors import make_floors
from terrashot.evaluate.protocol.feature_sets import feature_sets
from terrashot.evaluate.protocol.sampling import nested_draws, seed_of
from terrashot.evaluate.scores.metrics import score
from terrashot.heads.pool import HeadSettings, make_pool, predict
from terrashot.ingest.harvest import gather_labels, harvest
from terrashot.ingest.world.sources import SimulatedLabels, World, simulated_sources
from terrashot.store.chips import open_chip_store
from terrashot.store.statistics import measure_channels

AREAS = {
    "north": (9.40, 45.10, 9.628, 45.261),
    "south": (-45.10, -22.16, -44.926, -22.00),
    "east": (114.90, 31.92, 115.09, 32.08),
    "prairie": (-96.10, 41.00, -95.88, 41.16),
    "punjab": (72.00, 30.50, 72.19, 30.66),
}
"""Boxes in degrees: the two areas of the demo and three more, of about 780 chips each."""
LABELS, HEADS = 250, ("forest", "logistic")
ABROAD = ("image_stats", "random_conv")
"""Floors asked about another area: where a chip lies tells nothing there."""


@dataclass(frozen=True)
class Study:
    """Chips of all areas, with labels and floors."""

    chips: Chips
    labels: Labels
    features: dict[str, np.ndarray]
    complete: np.ndarray
    """Chips that have every feature."""


def make_study(px: int, seed: int) -> Study:
    """The areas' chips of `px` pixels, read as a study reads them."""
    world = World(seed, px)
    chips = _chips(px)
    labels = gather_labels(SimulatedLabels(world), chips.ids, workers=2)
    with tempfile.TemporaryDirectory() as folder:
        for done in harvest(simulated_sources(world, 10.0), chips.ids, Path(folder), workers=2):
            print(f"\r{done.modality}: {done.done} of {done.total} shards", end="", file=sys.stderr)
        store, rows = open_chip_store(Path(folder)), chips.rows_in("train")
        stats = measure_channels(store, [chips.ids[row] for row in rows], seed)
        parts, train_ids = DiskParts(Path(folder) / "parts", "floors"), [chips.ids[row] for row in rows]
        kept = _last(make_floors(store, chips.ids, stats=stats, train_ids=train_ids, seed=seed, parts=parts))
        made = [blocks for _, blocks in kept.groups()]
    floors = Embeddings(chips, {name: np.concatenate([blocks[name] for blocks in made]) for name in made[0]})
    sets, everyone = feature_sets(Embeddings(chips, {}), floors), np.arange(len(chips))
    features = {name: own.take(everyone) for name, own in sets.items() if name != "majority"}
    complete = ~np.any([np.isnan(block).any(axis=1) for block in features.values()], axis=0)
    return Study(chips, labels, features, complete)


def accuracy(
    study: Study, features: str, target: str, draws: tuple[str, str], head: str, cut: float, repeats: int
) -> float:
    """Mean balanced accuracy on the test chips of the second area, of heads that saw labels of the first alone."""
    learnt, tested = draws
    train, test = _rows(study, target, learnt, "train"), _rows(study, target, tested, "test")
    vectors, y = study.features[features], (study.labels.targets[target] > cut).astype(np.int64)
    pool = make_pool(vectors[train], vectors[test], 0, [head])
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng(seed_of(0, learnt, target, repeat))
        rows = nested_draws(len(train), [min(LABELS, len(train) - 1)], rng)[0]
        guess = predict(head, pool, rows, y[train][rows], n_classes=2, settings=HeadSettings(), seed=repeat)
        found.append(score(y[test], guess).balanced_accuracy or 0.5)
    return float(np.mean(found))


def within(study: Study, repeats: int) -> list[dict[str, object]]:
    """By task and area, the best floor: the cut is the area's own, as in the protocol."""
    rows: list[dict[str, object]] = []
    for target, area in product(study.labels.targets, AREAS):
        cut = _cut(study, target, area)
        scores = {
            f"{name}, {head}": accuracy(study, name, target, (area, area), head, cut, repeats)
            for name, head in product(study.features, HEADS)
        }
        best = max(scores, key=scores.__getitem__)
        stats = max(scores[f"image_stats, {head}"] for head in HEADS)
        rows.append({"task": target, "area": area, "cut": round(cut, 4), "best": best,
                     "balanced_accuracy": round(scores[best], 3), "image_stats": round(stats, 3),
                     "coordinates": round(max(scores[f"coordinates, {h}"] for h in HEADS), 3)})  # fmt: skip
    return rows


def between(study: Study, repeats: int) -> list[dict[str, object]]:
    """By task and pair of areas, what labels from elsewhere lose: the cut is the tested area's.

    Abroad goes the floor that is best at home, as nobody there could tell which is best.
    """
    rows: list[dict[str, object]] = []
    for target in study.labels.targets:
        cuts = {area: _cut(study, target, area) for area in AREAS}
        found = {
            (floor, draws): accuracy(study, floor[0], target, draws, floor[1], cuts[draws[1]], repeats)
            for floor, draws in product(product(ABROAD, HEADS), product(AREAS, AREAS))
        }
        best = {a: max(product(ABROAD, HEADS), key=lambda floor, a=a: found[floor, (a, a)]) for a in AREAS}
        for learnt, tested in product(AREAS, AREAS):
            own, other = found[best[tested], (tested, tested)], found[best[learnt], (learnt, tested)]
            if learnt != tested:
                rows.append({"task": target, "learnt": learnt, "tested": tested, "own": round(own, 3),
                             "other": round(other, 3), "lost": round(own - other, 3)})  # fmt: skip
    return rows


def summary(inside: list[dict[str, object]], across: list[dict[str, object]]) -> list[dict[str, object]]:
    """By task: mean of the best floor over areas, and of what is lost over pairs of areas."""
    rows: list[dict[str, object]] = []
    for task in dict.fromkeys(row["task"] for row in inside):
        found = [float(str(row["balanced_accuracy"])) for row in inside if row["task"] == task]
        lost = [float(str(row["lost"])) for row in across if row["task"] == task]
        rows.append({"task": task, "best floor, mean": round(float(np.mean(found)), 3), "lowest": min(found),
                     "highest": max(found), "lost abroad, mean": round(float(np.mean(lost)), 3),
                     "pairs that lose 5 points": f"{sum(x >= 0.05 for x in lost)} of {len(lost)}"})  # fmt: skip
    return rows


def _chips(px: int) -> Chips:
    chips, _ = chips_of_areas([Area(name, box_outline(*box)) for name, box in AREAS.items()], px * 10.0)
    chips = chips.take(np.argsort(chips.ids))  # the draws go by rows
    return replace(chips, split=make_split(chips, SplitRecipe("bands", 10, dict.fromkeys(AREAS, 0.9))))


def _rows(study: Study, target: str, area: str, split: str) -> np.ndarray:
    known = study.complete & ~np.isnan(study.labels.targets[target])
    chosen = [a == area and s == split for a, s in zip(study.chips.area, study.chips.split, strict=True)]
    return np.flatnonzero(known & np.array(chosen))


def _cut(study: Study, target: str, area: str) -> float:
    train = np.array([a == area and s == "train" for a, s in zip(study.chips.area, study.chips.split, strict=True)])
    threshold = make_classes(target, study.labels.targets[target], train, "nearest").threshold
    assert threshold is not None, "labels are numbers"
    return threshold


def _last(work: Generator[object, None, Embeddings]) -> Embeddings:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def _markdown(rows: list[dict[str, object]]) -> str:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--px", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--table", action="store_true")
    said = parser.parse_args()
    study = make_study(said.px, said.seed)
    inside, across = within(study, said.repeats), between(study, said.repeats)
    if said.table:
        print(_markdown(summary(inside, across)), _markdown(inside), _markdown(across), sep="\n\n")
    else:
        print(
            json.dumps(
                {
                    "benchmark": "simulated_difficulty",
                    "simulated": True,
                    "tasks": summary(inside, across),
                    "within": inside,
                    "between": across,
                }
            )
        )


if __name__ == "__main__":
    main()
