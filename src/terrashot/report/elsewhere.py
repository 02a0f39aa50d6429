"""Would it hold elsewhere: training chips beside the test chips, and labels from other areas."""

from terrashot.domain.answers import Leak, Moved
from terrashot.domain.tasks import task_of
from terrashot.plots.leakage import scheme_title
from terrashot.report.blocks import DASH, Html, Table, folded, join, paragraph, table, table_or_folded
from terrashot.report.content import ReportContent
from terrashot.report.numbers import between, count, points, points_between, score

NOT_MEASURED = "Not measured in this study."


def leakage_table(content: ReportContent) -> Html:
    """The same test chips under each scheme of training chips; one sentence where that was not measured."""
    answers = content.answers
    said = [paragraph(note) for note in content.notes_on("leakage")]
    if not answers.leakage:
        return join(said or [paragraph(NOT_MEASURED)])
    text = (
        "The same test chips and the same number of labels throughout; only the pool that training chips are drawn from changes. "
        "Optimism: how many points higher the score is than under the study's own split. Where it is clearly above 0, chips "
        "beside the test chips help in a way that chips of a new place would not. The range of spatial autocorrelation says how far "
        "apart chips must lie for their labels to be unlike each other."
    )
    return join(
        [paragraph(text), *said, _ranges(content), folded("All numbers of the leakage meter", _leaks(answers.leakage))]
    )


def _leaks(leaks: tuple[Leak, ...]) -> Html:
    head = (
        "task", "area", "features", "head", "#labels", "training chips", "#score", "#95 % interval", "#optimism, points",
        "#95 % interval of the optimism",
    )  # fmt: skip
    rows = [
        [
            task_of(leak.task).title, leak.area, leak.features, leak.head, count(leak.n_labels), scheme_title(leak.scheme),
            score(leak.score), between(leak.low, leak.high), "this study" if leak.optimism is None else points(leak.optimism),
            points_between(leak.optimism_low, leak.optimism_high),
        ]
        for leak in leaks
    ]  # fmt: skip
    return table(Table("Leakage by scheme", head, rows))


def _ranges(content: ReportContent) -> Html:
    head = ("task", "area", "#range of autocorrelation, km", "#Moran's I of the nearest chips")
    rows = [
        [
            task_of(row.task).title, row.area, DASH if row.range_km is None else f"{row.range_km:.3g}",
            DASH if row.moran is None else f"{row.moran:.2f}",
        ]
        for row in content.answers.ranges
    ]  # fmt: skip
    return table_or_folded(Table("Spatial autocorrelation of the labels", head, rows))


def transfer_table(content: ReportContent) -> Html:
    """Labels of one area in another; one sentence where that was not measured."""
    moved = content.answers.transfer
    said = [paragraph(note) for note in content.notes_on("transfer")]
    if not moved:
        return join(said or [paragraph(NOT_MEASURED)])
    text = (
        "Labels of one area, tested in another; and the same with a few local labels added. The question is always that of the "
        "place where it is tested: a numeric label is cut there."
    )
    return join([paragraph(text), *said, folded("All numbers of the transfer", _moved(moved))])


def _moved(moved: tuple[Moved, ...]) -> Html:
    head = (
        "task",
        "labels from",
        "tested in",
        "features",
        "head",
        "#labels",
        "#of them local",
        "#score",
        "#95 % interval",
    )
    rows = [
        [
            task_of(row.task).title, row.train_area, row.area, row.features, row.head, count(row.n_labels), count(row.n_local),
            score(row.score), between(row.low, row.high),
        ]
        for row in moved
    ]  # fmt: skip
    return table(Table("Transfer between areas", head, rows))
