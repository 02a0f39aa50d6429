"""What became of each channel of each chip, as numbers: millions of rows need no object each.

Legend: R channels of chips.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from terrashot.domain.modality import Status

FAILED = "failed to read"
MONTH_CHARACTERS = 7


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What channels alike have in common."""

    modality: str
    part: str | None
    """The month of a composite, else the kind of channel; None: of the whole modality no channel could be formed."""
    status: Status
    reason: str
    """In few words, without what is told behind a colon; empty where the channel is there."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelStates:
    """The rows of the presence table."""

    chip: Int32[np.ndarray, " R"]
    """Row of the chip among the chips."""
    state: Int32[np.ndarray, " R"]
    """Position in `states`."""
    states: tuple[ChannelState, ...]


def state_of(
    modality: str, kind: str | None, dates: tuple[str | None, str | None], status: Status, reason: str | None
) -> ChannelState:
    """The state of a channel of these dates, the first and the second, as the presence table tells of it.

    What failed is one reason, whichever file it was.
    """
    first, second = dates
    is_monthly = kind is not None and first is not None and second is None
    part = first[:MONTH_CHARACTERS] if is_monthly and first else kind
    if status == "ok":
        return ChannelState(modality, part, status, "")
    return ChannelState(modality, part, status, FAILED if status == "failed" else (reason or "").partition(": ")[0])


def count_absent(states: ChannelStates) -> list[tuple[str, str, str, int]]:
    """Modality, status, reason and number of channels of all that is not there, sorted."""
    counts: dict[tuple[str, str, str], int] = {}
    for its, count in zip(states.states, np.bincount(states.state, minlength=len(states.states)).tolist(), strict=True):
        if its.status != "ok" and count:
            key = (its.modality, its.status, its.reason)
            counts[key] = counts.get(key, 0) + count
    return [(*what, count) for what, count in sorted(counts.items())]
