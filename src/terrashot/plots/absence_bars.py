"""Why channels are absent, by month or kind of channel: bars of reasons."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final

import numpy as np
from jaxtyping import Int64
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from terrashot.domain.modality import Status
from terrashot.domain.presence_shares import ModalityShares, Why
from terrashot.plots.style import BLACK

# Steps of lightness, so that grey tells the statuses apart too; hatches tell the reasons of one.
COLOURS: Final[dict[Status, str]] = {"empty": "#b3d7ee", "missing": "#3a7fb5", "failed": BLACK}
LINES: Final[dict[Status, str]] = {"empty": "#333333", "missing": "white", "failed": BLACK}
HATCHES: Final = ("", "////", "...", "xxxx", "----", "||||")
MOST_REASONS = 8
"""Told apart in a figure; the rarer ones are drawn as one of their status."""
MOST_BARS = 24


@dataclass(frozen=True, slots=True)
class Fill:
    """How a reason is drawn."""

    label: str
    status: Status
    hatch: str

    def patch(self) -> Patch:
        """Its key in the legend."""
        return Patch(facecolor=COLOURS[self.status], edgecolor=LINES[self.status], hatch=self.hatch, label=self.label)


def fills_of(lacking: Sequence[ModalityShares], area: int) -> dict[Why, Fill]:
    """How each reason found in an area is drawn, by status, then the commonest first."""
    total: Counter[Why] = Counter()
    for own in lacking:
        for why, worth in zip(own.whys, own.whole.absent[area, 0].tolist(), strict=True):
            total[why] += worth
    told = {why for why, _ in total.most_common(MOST_REASONS)}
    fills: dict[Why, Fill] = {}
    for status in COLOURS:
        hatches = cycle(HATCHES)
        own_whys = sorted((why for why in total if why.status == status and total[why]), key=lambda why: -total[why])
        fills |= {why: Fill(_label(why), status, next(hatches)) for why in own_whys if why in told}
        rest = Fill(f"other reasons ({status})", status, "oo")
        fills |= {why: rest for why in own_whys if why not in told}
    return fills


def n_bars(own: ModalityShares) -> int:
    """How many bars a modality has."""
    return min(len(own.parts), MOST_BARS)


def absence_bars(ax: Axes, own: ModalityShares, area: int, fills: Mapping[Why, Fill], *, room: int = 1) -> Axes:
    """One modality in one area: a bar a month or kind of channel, as long as the share of the chips that lack it, in percent.

    Args:
        room: for so many bars, where panels side by side have more of them.
    """
    shares = 100 * own.by_part.shares([area])
    shown = _shown(shares.sum(axis=1))
    place, left = np.arange(len(shown)), np.zeros(len(shown))
    for fill in dict.fromkeys(fills.values()):
        columns = [number for number, why in enumerate(own.whys) if fills.get(why) == fill]
        width = shares[shown][:, columns].sum(axis=1)
        if width.any():
            ax.barh(
                place, width, 0.78, left=left, facecolor=COLOURS[fill.status], edgecolor=LINES[fill.status],
                hatch=fill.hatch, linewidth=0.4,
            )  # fmt: skip
            left += width
    ax.set_yticks(place, [own.parts[number] for number in shown], fontsize=8)
    ax.set(ylim=(max(room, len(shown)) - 0.4, -0.6), xlabel="share of chips, %")
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    if len(shown) < len(own.parts):
        ax.set_ylabel(f"those {len(shown)} of {len(own.parts)} that lack most", fontsize=8)
    return ax


def share_scale(axes: Sequence[Axes]) -> None:
    """One scale for all bars of a figure, so that they can be compared; no further than 100 %."""
    end = min(100.0, max(ax.get_xlim()[1] for ax in axes))
    for ax in axes:
        ax.set_xlim(0, end)


def _label(why: Why) -> str:
    return why.reason if why.status == "failed" else f"{why.reason} ({why.status})"


def _shown(lacking: np.ndarray) -> Int64[np.ndarray, " P"]:
    """The parts that are drawn, in order: all, or those that lack most. P: bars."""
    return np.sort(np.argsort(-lacking, kind="stable")[:MOST_BARS])
