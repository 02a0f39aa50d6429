"""What is absent from the data, where and why: sentences, maps and a table. What it costs is told in `absence`."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import shapely

from terrashot.domain.modality import MODALITIES
from terrashot.domain.presence_shares import ModalityShares, PresenceShares
from terrashot.domain.tables import Chips
from terrashot.plots.absence_map import absence_map
from terrashot.plots.area_map import MOST_DRAWN
from terrashot.report.blocks import NOTHING, Html, Table, bullets, heading, join, table
from terrashot.report.content import ReportContent
from terrashot.report.numbers import count, percent
from terrashot.report.recipe import Recipe

SECTION, TITLE = "absent", "What is missing"
MOST_AREAS = 8
"""Drawn; of more, those that lack most."""
MOST_REASONS = 4
"""In a sentence."""


def absence_maps(shares: PresenceShares, chips: Chips, land: shapely.MultiPolygon | None) -> Iterator[Recipe]:
    """One an area that lacks something; all but the first are folded."""
    for number, area in enumerate(_lacking(shares)[0], start=1):
        yield Recipe(
            f"absence-map-{number}", SECTION, f"What is missing in {shares.areas[area]}",
            f"{_how_to_read(shares, area, chips)} {' '.join(f'{text}.' for text in _told(shares, [area]))}",
            partial(absence_map, shares, area, chips, land), is_folded=number > 1,
        )  # fmt: skip


def absent_data(content: ReportContent, maps: Html) -> Html:
    """Sentences, the maps, and every reason with its count; nothing where nobody counted."""
    shares = content.presence
    sentences = [] if shares is None else [*_told(shares, range(len(shares.areas))), *_not_drawn(shares)]
    rows = [[modality, status, reason, f"{count:,}"] for modality, status, reason, count in content.absent]
    head = ("modality", "status", "reason", "#channels")
    counts = table(Table(TITLE, head, rows)) if rows else NOTHING
    body = join([bullets(sentences), maps, counts])
    return join([heading(TITLE), body]) if body else NOTHING


def _how_to_read(shares: PresenceShares, area: int, chips: Chips) -> str:
    bars = (
        "by month or kind of channel, the share of the chips that lack it, by reason; a chip that lacks a part of its channels of a "
        "month counts as that part."
    )
    if chips.footprint is None:
        return f"Bars: {bars}"
    in_cells = f" (of more than {MOST_DRAWN:,} chips, cells with the mean of theirs)"
    crosses = "; crosses are where something failed to read, one of those that lie close together"
    is_here = shares.area == area
    return (
        "Above: chips by the share of their channels that is there, black where there is none"
        f"{in_cells if is_here.sum() > MOST_DRAWN else ''}"
        f"{crosses if any(own.is_failed[is_here].any() for own in shares.modalities) else ''}. Below: {bars}"
    )


def _told(shares: PresenceShares, areas: Sequence[int]) -> list[str]:
    """A sentence a modality; one for all where nothing is absent."""
    is_here = np.isin(shares.area, areas)
    is_whole = not shares.lacking(areas) and all(own.n_told[is_here].all() for own in shares.modalities)
    if not is_whole or not shares.modalities:
        return [_sentence(own, areas, is_here) for own in shares.modalities]
    names = ", ".join(_title(own.modality) for own in shares.modalities)
    return [f"Nothing is absent: all {count(int(is_here.sum()))} chips have every channel of {names}"]


def _sentence(own: ModalityShares, areas: Sequence[int], is_here: np.ndarray) -> str:
    there, told, is_failed = own.n_there[is_here], own.n_told[is_here], own.is_failed[is_here]
    counts = {
        "have none": int(((told > 0) & (there == 0)).sum()),
        "could not be read in part or whole": int(is_failed.sum()),
        "are not told of": int((told == 0).sum()),
    }
    some = "".join(f"; {count(n)} of {count(len(told))} chips {what}" for what, n in counts.items() if n)
    share, why = own.absent(areas), "nothing absent"
    if share:
        why = f"{percent(share)} of a chip's channels absent, on average ({_reasons(own, areas)})"
    return f"{_title(own.modality)}: {why}{some}"


def _reasons(own: ModalityShares, areas: Sequence[int]) -> str:
    shares = own.whole.shares(areas)[0]
    order = [number for number in np.argsort(-shares, kind="stable").tolist() if shares[number]]
    parts = [f"{percent(float(shares[number]))} {own.whys[number].reason}" for number in order[:MOST_REASONS]]
    rest = float(shares[order[MOST_REASONS:]].sum())
    return ", ".join([*parts, *([f"{percent(rest)} for other reasons"] if rest else [])])


def _lacking(shares: PresenceShares) -> tuple[list[int], list[int]]:
    """The areas that are drawn, in order, and those that lack something and are not."""
    lacks = {area: sum(own.absent([area]) for own in shares.modalities) for area in range(len(shares.areas))}
    lacking = sorted((area for area in lacks if lacks[area]), key=lambda area: -lacks[area])
    return sorted(lacking[:MOST_AREAS]), sorted(lacking[MOST_AREAS:])


def _not_drawn(shares: PresenceShares) -> list[str]:
    left_out = [shares.areas[area] for area in _lacking(shares)[1]]
    return [f"Drawn are the {MOST_AREAS} areas that lack most; not drawn: {', '.join(left_out)}"] if left_out else []


def _title(modality: str) -> str:
    return MODALITIES[modality].title if modality in MODALITIES else modality
