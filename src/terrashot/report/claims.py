"""The paper's claims, held against the study."""

from terrashot.domain.answers import Claim
from terrashot.report.blocks import Cell, Html, Table, join, paragraph, table
from terrashot.report.content import ReportContent
from terrashot.report.numbers import between, score

WORDS = {True: Cell("true", "good"), False: Cell("false", "bad"), None: Cell("not tested", "")}


def claims_here(content: ReportContent) -> Html:
    """A row a claim; nothing where none was looked at."""
    if not content.answers.claims:
        return Html("")
    text = (
        "What Allen et al. 2023 (arXiv:2310.00119) say of their own study, and whether it is so in this one. A claim about another "
        "place is not refuted here; it is only true or false of these data. Shares and scores run from 0 to 1."
    )
    head = ("claim", "here", "#estimate", "#95 % interval", "in words")
    rows = [_row(claim) for claim in content.answers.claims]
    return join([paragraph(text), table(Table("Claims of the paper on this study", head, rows))])


def _row(claim: Claim) -> list[str | Cell]:
    words = Cell(claim.sentence, "words")
    return [claim.name, WORDS[claim.holds], score(claim.estimate), between(claim.low, claim.high), words]
