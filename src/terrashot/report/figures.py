"""The figures of a study, each as PNG and SVG."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from terrashot.durable.files import make_folder, write_bytes
from terrashot.plots.area_map import area_map
from terrashot.plots.chip_plates import chip_plates
from terrashot.plots.curves import accuracy_curves
from terrashot.plots.label_quantiles import label_quantiles
from terrashot.plots.model_diagram import model_diagram
from terrashot.plots.style import house_style, rendered
from terrashot.plots.training import training_curves
from terrashot.plots.tsne import tsne_grid
from terrashot.report.content import ReportContent


@dataclass(frozen=True, slots=True)
class Drawn:
    """One finished figure."""

    name: str
    title: str
    caption: str
    """How to read it; also the text for those who cannot see it."""
    png: bytes
    files: tuple[str, str]


Recipe = tuple[str, str, str, Callable[[], Figure]]


def write_figures(content: ReportContent, folder: Path) -> list[Drawn]:
    """The figures, after `folder` holds each as PNG and SVG."""
    make_folder(folder)
    drawn = []
    with house_style():
        for name, title, caption, draw in _recipes(content):
            figure = draw()
            if content.simulated:
                figure.suptitle("simulated", x=0.995, ha="right", fontsize=8, color="#777777")
            png, svg = rendered(figure, "png"), rendered(figure, "svg")
            write_bytes(folder / f"{name}.png", png)
            write_bytes(folder / f"{name}.svg", svg)
            drawn.append(Drawn(name, title, caption, png, (f"{name}.png", f"{name}.svg")))
    return drawn


def _recipes(content: ReportContent) -> Iterator[Recipe]:
    yield from _of_results(content)
    yield from _of_data(content)
    yield from _of_training(content)


def _of_results(content: ReportContent) -> Iterator[Recipe]:
    for head in dict.fromkeys(p.head for p in content.points):
        yield (
            f"curves-{head}", f"Accuracy against number of labels: {head}",
            "Each panel is a task in an area. Coloured lines with markers: embeddings of one modality, and all of them "
            "(modsconcat). Grey lines: the floors, simple features that an embedding must beat. Mean over the draws, band of "
            "one standard deviation. A black ring marks the smallest number of labels that reaches 95 % of the accuracy with "
            "all labels. All lines share the same chips and the same draws.",
            partial(accuracy_curves, content.points, content.dots, head),
        )  # fmt: skip
    if content.layouts:
        yield (
            "tsne", "Embeddings, coloured by label",
            "Each dot is a chip, placed by t-SNE so that chips with similar embeddings lie close. Labels took no part in the "
            "places; where colours gather, the embedding has found what the label tells. Distances between far groups mean "
            "nothing. Shares are on a logarithmic scale; those below a thousandth, zero among them, have its colour.",
            lambda: tsne_grid(content.layouts, content.labels.targets),
        )  # fmt: skip


def _of_data(content: ReportContent) -> Iterator[Recipe]:
    yield (
        "areas", "Areas and splits",
        "Chips by split. Test chips take no part in pretraining, labelled or not; the buffer keeps training and validation "
        "chips away from them.",
        lambda: area_map(content.chips),
    )  # fmt: skip
    yield (
        "labels", "Labels",
        "Sorted label values of each area against their quantile; a dot is the cut that makes two classes, chosen on "
        "training chips. A line that stays at 0 is a target that most chips do not have.",
        lambda: label_quantiles(_by_area(content), content.cuts),
    )  # fmt: skip
    if content.plates:
        modalities = list(content.plates[0].images)
        yield (
            "chips", "Example chips",
            "Columns are chips, rows modalities. Each image is stretched over its own 2nd to 98th percentile; hatched parts "
            "have no data.",
            lambda: chip_plates(content.plates, modalities),
        )  # fmt: skip


def _of_training(content: ReportContent) -> Iterator[Recipe]:
    if content.model is not None:
        shape = content.model
        yield (
            "model", "The model",
            "From left to right: of each modality one random channel of those that a chip has; its patches; a transformer, whose "
            "class token is projected and scaled to unit length. Training pulls the vectors of one place together and those of "
            "different places apart, for each pair of modalities (Allen et al. 2023, figure 3). The chips drawn are no data.",
            lambda: model_diagram(shape),
        )  # fmt: skip
    if content.metrics:
        yield (
            "pretraining", "Pretraining",
            "Above: contrastive loss on training and validation chips (the two are over batches of different size, so their "
            "levels differ); the learnt temperature; how many directions the embeddings of the validation chips really use "
            "(near 1, they have collapsed). Below: how often a chip's image in another modality is among the 1, 5 or 10 most "
            "similar of all validation chips, the mean of both directions. Dotted: the epoch with the lowest validation loss, "
            "which is kept.",
            lambda: training_curves(content.metrics, content.best_epoch),
        )  # fmt: skip


def _by_area(content: ReportContent) -> dict[tuple[str, str], np.ndarray]:
    areas = np.array(content.chips.area, dtype=object)
    return {
        (target, area): values[areas == area]
        for target, values in content.labels.targets.items()
        for area in dict.fromkeys(content.chips.area)
    }
