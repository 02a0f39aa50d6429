"""Differences of two channels, in spreads, beside the channels that a store has: computed on reading, never stored.

Of one look (one date, or one of several images without dates) they show the relation of two kinds, as an index of
vegetation or of water does; of two looks at one kind, what changed. A tower that sees one channel at a time cannot form them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import BETWEEN, SPREADS, Channel, is_difference
from terrashot.domain.normalize import ChannelStats, scale
from terrashot.domain.tables import Presence
from terrashot.store.chips import MOST_KNOWN, ChipStore
from terrashot.store.layout import LARGEST_COUNT, StoredChannel

BEFORE = f"{BETWEEN}before"
"""Ends the kind of a change: `vv~before` is VV minus VV of the look before."""
FIRST_SLOT = LARGEST_COUNT
"""Of the differences of a chip; beyond the slots of every store."""
MOST_PAIRED = 4
"""Kinds in a look of which each two are subtracted; of more, neighbours alone: hundreds would drown the channels themselves."""
MOST_LOOKS = 3
"""Looks at which changes are taken from one to the next."""
Plain = tuple[int, Channel]
"""Slot and channel of what a store has."""


@dataclass(frozen=True, slots=True)
class ChannelDifference:
    """A channel computed on reading: one channel minus another, each in spreads of its kind."""

    channel: Channel
    minuend: Plain
    subtrahend: Plain


def differences_of(channels: Sequence[Plain]) -> tuple[ChannelDifference, ...]:
    """All differences that these channels of a chip have, of the looks in turn, then the changes; whatever the channels' order."""
    looks = looks_of(channels)
    return (*(one for look in looks for one in within_look(look)), *changes_between(looks))


def looks_of(channels: Sequence[Plain]) -> list[list[Plain]]:
    """The channels of each look by slot, looks by date: those with the same dates, the first of each kind, the second, ..."""
    seen: Counter[tuple[str, str, str]] = Counter()
    looks: dict[tuple[str, str, int], list[Plain]] = defaultdict(list)
    for slot, channel in sorted(channels, key=lambda plain: plain[0]):
        dates = channel.first_date or "", channel.second_date or ""
        looks[*dates, seen[*dates, channel.kind]].append((slot, channel))
        seen[*dates, channel.kind] += 1
    return [looks[key] for key in sorted(looks)]


def within_look(look: Sequence[Plain]) -> Iterator[ChannelDifference]:
    """Of each two kinds of a look, or of neighbours by slot where there are many.

    The kind whose name comes first in the alphabet is the minuend, so that two stores which order their channels otherwise
    do not have differences of opposite signs.
    """
    for pair in combinations(look, 2) if len(look) <= MOST_PAIRED else pairwise(look):
        minuend, subtrahend = sorted(pair, key=lambda plain: plain[1].kind)
        kind = f"{minuend[1].kind}{BETWEEN}{subtrahend[1].kind}"
        dates = minuend[1].first_date, minuend[1].second_date
        yield ChannelDifference(Channel(_name(minuend, subtrahend), kind, SPREADS, *dates), minuend, subtrahend)


def changes_between(looks: Sequence[Sequence[Plain]]) -> Iterator[ChannelDifference]:
    """Of each kind, a look minus the one before that has it; nothing of many looks, nor of channels that are of two dates."""
    if len(looks) > MOST_LOOKS:
        return
    by_kind: dict[str, list[Plain]] = defaultdict(list)
    for plain in (plain for look in looks for plain in look if plain[1].second_date is None):
        by_kind[plain[1].kind].append(plain)
    for kind, found in by_kind.items():
        for before, after in pairwise(found):
            dates = before[1].first_date, after[1].first_date
            yield ChannelDifference(Channel(_name(after, before), kind + BEFORE, SPREADS, *dates), after, before)


def _name(minuend: Plain, subtrahend: Plain) -> str:
    return f"{minuend[1].name}{BETWEEN}{subtrahend[1].name}"


class ChipsWithDifferences:
    """The chips of a store, with differences beside the channels; the images of the channels are the store's own."""

    def __init__(self, store: ChipStore, stats: ChannelStats, *, are_all_wanted: bool) -> None:
        """`stats` scale the channels; differences that they have no moments of are there only if all are wanted."""
        self._store, self._stats, self._are_all_wanted = store, stats, are_all_wanted
        self._known: dict[tuple[str, tuple[Plain, ...]], tuple[ChannelDifference, ...]] = {}
        """By what a chip has, which is the same for most chips of a store."""

    @property
    def chip_ids(self) -> tuple[str, ...]:
        return self._store.chip_ids

    @property
    def modalities(self) -> tuple[str, ...]:
        return self._store.modalities

    @property
    def chip_px(self) -> int:
        return self._store.chip_px

    def presence(self) -> Presence:
        return self._store.presence()

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        """The store's own, then the differences; of which no more can be valid than of the emptier of the two."""
        own = self._store.channels(chip_id, modality)
        share = {stored.slot: stored.valid_fraction for stored in own}
        return own + tuple(
            StoredChannel(FIRST_SLOT + number, one.channel, min(share[one.minuend[0]], share[one.subtrahend[0]]), True)
            for number, one in enumerate(self._differences(modality, own))
        )

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> Float32[np.ndarray, "B H W"]:
        """As the store reads, each of its images once a call."""
        if all(slot < FIRST_SLOT for _, slot in picks):
            return self._store.read(modality, picks)
        parts = [self._parts(modality, chip_id, slot) for chip_id, slot in picks]
        made_from = [(pick[0], *one) for pick, own in zip(picks, parts, strict=True) for one in own]
        wanted = list(dict.fromkeys((chip_id, slot) for chip_id, slot, _ in made_from))
        plain = dict(zip(wanted, self._store.read(modality, wanted), strict=True))
        kinds = {(chip_id, slot): kind for chip_id, slot, kind in made_from if kind is not None}
        scaled = {which: scale(plain[which], self._stats.of(modality, kind)) for which, kind in kinds.items()}
        images = np.empty((len(picks), self.chip_px, self.chip_px), dtype=np.float32)
        for image, (chip_id, slot), own in zip(images, picks, parts, strict=True):
            if len(own) == 1:
                image[:] = plain[chip_id, slot]
            else:
                np.subtract(scaled[chip_id, own[0][0]], scaled[chip_id, own[1][0]], out=image)
        return images

    def _parts(self, modality: str, chip_id: str, slot: int) -> tuple[tuple[int, str | None], ...]:
        """Slots that an image is made from: its own, or two, each with the kind that it is scaled by."""
        if slot < FIRST_SLOT:
            return ((slot, None),)
        own = self._store.channels(chip_id, modality)
        one = self._differences(modality, own)[slot - FIRST_SLOT]
        return (one.minuend[0], one.minuend[1].kind), (one.subtrahend[0], one.subtrahend[1].kind)

    def _differences(self, modality: str, own: Sequence[StoredChannel]) -> tuple[ChannelDifference, ...]:
        known = self._stats.kinds.get(modality, {})
        plain = tuple(
            (stored.slot, stored.channel)
            for stored in own
            if not (stored.is_derived or is_difference(stored.channel.kind)) and stored.channel.kind in known
        )
        if (modality, plain) not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[modality, plain] = tuple(
                one for one in differences_of(plain) if self._are_all_wanted or one.channel.kind in known
            )
        return self._known[modality, plain]


_: type[ChipStore] = ChipsWithDifferences


def with_every_difference(store: ChipStore, stats: ChannelStats) -> ChipStore:
    """The chips with all differences of channels whose kinds `stats` can scale: what their moments are measured on."""
    return ChipsWithDifferences(store, stats, are_all_wanted=True)


def with_differences(store: ChipStore, stats: ChannelStats) -> ChipStore:
    """The chips with the differences that `stats` have moments of; the store itself where they have none."""
    return ChipsWithDifferences(store, stats, are_all_wanted=False) if stats.has_differences else store


def has_many_looks(channels: Sequence[StoredChannel]) -> bool:
    """Whether a chip has more looks than changes are taken between."""
    return len(looks_of([(stored.slot, stored.channel) for stored in channels if not stored.is_derived])) > MOST_LOOKS
