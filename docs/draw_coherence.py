"""Draws real coherence for docs/coherence.md: python docs/draw_coherence.py [--data ../shared/data]

Beside amplitude of the same place and dates (Morocco), and as it falls with the days between two passes (Mexico City). No sample holds
real coherence and an optical picture of one place.
"""

import argparse
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import rasterio

from terrashot.plots.style import house_style

IMAGES = Path(__file__).parent / "images"
MOROCCO, MEXICO = "eotools-s1-coherence-morocco", "pyrate-cropA-s1-coherence/geotiffs"
CELL_PX = 6
"""Of 15 m: cells of 90 m, as products have them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    data = parser.parse_args().data
    with house_style():
        _save(beside_amplitude(data / MOROCCO), "coherence-beside-amplitude.png")
        _save(by_days(data / MEXICO), "coherence-by-days.png")


def beside_amplitude(folder: Path) -> Any:
    """The mean of both amplitudes, the coherence, and the coherence in cells of 90 m."""
    first, second, found = (_read(folder / f"{name}.tif") for name in ("amp_prm_vv", "amp_sec_vv", "coh_vv"))
    amplitude_db = 10 * np.log10((first**2 + second**2) / 2)
    figure, axes = plt.subplots(1, 3, figsize=(10, 4), layout="constrained")
    low, high = np.nanpercentile(amplitude_db, (2, 98))
    axes[0].imshow(amplitude_db, cmap="gray", vmin=low, vmax=high)
    axes[1].imshow(found, cmap="gray", vmin=0, vmax=1)
    shown = axes[2].imshow(in_cells(found), cmap="gray", vmin=0, vmax=1)
    for axis, title in zip(axes, ("amplitude, dB", "coherence, 12 days", "the same in cells of 90 m"), strict=True):
        axis.set(title=title, xticks=[], yticks=[])
    figure.colorbar(shown, ax=axes[2], shrink=0.7, label="coherence")
    return figure


def by_days(folder: Path) -> Any:
    """Three pairs, and the mean of all thirty against the days between their passes."""
    pairs = sorted((days_of(path), path) for path in folder.glob("*_cc.tif"))
    means = [(days, float(np.nanmean(_read(path)))) for days, path in pairs]
    figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained", width_ratios=[1, 1, 1, 1.1])
    for axis, (days, path) in zip(axes, (pairs[0], pairs[len(pairs) // 2], pairs[-1]), strict=False):
        axis.imshow(_read(path), cmap="gray", vmin=0, vmax=1)
        axis.set(title=f"{days} days", xticks=[], yticks=[])
    axes[3].plot(*zip(*means, strict=True), "o", markersize=4)
    axes[3].set(xlabel="days between the passes", ylabel="mean coherence", ylim=(0.4, 0.8))
    print(f"mean coherence: {means[0][1]:.2f} at {means[0][0]} days, {means[-1][1]:.2f} at {means[-1][0]}")
    return figure


def in_cells(found: np.ndarray) -> np.ndarray:
    """Means of squares of `CELL_PX` pixels."""
    rows, cols = (length // CELL_PX for length in found.shape)
    squares = found[: rows * CELL_PX, : cols * CELL_PX].reshape(rows, CELL_PX, cols, CELL_PX)
    is_there = np.isfinite(squares)
    total, count = np.where(is_there, squares, 0).sum(axis=(1, 3)), is_there.sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def days_of(path: Path) -> int:
    """Between the two dates of a file's name, first date first."""
    first, second = (date.fromisoformat(part) for part in path.name.split("_")[1].split("-"))
    return (second - first).days


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        found = file.read(1)
    return np.where(found == 0, np.nan, found)


def _save(figure: Any, name: str) -> None:
    figure.savefig(IMAGES / name, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
