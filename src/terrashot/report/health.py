"""The health card of the embeddings: what is wrong or odd in the open, the rest folded away."""

from collections.abc import Sequence

from terrashot.domain.health import HealthCard, HealthVerdict, Measure
from terrashot.report.blocks import DASH, NOTHING, Cell, Html, Table, folded, heading, join, paragraph, table

MARKS: dict[HealthVerdict | None, Cell] = {
    "good": Cell("✓ good", "good"),
    "look": Cell("? look", ""),
    "bad": Cell("✗ bad", "bad"),
    None: Cell("not measured", ""),
}
"""A sign and a word: colour alone tells nothing in black and white, or to those who do not see it."""
HEAD = ("measure", "of", "verdict", "#number", "in words")


def health_section(card: HealthCard | None) -> Html:
    """The whole card; nothing without one."""
    if card is None:
        return NOTHING
    odd = [*card.having("bad"), *card.having("look")]
    counts = f"{len(card.having('good'))} good, {len(card.having('look'))} to look at, {len(card.having('bad'))} bad"
    sampled = f" Some saw a seeded sample of {card.n_sampled:,} chips." if card.n_sampled < card.n_chips else ""
    text = (
        f"Whether the vectors of {card.n_chips:,} chips can be trusted: {counts}; {len(card.having(None))} could not be measured."
        f"{sampled} `look` is worth your eyes; `bad` is to be mended before the vectors are used. What each measure is, and where its "
        "limits were found, stands in `docs/health.md`."
    )
    shown = table(_table("What is odd", odd)) if odd else NOTHING
    return join(
        [
            heading("Health card"),
            paragraph(text),
            shown,
            folded("All measures", table(_table("All measures", card.measures))),
        ]
    )


def _table(label: str, measures: Sequence[Measure]) -> Table:
    return Table(label, HEAD, [_row(measure) for measure in measures])


def _row(measure: Measure) -> list[str | Cell]:
    value = DASH if measure.value is None else f"{measure.value:.3g}"
    name = measure.name.replace("_", " ")
    return [name, measure.block or "the table", MARKS[measure.verdict], value, Cell(measure.sentence, "words")]
