"""What can be said of a study's labels before anything is learnt from them, and of those that the embeddings contradict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ALL = "all"
"""Name of the row of all splits together."""
RARE = 0.1
"""Share of the rarer of two classes below which an area is called one-sided."""


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """One target in one area and split."""

    target: str
    area: str
    split: str
    """`train`, `val`, `test`, `buffer`; `all` is all of them."""
    n_chips: int
    n_known: int
    """With a label."""
    valid_fraction: float | None
    """Mean share of the chip that its value was made from; None where the labels do not say."""
    cut: float | None
    """Threshold of a numeric target, chosen on the training chips; None of classes by name, of numbers learnt as such, and where
    no cut parts the training chips."""
    n_classes: int | None
    """None for numbers learnt as such."""
    positive_share: float | None
    """Of the second of two classes."""
    largest_class: str | None
    largest_share: float | None
    neighbours_agree: float | None
    """Share of the pairs of adjacent chips with the same class (split `all` alone)."""
    agree_by_chance: float | None
    """The same share if the classes lay at random."""
    moran: float | None
    """Moran's I of a numeric target over the nearest pairs of chips (split `all` alone)."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that the embeddings contradict with confidence, by heads that learnt from other places."""

    target: str
    area: str
    id: str
    label: str
    """The class that it has."""
    told: str
    """The class that the heads see in it."""
    probability: float
    """Of the class told, out of fold."""
    probability_of_label: float


def summary_sentences(summaries: Sequence[LabelSummary]) -> Iterator[str]:
    """One a target and area: the balance of each split, and whether neighbours agree."""
    for target, area in dict.fromkeys((row.target, row.area) for row in summaries):
        own = {row.split: row for row in summaries if (row.target, row.area) == (target, area)}
        yield f"label '{target}' in {area}: {_balance(own)}{_agreement(own[ALL])}{_one_sided(own[ALL])}"


def _balance(own: dict[str, LabelSummary]) -> str:
    whole = own[ALL]
    if whole.n_classes is None:
        return f"numbers, {whole.n_known:,} of {whole.n_chips:,} chips known"
    told = [f"{split} {_share(row)} of {row.n_known:,}" for split, row in own.items() if split not in (ALL, "buffer")]
    if whole.positive_share is not None:
        what = "second class" if whole.cut is None else f"above {whole.cut:.4g}"
        return f"{what}: {', '.join(told)}"
    return f"{whole.n_classes} classes, most {whole.largest_class!r}: {', '.join(told)}"


def _share(row: LabelSummary) -> str:
    share = row.largest_share if row.positive_share is None else row.positive_share
    return "none" if share is None else f"{100 * share:.1f} %"


def _agreement(row: LabelSummary) -> str:
    if row.neighbours_agree is None or row.agree_by_chance is None:
        return ""
    return (
        f"; {100 * row.neighbours_agree:.0f} % of neighbours agree, {100 * row.agree_by_chance:.0f} % would by chance"
    )


def _one_sided(row: LabelSummary) -> str:
    share = row.positive_share
    if share is None or min(share, 1 - share) >= RARE:
        return ""
    return "; one-sided: read balanced accuracy, and docs/labels.md on balance"
