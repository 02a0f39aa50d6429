"""Pieces of a page: paragraphs, tables, things folded away. Each escapes what it is given; `Html` marks what it made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NewType

Html = NewType("Html", str)
"""Text that holds no tag but ours."""
OPEN_ROWS = 24
"""A longer table is folded."""
NOTHING = Html("")
DASH = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a table's cell with a mark: `good`, `bad`."""

    text: str
    mark: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under their names."""

    label: str
    """What it holds, for those who cannot see it."""
    head: Sequence[str]
    """A name that begins with `#` is of a column of numbers."""
    rows: Sequence[Sequence[str | Cell]]


def join(parts: Iterable[Html]) -> Html:
    """The parts one after another."""
    return Html("".join(parts))


def paragraph(text: str) -> Html:
    """One paragraph; text in `backticks` is code."""
    pieces = text.split("`")
    inner = "".join(f"<code>{escape(p)}</code>" if index % 2 else escape(p) for index, p in enumerate(pieces))
    return Html(f"<p>{inner}</p>")


def bullets(lines: Sequence[str], mark: str = "") -> Html:
    """A list; nothing for no line."""
    if not lines:
        return NOTHING
    return Html(f'<ul class="{escape(mark)}">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>')


def heading(text: str) -> Html:
    """A title inside a section."""
    return Html(f"<h3>{escape(text)}</h3>")


def folded(summary: str, body: Html) -> Html:
    """Opens on a click or on Enter."""
    return Html(f"<details><summary>{escape(summary)}</summary>{body}</details>")


def scrolling(label: str, body: str) -> Html:
    """A box that scrolls sideways on its own, also by keyboard, so that the page never does."""
    return Html(f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{body}</div>')


def table(content: Table) -> Html:
    """The whole table; the first column names the row."""
    numbers = [name.startswith("#") for name in content.head]
    head = "".join(map(_head, content.head))
    body = "".join(f"<tr>{''.join(map(_cell, row, numbers))}</tr>" for row in content.rows)
    caption = f'<caption class="unseen">{escape(content.label)}</caption>'
    return scrolling(content.label, f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def table_or_folded(content: Table) -> Html:
    """The table, folded away where it is long; nothing for no row."""
    if not content.rows:
        return NOTHING
    shown = table(content)
    return shown if len(content.rows) <= OPEN_ROWS else folded(f"{content.label}: {len(content.rows)} rows", shown)


def _head(name: str) -> str:
    return f'<th scope="col"{_class("n" if name.startswith("#") else "")}>{escape(name.removeprefix("#"))}</th>'


def _cell(cell: str | Cell, is_number: bool) -> str:
    text, mark = (cell.text, cell.mark) if isinstance(cell, Cell) else (cell, "")
    return f"<td{_class(' '.join(filter(None, ('n' if is_number else '', mark))))}>{escape(text)}</td>"


def _class(names: str) -> str:
    return f' class="{escape(names)}"' if names else ""
