"""What absences cost: sentences, tables and the figure."""

from collections.abc import Iterator, Sequence
from functools import partial

from terrashot.domain.absence_scores import AbsenceScore, at_budget
from terrashot.domain.tasks import task_of
from terrashot.evaluate.absence.sentences import absence_sentences
from terrashot.evaluate.protocol.comparison import POOLED
from terrashot.plots.absence import GROUPS, absence_dots
from terrashot.report.blocks import (
    DASH,
    NOTHING,
    Html,
    Table,
    bullets,
    folded,
    heading,
    join,
    paragraph,
    table,
    table_or_folded,
)
from terrashot.report.content import ReportContent
from terrashot.report.numbers import between, count, in_brackets, percent, points, points_between, score
from terrashot.report.recipe import Recipe

TITLES = {**GROUPS, "channel": "single channels"}
STANDING = {
    "rest": "what is left", "ridge": "ridge", "training-mean": "training mean", "drop": "dropped, and guessed",
}  # fmt: skip
SECTION, NAME_OF_NOTHING = "missing", "nothing"
ALIKE = ("cosine", "recall1", "recall10")


def absence_figures(scores: Sequence[AbsenceScore]) -> Iterator[Recipe]:
    """One an area; all but the first are folded."""
    for number, area in enumerate(dict.fromkeys(row.area for row in scores), start=1):
        own = [row for row in scores if row.area == area]
        yield Recipe(
            f"missing-{number}", SECTION, f"What absences cost in {area}",
            "A row is what is left out, a marker what is done about it, a line its 95 % interval: points of the score less those of "
            "nothing left out, over the same draws and test chips. Met: heads learnt on whole chips meet test chips that lack it; "
            "squares: of some chips nothing of a part is left, and its training mean or the ridge's answer stands in. Triangles: "
            "heads learnt on chips that lack it too. Costliest first, months in order. Dropped chips and single channels stand in "
            "the tables.",
            partial(absence_dots, own), is_folded=number > 1,
        )  # fmt: skip


def missing_data(content: ReportContent) -> Html:
    """The section on what absences cost; nothing where that was not measured."""
    if content.absence is None or not content.absence.scores:
        return NOTHING
    own = at_budget(content.absence.scores)
    text = (
        "What a chip that lacks something costs a map or a search. `met`: heads learnt on whole chips meet test chips that lack "
        "it; `learnt without`: training chips lack it too. Where nothing of a part is left, the mean of the training chips stands "
        "in, or what a ridge regression on the other parts foretells, or the chip is dropped and the commonest label guessed. "
        "Points are hundredths of the score. "
        "Cosine: of a test chip's vector with that of nothing left out. Found: its other modality, with nothing left out, is among "
        "the nearest 1 or 10 of all test chips to it; a foretold modality is made of the others, so that it finds them the easier."
    )
    return join([
        paragraph(text), bullets(content.absence.notes), bullets(absence_sentences(content.absence.scores), "found"),
        *_summaries([row for row in own if row.area != POOLED]),
        folded("All of them by task and area", table(_by_place([row for row in own if row.case != "channel"]))),
    ])  # fmt: skip


def _summaries(own: Sequence[AbsenceScore]) -> Iterator[Html]:
    """A table a group of cases: means over tasks and areas."""
    head = (
        "left out", *(f"#met, {name}" for name in STANDING.values()), "#learnt without", "#cosine", "#found among 1", "#among 10",
    )  # fmt: skip
    for case, title in TITLES.items():
        names = list(dict.fromkeys(row.left_out for row in own if row.case == case))
        groups = [
            [row for row in own if row.case in (case, "nothing") and row.left_out == name] for name in ("", *names)
        ]
        if names:
            yield heading(f"Mean change in points: {title}")
            yield table_or_folded(Table(f"Mean change in points: {title}", head, [_summary(rows) for rows in groups]))


def _summary(rows: Sequence[AbsenceScore]) -> list[str]:
    met = [[row for row in rows if row.answer == "met" and row.strategy == strategy] for strategy in STANDING]
    changes = [_mean([row.change for row in some]) for some in (*met, [row for row in rows if row.answer == "learnt"])]
    shown = next(some for some in met if some)
    cosine, first, tenth = (_mean([v for row in shown if (v := getattr(row, name)) is not None]) for name in ALIKE)
    return [
        rows[0].left_out or NAME_OF_NOTHING,
        *map(points, changes),
        DASH if cosine is None else f"{cosine:.3f}",
        percent(first),
        percent(tenth),
    ]


def _by_place(rows: Sequence[AbsenceScore]) -> Table:
    head = (
        "task", "area", "left out", "answer", "stands in", "head", "#labels", "#chips in which something stands in", "#score",
        "#change in points", "#cosine, 5th percentile",
    )  # fmt: skip
    return Table("Missing-data report", head, [_row(row) for row in rows])


def _row(row: AbsenceScore) -> list[str]:
    return [
        task_of(row.task).title, row.area, row.left_out or NAME_OF_NOTHING, row.answer, STANDING[row.strategy], row.head,
        count(row.n_labels), percent(row.absent_share), score(row.score) + in_brackets(between(row.low, row.high)),
        points(row.change) + in_brackets(points_between(row.change_low, row.change_high)),
        DASH if row.cosine is None else f"{row.cosine:.3f}, {row.cosine_low5:.3f}",
    ]  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
