"""How many more labels a target needs, and how far such forecasts could be trusted here."""

from terrashot.domain.answers import ForecastTest, Foreseen
from terrashot.domain.tasks import task_of
from terrashot.report.blocks import NOTHING, Html, Table, bullets, heading, join, paragraph, table, table_or_folded
from terrashot.report.content import ReportContent
from terrashot.report.numbers import count, percent, score


def forecast_tables(content: ReportContent) -> Html:
    """Forecasts and their test; nothing where neither was made."""
    answers = content.answers
    if not answers.forecasts and not answers.forecast_tests:
        return NOTHING
    text = (
        "A learning-curve law fitted to the draws so far, for the best embedding of each task and area, tells how many labels the "
        "next targets need. A forecast far beyond the labels seen is a guess: look at its interval."
    )
    return join([paragraph(text), _forecasts(answers.forecasts), _tests(answers.forecast_tests)])


def _forecasts(forecasts: tuple[Foreseen, ...]) -> Html:
    head = ("task", "area", "#target", "#labels expected", "#95 % interval", "#labels seen", "features", "head")
    rows = [
        [
            task_of(row.task).title, row.area, f"{row.target:g}", "not expected" if row.n_labels is None else count(row.n_labels),
            _ends(row), count(row.n_known), row.features, row.head,
        ]
        for row in forecasts
    ]  # fmt: skip
    return table_or_folded(Table("Forecasts", head, rows))


def _ends(row: Foreseen) -> str:
    if row.low is None:
        return "open"
    return f"{count(row.low)} or more" if row.high is None else f"{count(row.low)} to {count(row.high)}"


def _tests(tests: tuple[ForecastTest, ...]) -> Html:
    if not tests:
        return NOTHING
    head = (
        "#labels seen", "#curves", "#error of the law", "#error of no change", "#error of a straight line",
        "#law is nearest", "#inside its 95 % interval",
    )  # fmt: skip
    rows = [
        [
            count(row.n_known), count(row.n_curves), score(row.error), score(row.error_no_change), score(row.error_straight),
            percent(row.share_best), percent(row.coverage),
        ]
        for row in tests
    ]  # fmt: skip
    label = "Test of the forecasts on sizes they did not see"
    return join([heading(label), bullets([row.sentence for row in tests]), table(Table(label, head, rows))])
