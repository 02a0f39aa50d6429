"""What absences cost, in words."""

from collections.abc import Iterator, Sequence

from terrashot.domain.absence_scores import AbsenceScore, at_budget
from terrashot.domain.tasks import task_of
from terrashot.evaluate.protocol.comparison import POOLED

STANDING_IN = {
    "rest": "what is left standing for it", "ridge": "the ridge in its place", "training-mean": "the training mean in its place",
}  # fmt: skip
BEST_FIRST = ("rest", "ridge", "training-mean")


def absence_sentences(scores: Sequence[AbsenceScore]) -> list[str]:
    """Each modality alone, over all tasks and areas; the costliest kind and month; and the costliest of all in each task and area.

    All at the largest budget of labels. Without a second modality, kinds of channel take their place.
    """
    own = at_budget(scores)
    # Each area once, not again in all together.
    apart = [row for row in own if row.area != POOLED]
    alone = [row for row in own if row.case == "modality" and ", " not in row.left_out]
    found = [_over_all([row for row in apart if row in alone and row.left_out == name]) for name in _names(alone)]
    for case, title in (("kind", "kinds of channel"), ("month", "months")):
        found += _extremes([row for row in apart if row.case == case], title)
    single = alone or [row for row in own if row.case == "kind"]
    for place in dict.fromkeys((row.task, row.area) for row in single):
        found += _in_place([row for row in single if (row.task, row.area) == place])
    return found


def _over_all(own: Sequence[AbsenceScore]) -> str:
    """One modality: the mean change under each strategy, and that of heads learnt without it."""
    first, *others = [
        (_mean(rows), what) for rows, what in (
            *((_of(own, strategy), f"with {STANDING_IN[strategy]}") for strategy in BEST_FIRST),
            (_of(own, "drop"), "where such chips are dropped and guessed"),
            ([row for row in own if row.answer == "learnt"], "for heads learnt without it"),
        ) if rows
    ]  # fmt: skip
    places = len({(row.task, row.area) for row in own})
    over = f", on average over {places} tasks and areas" if places > 1 else ""
    rest = "".join(f", {100 * change:+.1f} {what}" for change, what in others)
    return f"without {own[0].left_out}{over}{_labels(own)}: {_points(first[0])} {first[1]}{rest}"


def _extremes(rows: Sequence[AbsenceScore], title: str) -> Iterator[str]:
    """What costs most on average, and what least."""
    means = {name: _mean(own) for name, own in _met_best(rows).items() if own}
    if len(means) > 1:
        worst, least = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        yield (
            f"of {len(means)} {title}, a test chip's loss of {_name(worst)} costs most, {_points(means[worst])} on average, "
            f"and of {_name(least)} least, {100 * means[least]:+.1f}"
        )


def _in_place(rows: Sequence[AbsenceScore]) -> Iterator[str]:
    """One task in one area: what costs most there, with its interval."""
    met = [own[0] for own in _met_best(rows).values() if own]
    if not met:
        return
    worst = min(met, key=lambda row: row.change)
    own = [row for row in rows if row.left_out == worst.left_out]
    title = task_of(worst.task).title
    place = f"{title} in {worst.area}" if worst.area != "all" else title
    is_clear = worst.change_high is not None and worst.change_high < 0
    begin = "" if is_clear else "no clear loss; at most "
    yield (
        f"{place}: {begin}without {_name(worst.left_out)} {_with_interval(worst)}{_labels(own)}, "
        f"{STANDING_IN[worst.strategy]}{_won_back(worst, own)}{_learnt(own)}"
    )


def _won_back(worst: AbsenceScore, own: Sequence[AbsenceScore]) -> str:
    """What the ridge is worth beside the training mean."""
    mean = _of(own, "training-mean")
    if worst.strategy != "ridge" or not mean:
        return ""
    gain = 100 * (worst.change - mean[0].change)
    return f", {abs(gain):.1f} {'better' if gain >= 0 else 'worse'} than with the training mean"


def _learnt(own: Sequence[AbsenceScore]) -> str:
    return "".join(f"; {_with_interval(row)} for heads learnt without it" for row in own if row.answer == "learnt")


def _met_best(rows: Sequence[AbsenceScore]) -> dict[str, list[AbsenceScore]]:
    """By what is left out, the rows of trained heads under the best strategy that there is: one a task and area."""
    by_name = {name: [row for row in rows if row.left_out == name] for name in _names(rows)}
    return {
        name: next((found for strategy in BEST_FIRST if (found := _of(own, strategy))), [])
        for name, own in by_name.items()
    }


def _names(rows: Sequence[AbsenceScore]) -> list[str]:
    return list(dict.fromkeys(row.left_out for row in rows))


def _of(rows: Sequence[AbsenceScore], strategy: str) -> list[AbsenceScore]:
    return [row for row in rows if row.answer == "met" and row.strategy == strategy]


def _mean(rows: Sequence[AbsenceScore]) -> float:
    return sum(row.change for row in rows) / len(rows)


def _labels(rows: Sequence[AbsenceScore]) -> str:
    """The number of labels, where it is the same everywhere."""
    counts = {row.n_labels for row in rows}
    return f" with {counts.pop():,} labels" if len(counts) == 1 else " with the largest number of labels drawn"


def _points(change: float) -> str:
    return f"{100 * change:+.1f} points"


def _with_interval(row: AbsenceScore) -> str:
    if row.change_low is None or row.change_high is None:
        return _points(row.change)
    return f"{_points(row.change)} ({100 * row.change_low:+.1f} to {100 * row.change_high:+.1f})"


def _name(left_out: str) -> str:
    return left_out.replace(", ", " with ")
