"""Everything that a report shows, as finished numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from terrashot.domain.results import Dot, Point
from terrashot.domain.tables import Chips, Labels
from terrashot.evaluate.verdict import Verdict
from terrashot.plots.chip_plates import Plate
from terrashot.plots.model_diagram import ModelShape


@dataclass(frozen=True, slots=True, eq=False)
class ReportContent:
    """What `figures` draws and `page` writes."""

    title: str
    simulated: bool
    chips: Chips
    labels: Labels
    """Aligned with the chips."""
    cuts: Mapping[tuple[str, str], float | None]
    """Threshold by target and area; None for classes."""
    points: Sequence[Point]
    dots: Sequence[Dot]
    verdicts: Sequence[Verdict]
    layouts: Mapping[str, np.ndarray]
    """t-SNE places by modality, (N, 2)."""
    metrics: Sequence[Mapping[str, Any]] = ()
    """Of pretraining, an epoch each; empty where no model was trained here."""
    best_epoch: int = 0
    model: ModelShape | None = None
    """Of the model that was trained here."""
    plates: Sequence[Plate] = ()
    absent: Sequence[tuple[str, str, str, int]] = ()
    """Modality, status, reason, number of channels."""
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    head: str = "forest"
