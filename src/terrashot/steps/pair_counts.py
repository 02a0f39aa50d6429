"""How many pairs of coherence the chips of each area have, by the days between their dates; told by `terrashot status`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from terrashot.domain.tables import Chips, Presence
from terrashot.ingest.pair_source import MODALITY


@dataclass(frozen=True, slots=True)
class AreaPairs:
    """Of one area."""

    counts: tuple[int, ...]
    """Pairs of each chip, fewest first."""
    by_days: Mapping[int, int]
    """Pairs of all chips together, by days between their dates."""

    def as_facts(self) -> dict[str, object]:
        """As JSON holds it."""
        return {
            "chips": len(self.counts), "fewest": self.counts[0], "median": float(np.median(self.counts)),
            "most": self.counts[-1], "by_days": {str(days): count for days, count in self.by_days.items()},
        }  # fmt: skip


def pair_counts(chips: Chips, presence: Presence) -> dict[str, AreaPairs]:
    """By area; empty for a study without a channel of two dates."""
    area_of = dict(zip(chips.ids, chips.area, strict=True))
    is_pair = (presence.modality == MODALITY) & (presence.status == "ok")
    found = [
        (str(chip_id), (date.fromisoformat(later) - date.fromisoformat(earlier)).days)
        for chip_id, earlier, later in zip(
            presence.chip_id[is_pair], presence.first_date[is_pair], presence.second_date[is_pair], strict=True
        )
        if earlier and later and chip_id in area_of
    ]
    if not found:
        return {}
    of_chip = Counter(chip_id for chip_id, _ in found)
    return {area: _of_area(area, area_of, of_chip, found) for area in dict.fromkeys(chips.area)}


def _of_area(
    area: str, area_of: Mapping[str, str], of_chip: Mapping[str, int], found: list[tuple[str, int]]
) -> AreaPairs:
    counts = sorted(of_chip.get(chip_id, 0) for chip_id, own in area_of.items() if own == area)
    by_days = Counter(days for chip_id, days in found if area_of[chip_id] == area)
    return AreaPairs(tuple(counts), dict(sorted(by_days.items())))


def told_pairs(pairs: Mapping[str, AreaPairs]) -> list[str]:
    """Lines for people; none where there are no pairs."""
    if not pairs:
        return []
    return ["", "pairs of coherence:", *(_line(area, found) for area, found in pairs.items())]


def _line(area: str, found: AreaPairs) -> str:
    without = sum(count == 0 for count in found.counts)
    by_days = ", ".join(f"{days} d: {count / len(found.counts):.1f}" for days, count in found.by_days.items())
    none = f"; {without} of {len(found.counts)} chips have none" if without else ""
    return (
        f"  {area}: {found.counts[0]} to {found.counts[-1]} a chip, median {np.median(found.counts):g}{none}; "
        f"a chip has on average by days {by_days or 'none'}"
    )
