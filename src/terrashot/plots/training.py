"""How pretraining went."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from terrashot.plots.style import BLACK, COLOURS, GREY, MARKERS, new_figure


def training_curves(metrics: Sequence[Mapping[str, Any]], best_epoch: int) -> Figure:
    """Loss, recall at 5 of the partner among the validation chips, and temperature against epoch."""
    figure = new_figure(11, 3.6)
    loss, recall, temperature = figure.subplots(1, 3)
    epochs = [row["epoch"] + 1 for row in metrics]
    loss.plot(epochs, [row["train_loss"] for row in metrics], color=GREY, ls="--", marker="s", ms=3, label="train")
    loss.plot(epochs, [row["val_loss"] for row in metrics], color=BLACK, marker="o", ms=3, label="validation")
    loss.axvline(best_epoch + 1, color=GREY, lw=0.8, ls=":", label="kept")
    loss.set(xlabel="epoch", ylabel="contrastive loss, nats")
    loss.legend()
    pairs = list(metrics[-1]["recall"]) if metrics else []
    for index, pair in enumerate(pairs):
        found = [row["recall"].get(pair, {}).get("5", float("nan")) for row in metrics]
        recall.plot(
            epochs, found, color=COLOURS[index % 8], marker=MARKERS[index % 8], ms=3, label=pair.replace(">", " → ")
        )
    if pairs:
        recall.axhline(5 / metrics[-1]["recall"][pairs[0]]["n"], color=GREY, ls=":", label="chance")
    recall.set(xlabel="epoch", ylabel="recall at 5 of the partner")
    recall.set_ylim(bottom=0)
    recall.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    temperature.plot(epochs, [row["temperature"] for row in metrics], color=BLACK, marker="o", ms=3)
    temperature.set(xlabel="epoch", ylabel="temperature, dimensionless")
    temperature.set_ylim(0, 1.2 * max((row["temperature"] for row in metrics), default=1.0))
    return figure
