"""Everything that a report shows, as finished numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from terrashot.domain.absence_scores import AbsenceReport
from terrashot.domain.answers import Answers
from terrashot.domain.health import HealthCard
from terrashot.domain.label_summary import LabelSummary, Suspect
from terrashot.domain.presence_shares import PresenceShares
from terrashot.domain.results import Dot, Point
from terrashot.domain.tables import Chips, Labels
from terrashot.plots.chip_plates import Plate
from terrashot.plots.located_chips import LocatedChips
from terrashot.plots.model_diagram import ModelShape
from terrashot.plots.nearest_plates import Search
from terrashot.plots.tsne import Layout


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
    answers: Answers
    layouts: Mapping[str, Layout]
    """t-SNE by modality."""
    components: Mapping[str, Layout] = field(default_factory=dict)
    """The same chips by principal components."""
    located: LocatedChips | None = None
    """Two chips on a map; None where there are no images, or no two chips of clearly different label."""
    searches: Sequence[Search] = ()
    """Chips looked up among all, by the likeness of vectors; empty where there are no images."""
    metrics: Sequence[Mapping[str, Any]] = ()
    """Of pretraining, an epoch each; empty where no model was trained here."""
    best_epoch: int = 0
    model: ModelShape | None = None
    """Of the model that was trained here."""
    plates: Sequence[Plate] = ()
    absent: Sequence[tuple[str, str, str, int]] = ()
    """Modality, status, reason, number of channels."""
    presence: PresenceShares | None = None
    """How much of each modality is there, and why the rest is not; None where nobody counted."""
    health: HealthCard | None = None
    """Of the embeddings."""
    absence: AbsenceReport | None = None
    """What absences cost; None where that was not measured."""
    label_summaries: Sequence[LabelSummary] = ()
    """By target, area and split; empty where nobody looked."""
    suspects: Sequence[Suspect] = ()
    """Labels that the embeddings contradict, the surest first."""
    circular: Sequence[str] = ()
    """A sentence a target that was made from what the embeddings see."""
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    """What must be said. One that begins with `leakage:` or `transfer:` stands in that section."""

    @property
    def measures(self) -> dict[str, str]:
        """The name of each task's score."""
        return {point.task: point.measure for point in self.points}

    def notes_on(self, subject: str) -> list[str]:
        """The notes that begin with a subject, without it; for an empty subject those that begin with none."""
        if not subject:
            return [note for note in self.notes if note.partition(":")[0] not in SUBJECTS]
        return [note.partition(":")[2].strip() for note in self.notes if note.partition(":")[0] == subject]


SUBJECTS = ("leakage", "transfer")
