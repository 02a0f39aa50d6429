"""What absences cost: one row a case, strategy, task, area and number of labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CaseKind = Literal["nothing", "modality", "kind", "month", "channel", "pairs"]
"""What is left out: nothing; whole modalities; all channels of a kind; all channels of a month; one channel; half of the pairs."""
Answer = Literal["met", "learnt"]
"""`met`: heads learnt on complete chips meet test chips that lack it; `learnt`: training chips lack it too."""
Standing = Literal["rest", "drop", "training-mean", "ridge"]
"""An `AbsenceStrategy`; or `rest`: something of every part is left, so that nothing has to stand in."""


@dataclass(frozen=True, slots=True)
class AbsenceScore:
    """How a head did on the test chips of an area with something left out, beside the same with nothing left out."""

    task: str
    area: str
    case: str
    """A `CaseKind`."""
    left_out: str
    """Names, with commas between them; empty where nothing is."""
    answer: str
    """An `Answer`."""
    strategy: str
    """What stands in for a part of which nothing is left: a `Standing`."""
    features: str
    """The feature set that was learnt from."""
    head: str
    measure: str
    """`accuracy`, or `R2` of a regression."""
    n_labels: int
    is_full: bool
    """All labels."""
    repeats: int
    """Draws that the score is a mean over."""
    n_test: int
    absent_share: float
    """Share of these chips in which something has to stand in; under `drop` they are guessed as the commonest label."""
    score: float
    low: float | None
    """95 % interval over draws and test blocks; this and the like are None where it cannot be told."""
    high: float | None
    change: float
    """Score less that of nothing left out: the same draws, the same test chips."""
    change_low: float | None
    change_high: float | None
    cosine: float | None
    """Mean over the test chips of the cosine between the vector and that of nothing left out; None where no chip has one, and
    of `learnt`, whose vectors have other parts."""
    cosine_low5: float | None
    """Its 5th percentile."""
    recall1: float | None
    """Share of the test chips whose other modality, with nothing left out, is the nearest of all to the altered vector; mean over
    the pairs of modalities. None as above, and where there is one modality."""
    recall5: float | None
    recall10: float | None


@dataclass(frozen=True, slots=True)
class AbsenceReport:
    """All of a study's rows, and what must be said about them."""

    scores: tuple[AbsenceScore, ...]
    notes: tuple[str, ...] = ()


def at_budget(scores: Sequence[AbsenceScore]) -> list[AbsenceScore]:
    """The rows at the largest number of labels that was drawn in each task and area; all labels where none was."""
    best: dict[tuple[str, str], tuple[bool, int]] = {}
    for row in scores:
        key = (row.task, row.area)
        best[key] = max(best.get(key, (False, 0)), (not row.is_full, row.n_labels))
    return [row for row in scores if (not row.is_full, row.n_labels) == best[row.task, row.area]]
