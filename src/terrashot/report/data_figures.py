"""Figures of the data and of pretraining."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from terrashot.areas.coastlines import land_of_the_earth
from terrashot.domain.tasks import task_of
from terrashot.plots.area_map import MOST_DRAWN, area_map
from terrashot.plots.chip_plates import chip_plates
from terrashot.plots.label_quantiles import label_quantiles
from terrashot.plots.label_values import MOST_DRAWN as LABELS_DRAWN
from terrashot.plots.label_values import label_values
from terrashot.plots.model_diagram import model_diagram
from terrashot.plots.training import training_curves
from terrashot.report.absent_data import absence_maps
from terrashot.report.content import ReportContent
from terrashot.report.recipe import Recipe


def of_data(content: ReportContent) -> Iterator[Recipe]:
    """Chips by split, labels, example chips, what is absent."""
    yield Recipe(
        "areas", "areas", "Areas and splits",
        "Chips by split. Test chips take no part in pretraining, labelled or not; the buffer keeps training and validation "
        f"chips away from them. An area of more than {MOST_DRAWN:,} chips is drawn in cells, each of the split that most of its "
        "chips have. All areas together are drawn in cells too; a ring is around an area too small to be seen there. "
        "Where there is land, it is that of Natural Earth at 1:50 million, left out where that is too coarse.",
        lambda: area_map(content.chips, land_of_the_earth()),
    )  # fmt: skip
    yield Recipe(
        "labels", "areas", "Labels",
        "Sorted label values of each area against their quantile; a dot is the cut that makes two classes, chosen on "
        "training chips. A line that stays at 0 is a target that most chips do not have.",
        lambda: label_quantiles(_by_area(content), content.cuts),
    )  # fmt: skip
    yield from _label_maps(content)
    if content.plates:
        modalities = list(content.plates[0].images)
        yield Recipe(
            "chips", "data", "Example chips",
            "Columns are chips, rows modalities. Each image is stretched over its own 2nd to 98th percentile; hatched parts "
            "have no data.",
            lambda: chip_plates(content.plates, modalities), is_photo=True,
        )  # fmt: skip
    if content.presence is not None:
        yield from absence_maps(content.presence, content.chips, land_of_the_earth())


def _label_maps(content: ReportContent) -> Iterator[Recipe]:
    """One a target; all but the first are folded."""
    if content.chips.footprint is None:
        return
    for number, (target, values) in enumerate(content.labels.targets.items()):
        title = task_of(target).title
        yield Recipe(
            f"label-map-{number + 1}", "areas", f"Where {title} is",
            f"The label '{title}' of each chip; white chips have none. An area of more than {LABELS_DRAWN:,} chips is drawn as a "
            "random sample of their middles.",
            partial(label_values, content.chips, target, values, land_of_the_earth()), is_folded=number > 0,
        )  # fmt: skip


def of_training(content: ReportContent) -> Iterator[Recipe]:
    """The model and its training, where there were any."""
    if content.model is not None:
        shape = content.model
        yield Recipe(
            "model", "pretraining", "The model",
            "From left to right: of each modality one random channel of those that a chip has; its patches; a transformer, whose "
            "class token is projected and scaled to unit length. Training pulls the vectors of one place together and those of "
            "different places apart, for each pair of modalities (Allen et al. 2023, figure 3). The chips drawn are no data.",
            lambda: model_diagram(shape),
        )  # fmt: skip
    if content.metrics:
        yield Recipe(
            "pretraining", "pretraining", "Pretraining",
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
