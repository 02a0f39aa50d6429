"""Trains towers of several sizes on the same chips and compares their few-label curves: the paper's ablation of size.

python docs/compare_sizes.py RECIPE [--out FOLDER] [--draw-only]

Each preset and learning rate that RECIPE names in its comments is a study of its own beside the others; their chips are
read once and linked. Of a preset's rates the one with the lower validation loss is kept. Run again, it goes on where it
stopped. Leaves docs/images/sizes.png and FOLDER/sizes.json, and prints the table of docs/scaling.md.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow.parquet as pq

SHARED = ("chips", "ingest", "labels")
FEATURES = ("s2rgbm", "s1grdm", "gunw", "modsconcat")
LINES = ((0, "o"), (1, "s"), (2, "^"), (3, "D"), (4, "v"))
COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7")


def terrashot(study: Path, *steps: str) -> None:
    """Runs these steps of a study."""
    subprocess.run(
        [sys.executable, "-m", "terrashot", "run", str(study), *(w for s in steps for w in ("--only", s))], check=True
    )


def named(text: str, what: str) -> list[str]:
    """The values that the recipe lists after `# what:`."""
    found = re.search(rf"^# {what}: (.+)$", text, re.MULTILINE)
    if found is None:
        sys.exit(f"the recipe has no line '# {what}: ...'")
    return found[1].split()


def make_study(folder: Path, chips: Path, text: str, preset: str, rate: str) -> Path:
    """A study of this size on the chips that are there."""
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(chips / "chips.zarr", part / "chips.zarr", copy_function=os.link)
        for path in chips.iterdir():
            if path.is_file():
                shutil.copy2(path, part / path.name)
        (part / "study.toml").write_text(
            text.replace("[pretrain]\n", f'[pretrain]\npreset = "{preset}"\nlearning_rate = {rate}\n')
        )
        part.rename(folder)
    return folder


def summary(study: Path) -> dict:
    """What training said of the model."""
    return json.loads((study / "model" / "model.json").read_text())["summary"]


def measured(study: Path, preset: str, rate: str, minutes: float) -> dict:
    """Numbers of one preset: its model, and accuracy by task, features and number of labels (0: all)."""
    said, rows = summary(study), pq.read_table(study / "results.parquet").to_pylist()
    curves: dict = {}
    for row in rows:
        if row["features"] in FEATURES:
            key = f"{row['task']}/{row['features']}"
            curves.setdefault(key, {}).setdefault(row["n_labels_asked"] or 0, []).append(row["accuracy"])
    curves = {key: {n: float(np.mean(found)) for n, found in sizes.items()} for key, sizes in curves.items()}
    return {
        "preset": preset, "rate": rate, "parameters": said["parameters"], "val_loss": said["best"]["val_loss"],
        "epoch": said["best_epoch"] + 1, "precision": said["precision"], "minutes": minutes, "train_chips": said["train_chips"],
        "recall5": float(np.mean([pair["5"] for pair in said["best"]["recall"].values()])), "curves": curves,
    }  # fmt: skip


def dot(sizes: dict) -> int | None:
    """The paper's dot: the least number of labels whose mean accuracy is 95 % of that with all."""
    return next((n for n in sorted(sizes) if n > 0 and sizes[n] >= 0.95 * sizes[0]), None)


def mean_at(found: dict, n: int, features: tuple[str, ...] = FEATURES) -> float:
    """Mean accuracy over tasks and these feature sets with n labels."""
    kept = [sizes for key, sizes in found["curves"].items() if key.split("/")[1] in features]
    return float(np.mean([sizes[n] for sizes in kept]))


def table(results: list[dict]) -> str:
    """The table of the docs."""
    names = (
        "preset", "parameters", "rate kept", "validation loss (epoch)", "recall at 5", "mean of 16 curves at 250 labels, all",
        "modsconcat at 250, all", "95 % below 250 / 500 labels", "minutes",
    )  # fmt: skip
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
    lines = []
    for found in results:
        dots = [dot(sizes) for sizes in found["curves"].values()]
        below = [sum(d is not None and d <= most for d in dots) for most in (250, 500)]
        joint = ("modsconcat",)
        lines.append(
            f"| {found['preset']} | {found['parameters'] / 1e6:.1f} M | {found['rate']} | {found['val_loss']:.3f} ({found['epoch']}) "
            f"| {found['recall5']:.3f} | {mean_at(found, 250):.3f}, {mean_at(found, 0):.3f} "
            f"| {mean_at(found, 250, joint):.3f}, {mean_at(found, 0, joint):.3f} "
            f"| {below[0]} / {below[1]} of {len(dots)} | {found['minutes']:.0f} |"
        )
    return head + "\n".join(lines)


def draw(results: list[dict], path: Path) -> None:
    """Accuracy against labels by size, and against size by task."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for found, (number, marker) in zip(results, LINES, strict=False):
        sizes = sorted(n for n in next(iter(found["curves"].values())) if n)
        values = [mean_at(found, n, ("modsconcat",)) for n in sizes]
        label = f"{found['preset']}, {found['parameters'] / 1e6:.1f} M"
        left.semilogx(sizes, values, marker=marker, color=COLOURS[number], label=label)
        whole = mean_at(found, 0, ("modsconcat",))
        left.axhline(0.95 * whole, color=COLOURS[number], lw=0.6, ls=":")
    left.set(xlabel="labelled chips", ylabel="test accuracy, modsconcat, mean of 4 tasks")
    left.legend(title="dotted: 95 % of all labels", fontsize=8)
    tasks = sorted({key.split("/")[0] for key in results[0]["curves"]})
    x = [found["parameters"] / 1e6 for found in results]
    for task, (number, marker) in zip(tasks, LINES, strict=False):
        for n, style in ((0, "-"), (250, "--")):
            values = [found["curves"][f"{task}/modsconcat"][n] for found in results]
            name = f"{task}, {'all' if n == 0 else n} labels"
            right.semilogx(x, values, ls=style, marker=marker, color=COLOURS[number], label=name)
    right.set(xlabel="parameters, millions", ylabel="test accuracy, modsconcat")
    right.legend(fontsize=7, ncols=2)
    figure.suptitle("simulated", x=0.995, ha="right", fontsize=8, color="#777777")
    figure.savefig(path, dpi=130)


def train_and_measure(text: str, out: Path) -> list[dict]:
    """One row a preset, of the learning rate that validation prefers."""
    chips = out / "chips"
    chips.mkdir(parents=True, exist_ok=True)
    (chips / "study.toml").write_text(text)
    terrashot(chips, *SHARED)
    results = []
    for preset in named(text, "presets"):
        tried = {}
        for rate in named(text, "learning rates"):
            study = make_study(out / f"{preset}-{rate}", chips, text, preset, rate)
            terrashot(study, "pretrain")
            tried[rate] = study
        rate = min(tried, key=lambda rate: summary(tried[rate])["best"]["val_loss"])
        terrashot(tried[rate], "embed", "fewshot")
        lines = [json.loads(line) for line in (tried[rate] / "metrics.jsonl").read_text().splitlines()]
        results.append(measured(tried[rate], preset, rate, sum(line["seconds"] for line in lines) / 60))
        print(table(results), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, default=Path("sizes"))
    parser.add_argument("--draw-only", action="store_true")
    asked = parser.parse_args()
    started = time.monotonic()
    if not asked.draw_only:
        results = train_and_measure(asked.recipe.read_text(), asked.out)
        content = {"minutes": (time.monotonic() - started) / 60, "results": results}
        (asked.out / "sizes.json").write_text(json.dumps(content, indent=1))
    content = json.loads((asked.out / "sizes.json").read_text())
    for found in content["results"]:
        # JSON knows no numbers as keys.
        found["curves"] = {key: {int(n): value for n, value in sizes.items()} for key, sizes in found["curves"].items()}
    print(table(content["results"]))
    print(f"{content['minutes']:.0f} minutes in all")
    draw(content["results"], Path(__file__).parent / "images" / "sizes.png")


if __name__ == "__main__":
    main()
