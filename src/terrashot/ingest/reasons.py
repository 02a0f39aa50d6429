"""Why a channel of a composite is absent: the few words that `presence.parquet` holds."""

from collections.abc import Iterable
from typing import Final, Literal

from terrashot.domain.modality import Status

Reason = Literal[
    "failed to read", "all clouded", "outside the swath", "polarisation not acquired", "no acquisition in the month"
]

STATUS: Final[dict[Reason, Status]] = {
    "failed to read": "failed",
    "all clouded": "empty",
    "outside the swath": "empty",
    "polarisation not acquired": "missing",
    "no acquisition in the month": "missing",
}
"""What each means for the channel; the more telling first: of a month with a clouded pass and one beside the chip, cloud is
why there is nothing."""


def most_telling(reasons: Iterable[Reason]) -> Reason:
    """The one that stands for all; without any, that there was no acquisition."""
    found = set(reasons)
    return next((reason for reason in STATUS if reason in found), "no acquisition in the month")
