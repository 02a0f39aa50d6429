"""What each channel policy gives on the same chips: python examples/channel_policies.py MODEL CHIPS LABELS OUT

Embeds CHIPS (a chip folder, or a study's folder) with MODEL under each policy, keeps the tables in OUT, and learns LABELS from
each: mean score on the test chips over tasks and areas, by head and number of labels, as rows of a Markdown table.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from terrashot.domain.results import summarize
from terrashot.domain.split import SplitRecipe, choose_scheme, make_split
from terrashot.domain.tables import Chips, Labels
from terrashot.engine import available_cores
from terrashot.evaluate.protocol.comparison import DrawSettings
from terrashot.evaluate.protocol.feature_sets import CONCATENATED, FeatureSet, feature_sets
from terrashot.evaluate.protocol.fewshot import FewshotSettings, run_fewshot
from terrashot.evaluate.protocol.fitting import Workshop
from terrashot.steps.embed_chips import EmbedRequest, embed_choices, embed_files
from terrashot.steps.progress import finish
from terrashot.store.label_table import read_labels
from terrashot.store.vectors import read_embeddings

POLICIES = {
    "mean": ("mean", "training-mean"),
    "random": ("random", "training-mean"),
    "each": ("each", "training-mean"),
    "each, ridge": ("each", "ridge"),
    "each-date": ("each-date", "training-mean"),
    "each-date, ridge": ("each-date", "ridge"),
}
SETTINGS = FewshotSettings(DrawSettings(sizes=(50, 100, 250)), leakage=False, transfer=False)
Means = dict[tuple[str, str], list[float]]


def main(model: Path, chips: Path, labels: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    tables = {name: embedded(model, chips, out, *choice) for name, choice in POLICIES.items()}
    floors = read_embeddings(out / "floors.parquet")
    table = read_embeddings(next(iter(tables.values())))
    split = table.chips
    if all(name is None for name in split.split):
        split = Chips(**{**fields(split), "split": make_split(split, SplitRecipe(choose_scheme(split)[0]))})
    sets = {name: feature_sets(table, floors)[name] for name in ("image_stats", "random_conv", "untrained")}
    for name, path in tables.items():
        own = read_embeddings(path)
        assert own.chips.ids == split.ids, "all tables are in one order"
        found = feature_sets(own, None)
        sets[name] = FeatureSet(found.get(CONCATENATED, found[next(iter(own.blocks))]).blocks)
    print_table(scores(sets, split, read_labels(labels)))


def fields(chips: Chips) -> dict[str, object]:
    """The columns by name."""
    return {name: getattr(chips, name) for name in Chips.__dataclass_fields__}


def embedded(model: Path, chips: Path, out: Path, channels: str, absent: str) -> Path:
    """The table of a policy; made once."""
    path = out / f"{channels}-{absent}.parquet"
    if not path.exists():
        floors = out / "floors.parquet" if channels == "each" and absent == "training-mean" else None
        finish(embed_files(EmbedRequest(
            model, chips, path, "model", floors, True, embed_choices(channels, absent, "float16", "float32"))
        ))  # fmt: skip
    return path


def scores(sets: dict[str, FeatureSet], chips: Chips, labels: Labels) -> dict[str, Means]:
    """Scores by feature set, then by head and size, of each task and area."""
    work = run_fewshot(sets, chips, labels, SETTINGS, split_scheme="given", workshop=Workshop(available_cores()))
    found: dict[str, Means] = defaultdict(lambda: defaultdict(list))
    for point in summarize(finish(work).fitted.results):
        size = "all" if point.is_full else str(point.n_labels)
        found[point.features][point.head, size].append(point.score)
    return found


def print_table(found: dict[str, Means]) -> None:
    columns = list(next(iter(found.values())))
    print("| features | " + " | ".join(f"{head}, {size}" for head, size in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name, means in found.items():
        print(f"| {name} | " + " | ".join(f"{np.mean(means[column]):.3f}" for column in columns) + " |")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
