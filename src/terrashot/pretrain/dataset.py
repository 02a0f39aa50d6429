"""Random present channels of each modality of each chip.

Every draw depends on the seed, the epoch and the chip's id alone, so that a resumed run sees what an uninterrupted one
does, whatever the batch or the number of processes.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from terrashot.domain.normalize import ChannelStats
from terrashot.pretrain.augment import N_SYMMETRIES, PatchShow, lay_into
from terrashot.pretrain.settings import Shuffle
from terrashot.pretrain.view_plan import KNOWN_SHARE, ViewPlan, windows
from terrashot.pretrain.views import Views
from terrashot.store.chips import ChipStore
from terrashot.store.layout import MOST_SHARD_CHIPS, StoredChannel

RUN_CHIPS = MOST_SHARD_CHIPS
"""Neighbours in the store that a shuffle of shards moves together: one shard, or a few where chips are large."""
WINDOW_RUNS = 8
"""Runs whose chips are mixed; their shards fit into those that a reader holds open, up to 36 channels of 448 px."""
PIXELS_AT_ONCE = 1 << 18
"""Of a modality, read in one call: one chip of 448 px, or many small ones, so that they stay in the cache until laid
into the batch."""

Slots = tuple[tuple[int, str], ...]
"""Slot and kind of each channel that can be drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelDraws:
    """Chips of which a step can show two views, and their present channels."""

    store: ChipStore
    stats: ChannelStats
    modalities: tuple[str, ...]
    slots: Mapping[str, tuple[Slots, ...]]
    """By chip, in the order of `modalities`; chips with the same channels share one value."""
    n_skipped: int
    """Chips left out because no two views of them can be shown."""
    seed: int
    digest: str
    """Of the channels of all chips, left out or not."""
    plan: ViewPlan = field(default_factory=ViewPlan)

    @property
    def chip_ids(self) -> tuple[str, ...]:
        return tuple(self.slots)

    def has(self, chip_id: str, modality: str) -> bool:
        """Whether a channel of this modality can be drawn."""
        return self.n_channels(chip_id, modality) > 0

    def n_channels(self, chip_id: str, modality: str) -> int:
        """How many channels of this modality can be drawn."""
        return len(self.slots[chip_id][self.modalities.index(modality)])

    def contents(self) -> list[Any]:
        """What there is to draw from, as JSON: the same for the same channels of the same chips, in any order."""
        return [len(self.slots) + self.n_skipped, self.digest]

    def order(self, draw: str, shuffle: Shuffle = "chips") -> list[str]:
        """The chips in random order, whatever order they were listed in; `draw` is as for `views`.

        Args:
            shuffle: "chips" puts any chip anywhere. "shards" puts runs of neighbours in the store in random order and
                mixes the chips of 8 runs at a time, so that few shards are read from at once.
        """
        if shuffle == "chips":
            return self._shuffled(self.slots, draw)
        runs = self._runs()
        first = sorted(runs, key=lambda run: _number(self.seed, draw, f"{run}", "run"))
        windows = (first[start : start + WINDOW_RUNS] for start in range(0, len(first), WINDOW_RUNS))
        return [
            chip_id
            for window in windows
            for chip_id in self._shuffled([chip_id for run in window for chip_id in runs[run]], draw)
        ]

    def _shuffled(self, chip_ids: Iterable[str], draw: str) -> list[str]:
        return sorted(chip_ids, key=lambda chip_id: (_number(self.seed, draw, chip_id, "order"), chip_id))

    def _runs(self) -> dict[int, list[str]]:
        runs: dict[int, list[str]] = defaultdict(list)
        for place, chip_id in enumerate(self.store.chip_ids):
            if chip_id in self.slots:
                runs[place // RUN_CHIPS].append(chip_id)
        return runs

    def views(
        self, chip_ids: Sequence[str], draw: str, *, augment: bool, patches: PatchShow | None = None, step: str = ""
    ) -> Views:
        """The batch of these chips; `draw` names the epoch, or the one fixed draw of validation.

        Args:
            step: what the size of the window follows from; the same for all parts of a batch.
        """
        side_px = self.window_px(draw, step) if augment else self.store.chip_px
        found = {
            view: self._view(view, modality, chip_ids, draw, augment=augment, side_px=side_px)
            for modality in self.modalities
            for view in self.plan.views_of(modality)
        }
        kept = None if patches is None else self._kept(found, chip_ids, draw, patches)
        pixels, present, kinds = (
            {view: torch.from_numpy(getattr(own, name)) for view, own in found.items()}
            for name in ("pixels", "present", "kinds")
        )
        return Views(tuple(chip_ids), pixels, present, kinds, kept)

    def window_px(self, draw: str, step: str) -> int:
        """Side of the window that a step shows of its chips."""
        sides = self.plan.sides_px(self.store.chip_px)
        return sides[_number(self.seed, draw, step, "window") % len(sides)]

    def _kept(self, views: Iterable[str], chip_ids: Sequence[str], draw: str, patches: PatchShow) -> dict[str, Tensor]:
        """The same in all views that lie the same way. Else each view's own: which patches are left tells a chip from all
        others, since those at the edge look their part, and a contrast would learn that and nothing more."""
        keys = {view: "patches" if self.plan.is_turned_together else f"patches {view}" for view in views}
        numbers = {key: [_number(self.seed, draw, chip_id, key) for chip_id in chip_ids] for key in {*keys.values()}}
        kept = {key: torch.from_numpy(patches.kept(np.array(own, dtype=np.uint64))) for key, own in numbers.items()}
        return {view: kept[key] for view, key in keys.items()}

    def _view(
        self, view: str, modality: str, chip_ids: Sequence[str], draw: str, *, augment: bool, side_px: int
    ) -> "_View":
        is_turned = augment and self.plan.turns
        key = "turn" if self.plan.is_turned_together else f"turn {view}"
        turns = [_number(self.seed, draw, chip_id, key) % N_SYMMETRIES if is_turned else 0 for chip_id in chip_ids]
        picked = self._picked(view, modality, chip_ids, draw)
        batch, present = self._laid(modality, chip_ids, picked, turns)
        kinds = self._told(view, modality, chip_ids, draw, picked=picked, augment=augment)
        if side_px < self.store.chip_px:
            numbers = [_number(self.seed, draw, chip_id, f"window {view}") for chip_id in chip_ids]
            batch = windows(batch, side_px, np.array(numbers, dtype=np.uint64))
            # A window may lie where a chip has no data: all zeros.
            present &= batch.any(axis=(1, 2, 3))
        return _View(batch, present, kinds)

    def _laid(
        self, modality: str, chip_ids: Sequence[str], picked: "Picked", turns: Sequence[int]
    ) -> tuple[Float32[np.ndarray, "B 1 H W"], Bool[np.ndarray, " B"]]:
        side_px = self.store.chip_px
        batch = np.empty((len(chip_ids), 1, side_px, side_px), dtype=np.float32)
        present = np.zeros(len(chip_ids), dtype=np.bool_)
        at_once = max(1, PIXELS_AT_ONCE // side_px**2)
        for start in range(0, len(picked), at_once):
            part = picked[start : start + at_once]
            raw = self.store.read(modality, [(chip_ids[row], slot) for row, slot, _ in part])
            for image, (row, _, kind) in zip(raw, part, strict=True):
                present[row] = lay_into(batch[row, 0], image, self.stats.of(modality, kind), turns[row])
        batch[~present] = 0
        return batch, present

    def _picked(self, view: str, modality: str, chip_ids: Sequence[str], draw: str) -> "Picked":
        """Row, slot and kind of the channel drawn for each chip that has one."""
        place, number = self.modalities.index(modality), self.plan.views_of(modality).index(view)
        picked = []
        for row, chip_id in enumerate(chip_ids):
            found = self.slots[chip_id][place]
            # The second view of a lone channel would be the first again, but for its window.
            if found and (number == 0 or len(found) > 1 or self.plan.crop < 1):
                first = _number(self.seed, draw, chip_id, modality) % len(found)
                picked.append((row, *found[(first + self._step(chip_id, draw, view, number, len(found))) % len(found)]))
        return picked

    def _step(self, chip_id: str, draw: str, view: str, number: int, n_channels: int) -> int:
        """How far the channel of a view is from the first view's, so that it is another where there are others."""
        if number == 0 or n_channels == 1:
            return 0
        return 1 + _number(self.seed, draw, chip_id, view) % (n_channels - 1)

    def _told(
        self, view: str, modality: str, chip_ids: Sequence[str], draw: str, *,
        picked: "Picked", augment: bool,
    ) -> Int64[np.ndarray, " B"]:  # fmt: skip
        """Numbers of the kinds, in training now and then that of an unknown one."""
        told = np.full(len(chip_ids), len(self.plan.kinds.get(modality, ())), dtype=np.int64)
        for row, _, kind in picked:
            if not augment or _number(self.seed, draw, chip_ids[row], f"kind {view}") % KNOWN_SHARE:
                told[row] = self.plan.kind_number(modality, kind)
        return told


Picked = list[tuple[int, int, str]]
"""Row, slot and kind."""


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """One view of a batch."""

    pixels: Float32[np.ndarray, "B 1 h w"]
    present: Bool[np.ndarray, " B"]
    kinds: Int64[np.ndarray, " B"]


def make_draws(
    store: ChipStore, stats: ChannelStats, chip_ids: Sequence[str], seed: int, plan: ViewPlan | None = None
) -> ChannelDraws:
    """Draws over these chips; those of which no two views can be shown are left out and counted."""
    plan = plan or ViewPlan()
    slots: dict[str, tuple[Slots, ...]] = {}
    # Values of their own for each chip would take gigabytes for a million chips.
    known: dict[Slots, Slots] = {}
    known_chips: dict[tuple[Slots, ...], tuple[Slots, ...]] = {}
    total = 0
    for chip_id in chip_ids:
        usable = {name: _usable(store.channels(chip_id, name), stats, name) for name in store.modalities}
        # A sum, so that it is the same in any order.
        total += _digest(chip_id, usable)
        if _n_views(usable, plan) >= 2:
            found = tuple(known.setdefault(drawn, drawn) for drawn in map(_slots, usable.values()))
            slots[chip_id] = known_chips.setdefault(found, found)
    digest = f"{total % (1 << 256):064x}"
    return ChannelDraws(store, stats, tuple(store.modalities), slots, len(chip_ids) - len(slots), seed, digest, plan)


def _n_views(usable: Mapping[str, Sequence[StoredChannel]], plan: ViewPlan) -> int:
    """Views of a chip that differ; of a lone channel one, for two windows of it tell little."""
    return sum(min(len(own), plan.per_modality) for own in usable.values())


def _usable(there: Sequence[StoredChannel], stats: ChannelStats, modality: str) -> list[StoredChannel]:
    known = stats.kinds.get(modality, {})
    return [stored for stored in there if stored.valid_fraction > 0 and stored.channel.kind in known]


def _slots(channels: Sequence[StoredChannel]) -> Slots:
    return tuple((stored.slot, stored.channel.kind) for stored in channels)


def _digest(chip_id: str, usable: Mapping[str, Sequence[StoredChannel]]) -> int:
    named = {m: [(s.slot, s.channel.name, s.channel.kind) for s in channels] for m, channels in usable.items()}
    return int.from_bytes(hashlib.sha256(json.dumps([chip_id, named], sort_keys=True).encode()).digest(), "little")


def _number(seed: int, *names: str) -> int:
    digest = hashlib.blake2b("/".join((str(seed), *names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def batches(chip_ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Runs of `size` chips; a last run of one chip, which has no negative, joins the run before."""
    starts = list(range(0, len(chip_ids), size))
    if len(starts) > 1 and len(chip_ids) - starts[-1] < 2:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(chip_ids)], strict=True):
        yield chip_ids[start:end]
