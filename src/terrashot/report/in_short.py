"""What the study says, first of all."""

from collections.abc import Sequence

from terrashot.domain.answers import Verdict
from terrashot.domain.tasks import task_of
from terrashot.report.blocks import (
    NOTHING,
    Cell,
    Html,
    Table,
    bullets,
    folded,
    heading,
    join,
    paragraph,
    table_or_folded,
)
from terrashot.report.content import ReportContent
from terrashot.report.numbers import between, count, in_brackets, percent, points, points_between, score

WORDS = {
    True: Cell("beats every floor", "good"),
    False: Cell("loses to a floor", "bad"),
    None: Cell("no clear difference", ""),
}
OPEN_SENTENCES = 8
"""More are folded."""


def in_short(content: ReportContent) -> Html:
    """Sentences on how many labels are enough, the verdicts at few labels, and the notes."""
    found, sentences = content.answers.verdicts, content.answers.sentences
    rest = bullets(sentences[OPEN_SENTENCES:], "found")
    return join([
        bullets(sentences[:OPEN_SENTENCES], "found"),
        folded(f"{len(sentences) - OPEN_SENTENCES} more tasks and areas", rest) if rest else NOTHING,
        heading("With few labels"),
        paragraph(_counted(found)),
        table_or_folded(_verdicts(found)),
        bullets(content.notes_on("")),
    ])  # fmt: skip


def _verdicts(found: Sequence[Verdict]) -> Table:
    measures = {verdict.measure for verdict in found}
    name = measures.pop() if len(measures) == 1 else "score"
    head = (
        "task", "area", "#labels", "the embedding", "#gain in points", "#certainty", f"#{name}", "#with all labels", "of",
        "#best floor", "which",
    )  # fmt: skip
    return Table("Verdicts at few labels", head, [_row(verdict, named=name == "score") for verdict in found])


def _row(verdict: Verdict, *, named: bool) -> list[str | Cell]:
    title = task_of(verdict.task).title + (f" ({verdict.measure})" if named else "")
    full = score(verdict.full_score) + (f" ({count(verdict.n_full)})" if verdict.n_full is not None else "")
    return [
        title, verdict.area, count(verdict.n_labels), _word(verdict),
        points(verdict.gain) + in_brackets(points_between(verdict.gain_low, verdict.gain_high)), percent(verdict.certainty),
        score(verdict.score) + in_brackets(between(verdict.low, verdict.high)), full, f"{verdict.features}, {verdict.head}",
        score(verdict.floor_score), f"{verdict.floor}, {verdict.floor_head}" if verdict.floor else "",
    ]  # fmt: skip


def _word(verdict: Verdict) -> str | Cell:
    if verdict.floor is None:
        return "no floors"
    return WORDS[verdict.beats_floors] if verdict.gain_low is not None else "cannot be told"


def _counted(found: Sequence[Verdict]) -> str:
    compared = [verdict for verdict in found if verdict.floor]
    if not found:
        return "No embedding was fitted with few labels."
    if not compared:
        return (
            "The best embedding with few labels, beside the same with all labels. There are no floors to compare with."
        )
    wins = sum(verdict.beats_floors is True for verdict in compared)
    losses = sum(verdict.beats_floors is False for verdict in compared)
    return (
        f"The best embedding beats every floor (simple feature set) in {wins} of {len(compared)} cases, loses to one in "
        f"{losses}, and shows no clear difference in {len(compared) - wins - losses}. Clear means: the 95 % interval of the gain, "
        "over other draws of labels and other test blocks, leaves 0 out: to beat every floor, that over each of them. The gain "
        "shown is that over the best floor; certainty is the share of the replicates in which the embedding is above every "
        "floor. The best embedding is picked by test score, which flatters it a little. In brackets: 95 % intervals."
    )
