"""The report's one page. Everything that comes from a user is escaped."""

import base64
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from terrashot.durable.files import write_bytes
from terrashot.report.absence import missing_data
from terrashot.report.absent_data import absent_data
from terrashot.report.blocks import NOTHING, Html, Table, folded, join, scrolling, table
from terrashot.report.claims import claims_here
from terrashot.report.content import ReportContent
from terrashot.report.elsewhere import leakage_table, transfer_table
from terrashot.report.enough import beside_floors, enough_labels
from terrashot.report.figures import Drawn
from terrashot.report.forecasts import forecast_tables
from terrashot.report.health import health_section
from terrashot.report.in_short import in_short
from terrashot.report.label_quality import label_quality

WIDE_IN = 7.0
"""A wider figure would be too small to read on a phone: there it keeps its size, and its box scrolls."""
CSS_PX_PER_INCH = 96


def write_report(content: ReportContent, figures: Sequence[Drawn], path: Path) -> None:
    """`path` holds the whole report; pictures are inside."""
    write_bytes(path, page(content, figures).encode())


def page(content: ReportContent, figures: Sequence[Drawn]) -> str:
    """The page's text."""
    css = (files("terrashot.report") / "page.css").read_text("utf-8")
    shown = [(key, title, body) for key, title, body in _sections(content, figures) if body]
    links = "".join(f'<li><a href="#{key}">{escape(title)}</a></li>' for key, title, _ in shown)
    bodies = "".join(f'<section id="{key}"><h2>{escape(title)}</h2>{body}</section>' for key, title, body in shown)
    title = f"{content.title}{' (simulated)' if content.simulated else ''}: how many labels?"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing outside this file is ever asked for.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{css}</style></head><body>"
        '<a class="skip" href="#results">Skip to the results</a>'
        f"<header><h1>{escape(title)}</h1>{_banner(content)}"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>'
        f'<main id="results" tabindex="-1">{bodies}</main></body></html>\n'
    )


def _sections(content: ReportContent, figures: Sequence[Drawn]) -> list[tuple[str, str, Html]]:
    """Key, title and body; one without a body is left out."""

    def drawn(section: str) -> Html:
        return join(_figure(figure) for figure in figures if figure.section == section)

    return [
        ("answer", "In short", in_short(content)),
        ("curves", "Score against number of labels", drawn("curves")),
        ("enough", "How many labels are enough", enough_labels(content)),
        ("floors", "Beside the simple features", beside_floors(content)),
        ("claims", "The paper's claims on this study", claims_here(content)),
        ("elsewhere", "Would it hold elsewhere?", join([drawn("elsewhere"), leakage_table(content)])),
        ("transfer", "Labels from elsewhere", join([drawn("transfer"), transfer_table(content)])),
        ("more", "How many more labels?", join([drawn("more"), forecast_tables(content)])),
        ("missing", "What absences cost", join([drawn("missing"), missing_data(content)])),
        ("embeddings", "The embeddings", join([drawn("embeddings"), health_section(content.health)])),
        ("areas", "Areas, splits and labels", join([drawn("areas"), label_quality(content)])),
        ("data", "The data, and what is missing in it", join([drawn("data"), absent_data(content, drawn("absent"))])),
        ("pretraining", "Pretraining", drawn("pretraining")),
        ("facts", "How this was made", _facts(content)),
    ]


def _banner(content: ReportContent) -> str:
    if not content.simulated:
        return ""
    return (
        '<p class="simulated"><strong>Simulated.</strong> Imagery and labels are made up, for learning the tool and testing '
        "it. No number on this page says anything about real land, or that the method is good.</p>"
    )


def _facts(content: ReportContent) -> Html:
    if not content.facts:
        return NOTHING
    return table(Table("How this was made", ("what", "value"), list(map(list, content.facts.items()))))


def _figure(figure: Drawn) -> Html:
    data = base64.b64encode(figure.png).decode()
    width = round(figure.width_in * CSS_PX_PER_INCH)
    image = (
        f'<img style="--natural: {width}px" src="data:image/png;base64,{data}" '
        f'alt="{escape(figure.title)}. {escape(figure.caption)}">'
    )
    box = scrolling(f"Figure: {figure.title}", image) if figure.width_in > WIDE_IN else Html(image)
    whole = Html(
        f"<figure>{box}<figcaption><strong>{escape(figure.title)}.</strong> {escape(figure.caption)} "
        f"Also as <code>figures/{escape(figure.name)}.png</code> and <code>.svg</code>.</figcaption></figure>"
    )
    return folded(figure.title, whole) if figure.is_folded else whole
