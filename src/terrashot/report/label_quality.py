"""What the labels are worth: their balance, whether neighbours agree, which the embeddings contradict, what they were made from."""

from terrashot.domain.label_summary import ALL, LabelSummary
from terrashot.domain.tasks import task_of
from terrashot.report.blocks import NOTHING, Html, Table, bullets, heading, join, paragraph, table_or_folded
from terrashot.report.content import ReportContent
from terrashot.report.numbers import count, percent, score

HEAD = (
    "target", "area", "split", "#chips", "#labelled", "#valid share", "cut or classes", "#share", "of", "#neighbours agree",
    "#by chance", "#Moran's I",
)  # fmt: skip
MOST_SUSPECTS = 50
"""Shown; all stand in the table."""


def label_quality(content: ReportContent) -> Html:
    """Sentences and tables; nothing where nobody looked."""
    if not content.label_summaries:
        return NOTHING
    text = (
        "How each target is shared out, as the study file cuts it. Neighbours are chips that share a side; labels that agree with "
        "their neighbours no more than by chance are noise, or finer than a chip. All rows stand in `labels.summary.parquet`."
    )
    rows = [_row(row) for row in content.label_summaries]
    return join([
        heading("What the labels are worth"), bullets([*content.circular]), paragraph(text),
        table_or_folded(Table("Balance and agreement of labels", HEAD, rows)), _suspects(content),
    ])  # fmt: skip


def _row(row: LabelSummary) -> list[str]:
    is_two = row.positive_share is not None
    share = row.positive_share if is_two else row.largest_share
    of = ("the second class" if row.cut is None else "above the cut") if is_two else (row.largest_class or "")
    return [
        task_of(row.target).title, row.area, row.split, count(row.n_chips), count(row.n_known), percent(row.valid_fraction),
        _kind(row), percent(share), of if share is not None else "",
        percent(row.neighbours_agree) if row.split == ALL else "", percent(row.agree_by_chance) if row.split == ALL else "",
        score(row.moran) if row.split == ALL else "",
    ]  # fmt: skip


def _kind(row: LabelSummary) -> str:
    if row.cut is not None:
        return f"above {row.cut:.4g}"
    return "numbers" if row.n_classes is None else f"{row.n_classes} classes"


def _suspects(content: ReportContent) -> Html:
    found = content.suspects
    if not found:
        return NOTHING
    text = (
        f"{len(found):,} labels are contradicted by heads that learnt from other places of the area and are as sure of another "
        "class as they usually are of a right one (Northcutt et al. 2021). Each is a label to look at, not one that is wrong; none "
        "was removed. All stand in `labels.suspects.parquet`."
    )
    head = ("target", "area", "chip", "label", "told", "#probability told", "#of the label")
    rows = [
        [task_of(one.target).title, one.area, one.id, one.label, one.told, score(one.probability), score(one.probability_of_label)]
        for one in found[:MOST_SUSPECTS]
    ]  # fmt: skip
    return join(
        [heading("Labels to look at"), paragraph(text), table_or_folded(Table("Labels to look at", head, rows))]
    )
