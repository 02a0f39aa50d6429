"""How pretraining went."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from terrashot.plots.style import BLACK, COLOURS, GREY, MARKERS, new_figure

RECALLS = ("1", "5", "10")
MOST_NAMED = 8
"""More pairs than there are colours are drawn in grey, and their mean in black."""

Metrics = Sequence[Mapping[str, Any]]


def training_curves(metrics: Metrics, best_epoch: int) -> Figure:
    """Against epoch: loss, temperature and effective rank above; recall of the partner at 1, 5 and 10 below."""
    figure = new_figure(11, 6.4)
    panels = figure.subplots(2, 3, sharex=True)
    (loss, temperature, rank), recalls = panels
    epochs = [row["epoch"] + 1 for row in metrics]
    _line(loss, epochs, [row["train_loss"] for row in metrics], color=GREY, ls="--", marker="s", label="train")
    _line(loss, epochs, [row["val_loss"] for row in metrics], color=BLACK, marker="o", label="validation")
    loss.set(ylabel="contrastive loss, nats")
    loss.legend(fontsize=7)
    found = [row["temperature"] for row in metrics]
    _line(temperature, epochs, found, color=BLACK, marker="o")
    temperature.set(ylabel="temperature, dimensionless")
    temperature.set_ylim(0, 1.2 * max(found, default=1.0))
    _ranks(rank, epochs, metrics)
    for axes, k in zip(recalls, RECALLS, strict=True):
        _recall(axes, epochs, metrics, k)
    for axes in panels.flat:
        axes.axvline(best_epoch + 1, color=GREY, lw=0.8, ls=":")
    if recalls[0].get_legend_handles_labels()[0]:
        figure.legend(*recalls[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=7)
    return figure


def _ranks(axes: Axes, epochs: Sequence[int], metrics: Metrics) -> None:
    """Effective rank by modality; nothing for metrics that do not tell it."""
    for number, name in enumerate(metrics[-1].get("effective_rank", {}) if metrics else {}):
        found = [row.get("effective_rank", {}).get(name, np.nan) for row in metrics]
        _line(axes, epochs, found, **_style(number), label=name)
    axes.set(ylabel="effective rank of the embeddings")
    axes.set_ylim(bottom=0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, ncols=2)


def _recall(axes: Axes, epochs: Sequence[int], metrics: Metrics, k: str) -> None:
    """A line a pair, the mean of its two directions; and what chance would give."""
    curves = {pair: [_both_ways(row["recall"], pair, k) for row in metrics] for pair in _pairs(metrics)}
    named = len(curves) <= MOST_NAMED
    for number, ((left, right), found) in enumerate(curves.items()):
        style = _style(number) | {"label": f"{left} ↔ {right}"} if named else {"color": GREY, "lw": 0.6}
        _line(axes, epochs, found, **style)
    if not named:
        mean = np.nanmean(list(curves.values()), axis=0)
        _line(axes, epochs, mean, color=BLACK, marker="o", label=f"mean of {len(curves)} pairs")
    if curves:
        axes.axhline(_chance(metrics, k), color=BLACK, lw=0.8, ls="--", label="chance")
    axes.set(xlabel="epoch", ylabel=f"recall at {k} of the partner")
    axes.set_ylim(bottom=0)


def _pairs(metrics: Metrics) -> list[tuple[str, str]]:
    """Each pair of modalities once, as the last epoch names them."""
    names = [tuple(name.split(">")) for name in (metrics[-1]["recall"] if metrics else {})]
    return list(dict.fromkeys((min(pair), max(pair)) for pair in names))


def _both_ways(recall: Mapping[str, Mapping[str, float]], pair: tuple[str, str], k: str) -> float:
    left, right = pair
    found = [recall[name][k] for name in (f"{left}>{right}", f"{right}>{left}") if name in recall]
    return float(np.mean(found)) if found else float("nan")


def _chance(metrics: Metrics, k: str) -> float:
    """Of the pair with the fewest chips to choose among, so that no line lies above it by chance alone."""
    return min(1.0, max(int(k) / found["n"] for found in metrics[-1]["recall"].values()))


def _style(number: int) -> dict[str, Any]:
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}


def _line(axes: Axes, epochs: Sequence[int], values: Sequence[float] | np.ndarray, **style: Any) -> None:
    axes.plot(epochs, values, **{"ms": 3, "markevery": max(1, len(epochs) // 20), **style})
