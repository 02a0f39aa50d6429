"""The report's one page. Everything that comes from a user is escaped."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from terrashot.domain.results import is_floor
from terrashot.domain.tasks import task_of
from terrashot.durable.files import write_bytes
from terrashot.report.content import ReportContent
from terrashot.report.figures import Drawn


def write_report(content: ReportContent, figures: Sequence[Drawn], path: Path) -> None:
    """`path` holds the whole report; pictures are inside."""
    write_bytes(path, page(content, figures).encode())


def page(content: ReportContent, figures: Sequence[Drawn]) -> str:
    """The page's text."""
    css = (files("terrashot.report") / "page.css").read_text("utf-8")
    drawn = {figure.name: figure for figure in figures}
    curves = [figure for figure in figures if figure.name.startswith("curves-")]
    sections = [
        ("answer", "In short", _answer(content)),
        ("curves", "Accuracy against number of labels", "".join(map(_figure, curves))),
        ("enough", "How many labels are enough", _dots(content)),
        ("floors", "Beside the simple features", _floors(content)),
        ("embeddings", "The embeddings", _maybe(drawn, "tsne")),
        ("areas", "Areas, splits and labels", _maybe(drawn, "areas") + _maybe(drawn, "labels")),
        ("data", "The data, and what is missing in it", _maybe(drawn, "chips") + _absent(content)),
        ("pretraining", "Pretraining", _maybe(drawn, "model") + _maybe(drawn, "pretraining")),
        ("facts", "How this was made", _facts(content)),
    ]
    shown = [(key, title, body) for key, title, body in sections if body]
    links = "".join(f'<a href="#{key}">{escape(title)}</a>' for key, title, _ in shown)
    bodies = "".join(f'<section id="{key}"><h2>{escape(title)}</h2>{body}</section>' for key, title, body in shown)
    title = f"{content.title}{' (simulated)' if content.simulated else ''}: how many labels?"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing outside this file is ever asked for.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{css}</style></head><body><header><h1>{escape(title)}</h1>"
        f"{_banner(content)}<nav>{links}</nav></header><main>{bodies}</main></body></html>\n"
    )


def _banner(content: ReportContent) -> str:
    if not content.simulated:
        return ""
    return (
        '<p class="simulated"><strong>Simulated.</strong> Imagery and labels are made up, for learning the tool and testing '
        "it. No number on this page says anything about real land, or that the method is good.</p>"
    )


def _answer(content: ReportContent) -> str:
    rows = []
    for verdict in content.verdicts:
        words = {True: ("wins", "beats it"), False: ("loses", "loses to it"), None: ("", "no clear difference")}
        mark, said = words[verdict.beats_floor] if verdict.floor else ("", "no floors")
        rows.append(
            f"<tr><td>{escape(task_of(verdict.task).title)}</td><td>{escape(verdict.area)}</td>"
            f'<td class="n">{verdict.n_labels:,}</td><td class="n">{verdict.embedding.accuracy:.3f}</td>'
            f"<td>{escape(verdict.embedding.features)}, {escape(verdict.embedding.head)}</td>"
            f'<td class="n">{_score(verdict.full)}</td><td class="n">{_score(verdict.floor)}</td>'
            f"<td>{escape(f'{verdict.floor.features}, {verdict.floor.head}') if verdict.floor else ''}</td>"
            f'<td class="{mark}">{said}{f" ({100 * verdict.gain:+.1f} points)" if verdict.floor else ""}</td></tr>'
        )
    head = ("task", "area", "labels", "accuracy", "of", "all labels", "best floor", "which", "the embedding")
    notes = "".join(f"<li>{escape(note)}</li>" for note in content.notes)
    counted = _counted(content)
    return f"<p>{counted}</p>{_table(head, rows, numbers={2, 3, 5, 6})}<ul>{notes}</ul>"


def _counted(content: ReportContent) -> str:
    compared = [v for v in content.verdicts if v.floor]
    if not compared:
        return "Accuracy of the best embedding with few labels, beside all labels."
    wins = sum(v.beats_floor is True for v in compared)
    losses = sum(v.beats_floor is False for v in compared)
    return (
        f"With few labels, the best embedding beats the best simple feature set in {wins} of {len(compared)} cases, loses "
        f"to it in {losses}, and shows no clear difference in {len(compared) - wins - losses}. Clear means: the mean "
        "difference over the draws exceeds two standard errors. The test chips are the same throughout, so an interval over "
        "other places would be wider. Both bests are picked by test accuracy, which flatters both sides alike."
    )


def _dots(content: ReportContent) -> str:
    rows = [
        f"<tr><td>{escape(task_of(dot.task).title)}</td><td>{escape(dot.area)}</td><td>{escape(dot.features)}</td>"
        f'<td>{escape(dot.head)}</td><td class="n">{_count(dot.n_labels)}</td><td class="n">{_count(dot.crossing)}</td>'
        f'<td class="n">{_count(dot.skill_n_labels)}</td></tr>'
        for dot in content.dots
        if dot.features != "majority" and (not is_floor(dot.features) or ":" not in dot.features)
    ]
    head = ("task", "area", "features", "head", "95 % of all labels", "where the curve crosses", "95 % of the skill")
    text = (
        "<p>The smallest number of labels whose mean accuracy reaches 95 % of that with all labels (the paper's dot); where a "
        "curve that may only rise crosses that line; and the same for 95 % of the skill above always guessing the commoner "
        "class, which is stricter: with chance at 0.5 the first is lenient. A dash: only the full set.</p>"
    )
    return text + f"<details><summary>All {len(rows)} curves</summary>{_table(head, rows, numbers={4, 5, 6})}</details>"


def _floors(content: ReportContent) -> str:
    sizes = sorted({p.n_labels for p in content.points if not p.is_full})
    rows = []
    for task, area, features, head in dict.fromkeys((p.task, p.area, p.features, p.head) for p in content.points):
        if ":" in features:
            continue
        own = {
            p.n_labels: p
            for p in content.points
            if (p.task, p.area, p.features, p.head) == (task, area, features, head) and not p.is_full
        }
        full = next(
            (
                p
                for p in content.points
                if (p.task, p.area, p.features, p.head) == (task, area, features, head) and p.is_full
            ),
            None,
        )
        cells = "".join(f'<td class="n">{_with_spread(own.get(size))}</td>' for size in sizes)
        rows.append(
            f"<tr><td>{escape(task_of(task).title)}</td><td>{escape(area)}</td><td>{escape(features)}</td>"
            f'<td>{escape(head)}</td>{cells}<td class="n">{_score(full)}</td></tr>'
        )
    head_row = ("task", "area", "features", "head", *(f"{size:,}" for size in sizes), "all")
    text = (
        "<p>Mean accuracy over the draws, ± one standard deviation. <code>image_stats</code>: mean, spread, quantiles and "
        "gradients of each channel. <code>random_conv</code>: 512 random patches of training chips as filters. "
        "<code>untrained</code>: the same towers before training. <code>coordinates</code>: longitude and latitude. "
        "<code>majority</code>: always the commoner class.</p>"
    )
    table = _table(head_row, rows, numbers=set(range(4, 5 + len(sizes))))
    return text + f"<details><summary>All {len(rows)} rows</summary>{table}</details>"


def _absent(content: ReportContent) -> str:
    if not content.absent:
        return ""
    rows = [
        f'<tr><td>{escape(modality)}</td><td>{escape(status)}</td><td>{escape(reason)}</td><td class="n">{count:,}</td></tr>'
        for modality, status, reason, count in content.absent
    ]
    return "<h3>What is missing</h3>" + _table(("modality", "status", "reason", "channels"), rows, numbers={3})


def _facts(content: ReportContent) -> str:
    rows = [f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in content.facts.items()]
    return _table((), rows, numbers=set())


def _maybe(drawn: dict[str, Drawn], name: str) -> str:
    return _figure(drawn[name]) if name in drawn else ""


def _figure(figure: Drawn) -> str:
    data = base64.b64encode(figure.png).decode()
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(figure.title)}. {escape(figure.caption)}">'
        f"<figcaption><strong>{escape(figure.title)}.</strong> {escape(figure.caption)} "
        f"Also as <code>figures/{figure.files[0]}</code> and <code>{figure.files[1]}</code>.</figcaption></figure>"
    )


def _table(head: Iterable[str], rows: Sequence[str], *, numbers: set[int]) -> str:
    cells = "".join(
        f'<th scope="col"{" class=n" if index in numbers else ""}>{escape(name)}</th>'
        for index, name in enumerate(head)
    )
    top = f"<thead><tr>{cells}</tr></thead>" if cells else ""
    return f'<div class="scroll" tabindex="0"><table>{top}<tbody>{"".join(rows)}</tbody></table></div>'


def _score(point: object) -> str:
    return f"{point.accuracy:.3f}" if point is not None else "–"  # type: ignore[attr-defined]


def _with_spread(point: object) -> str:
    return f"{point.accuracy:.3f} ± {point.accuracy_sd:.3f}" if point is not None else "–"  # type: ignore[attr-defined]


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
