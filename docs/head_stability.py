"""How each head does on few labels, in Markdown: python docs/head_stability.py [--chips ../shared/data/eurosat_rgb_subset]

Per head and number of labels: mean accuracy over 20 draws, their standard deviation, the accuracy that nine draws in ten
exceed, and the seconds of a fit with its judging, on one core. Then the same of the share of variance explained (R²), where the
heads give values. Both on simulated vectors; with `--chips`, a folder of images in a folder a class such as EuroSAT, also
the first on their image statistics.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from terrashot.heads.pool import HEADS, HeadSettings, Pool, make_pool, predict, predict_values

SIZES: Final = (10, 50, 250)
DRAWS: Final = 20
SIMULATED: Final = (6000, 256, 24)
"""Chips, numbers in a vector, and what they are made of."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Vectors and classes or values, the first two thirds to learn from and the rest to judge."""

    name: str
    vectors: np.ndarray
    y: np.ndarray

    @property
    def is_regression(self) -> bool:
        return bool(self.y.dtype == np.float64)

    @property
    def n_learn(self) -> int:
        return len(self.y) * 2 // 3

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1


def simulated(seed: int = 0) -> tuple[Sample, Sample]:
    """Vectors of 24 hidden causes of falling weight and noise; classes and values follow four of them, two by their product."""
    n_chips, n_features, n_causes = SIMULATED
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n_chips, n_causes)) / np.sqrt(1 + np.arange(n_causes))
    mixed = np.tanh(causes @ rng.normal(size=(n_causes, n_features)))
    vectors = (mixed + 0.3 * rng.normal(size=mixed.shape)).astype(np.float32)
    own = causes * np.sqrt(1 + np.arange(n_causes))
    score = own[:, 1] + own[:, 4] + own[:, 2] * own[:, 3] + 0.5 * rng.normal(size=n_chips)
    classes = Sample("Simulated vectors, 2 classes: accuracy", vectors, (score > 0).astype(np.int64))
    return classes, Sample("Simulated vectors, a value: R²", vectors, score)


def of_images(folder: Path, seed: int = 0) -> Sample:
    """Image statistics of the images of a folder a class, in random order."""
    from PIL import Image  # only real images need it

    from terrashot.embed.image_stats import image_stats

    paths = sorted(folder.glob("*/*.jpg"))
    images = np.stack([np.asarray(Image.open(path), np.float32).transpose(2, 0, 1) for path in paths])
    names, y = np.unique([path.parent.name for path in paths], return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(paths))
    vectors = np.nan_to_num(image_stats(images))[order]
    return Sample(
        f"Image statistics of {folder.name}, {len(names)} classes: accuracy", vectors, y[order].astype(np.int64)
    )


def score(sample: Sample, pool: Pool, head: str, rows: np.ndarray, seed: int) -> float:
    """Accuracy or R² of one fit."""
    y, truth, told = sample.y[rows], sample.y[sample.n_learn :], HeadSettings()
    if sample.is_regression:
        errors = predict_values(head, pool, rows, y, settings=told, seed=seed) - truth
        return float(1 - np.square(errors).sum() / np.square(truth - truth.mean()).sum())
    found = predict(head, pool, rows, y, n_classes=sample.n_classes, settings=told, seed=seed)
    return float((found.argmax(axis=1) == truth).mean())


def scores(sample: Sample, pool: Pool, head: str, n_labels: int) -> tuple[list[float], float]:
    """Score of each draw, the draws the same for every head; and the mean seconds."""
    draws = [np.random.default_rng(draw).permutation(sample.n_learn)[:n_labels] for draw in range(DRAWS)]
    started = time.perf_counter()
    found = [score(sample, pool, head, rows, seed) for seed, rows in enumerate(draws)]
    return found, (time.perf_counter() - started) / DRAWS


def table(sample: Sample) -> Iterable[str]:
    """Lines of Markdown."""
    heads = [name for name, head in HEADS.items() if head.values is not None or not sample.is_regression]
    pool = make_pool(sample.vectors[: sample.n_learn], sample.vectors[sample.n_learn :], 0, heads)
    yield f"\n{sample.name}, {pool.n_features} numbers in a vector, {pool.n_judged} chips judged:\n"
    yield "| head | " + " | ".join(f"{n} labels: mean ± sd, worst tenth, s" for n in SIZES) + " |"
    yield "|---|" + "---|" * len(SIZES)
    for head in heads:
        scores(sample, pool, head, SIZES[0])  # compiles
        cells = []
        for n_labels in SIZES:
            found, seconds = scores(sample, pool, head, n_labels)
            cells.append(f"{np.mean(found):.3f} ± {np.std(found):.3f}, {np.quantile(found, 0.1):.3f}, {seconds:.3f}")
        yield f"| {head} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--chips", type=Path, help="a folder of images in a folder a class")
    folder = parser.parse_args().chips
    with threadpool_limits(1):
        for sample in (*simulated(), *([of_images(folder)] if folder else [])):
            for line in table(sample):
                print(line, flush=True)


if __name__ == "__main__":
    main()
