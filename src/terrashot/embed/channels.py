"""Which channels of a chip go into its vector, and into which part of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from terrashot.domain.normalize import ChannelStats
from terrashot.embed.floors import make_layout
from terrashot.errors import UsageError
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel

ChannelPolicy = Literal["mean", "random", "each", "each-date"] | tuple[str, ...]
"""`mean` over all present channels; `random`, one of them (the paper's); `each`, a part for each kind of channel, the mean
over its dates; `each-date`, a part for each channel; a tuple of names, the mean over the channels of these names or kinds."""
POLICIES = ("mean", "random", "each", "each-date")
WHOLE = ""
"""Name of the only part of a vector that is not made of parts."""


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """What the vectors of one modality are made of."""

    modality: str
    policy: ChannelPolicy | Literal["in-order"]
    """`in-order`: a part for the first channel, the second, ... that a chip has, whatever they are called."""
    parts: tuple[str, ...]
    """Kinds of channels, or channels, in the vector's order; `WHOLE` alone where there are no parts."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the parts; none where the vector is one."""
        return () if self.parts == (WHOLE,) else self.parts

    def chosen(self, there: Sequence[StoredChannel], key: str) -> list[tuple[int, StoredChannel]]:
        """Part and channel of every image that goes in.

        Args:
            key: what the random choice follows from: seed, chip and modality.
        """
        usable = [stored for stored in there if stored.valid_fraction > 0]
        if self.policy == "random" and usable:
            number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
            # By name, so that the order in which a chip's channels came does not choose.
            return [(0, sorted(usable, key=lambda stored: stored.channel.name)[number % len(usable)])]
        if self.policy == "in-order":
            return list(enumerate(usable))[: len(self.parts)]
        found = [(self._part(stored), stored) for stored in usable]
        return [(part, stored) for part, stored in found if part is not None]

    def _part(self, stored: StoredChannel) -> int | None:
        names = (stored.channel.name, stored.channel.kind)
        if isinstance(self.policy, tuple):
            return 0 if set(names) & set(self.policy) else None
        if self.parts == (WHOLE,):
            return 0
        return next((self.parts.index(name) for name in names if name in self.parts), None)


def plan_blocks(
    store: ChipStore, modalities: Sequence[str], policy: ChannelPolicy, *, train_ids: Sequence[str], stats: ChannelStats
) -> tuple[BlockPlan, ...]:
    """A plan for each modality; one without any of the named channels has none.

    Where channels vary from chip to chip, as date pairs do, `each-date` cannot name them and is as `each`.

    Args:
        train_ids: chips that tell which channels there are.

    Raises:
        UsageError: a name that no channel has.
    """
    if isinstance(policy, tuple):
        return _named(store, modalities, policy, train_ids)
    plans = []
    for modality in modalities:
        parts: tuple[str, ...] = (WHOLE,)
        if policy in ("each", "each-date"):
            layout = make_layout(store, modality, train_ids, stats=stats)
            kinds = dict.fromkeys(channel.kind for channel in layout.channels) if layout else {}
            dated = tuple(channel.name for channel in layout.channels) if layout and policy == "each-date" else ()
            parts = dated or tuple(kinds) or tuple(sorted(stats.kinds.get(modality, {}))) or parts
        plans.append(BlockPlan(modality, policy, parts))
    return tuple(plans)


def _named(
    store: ChipStore, modalities: Sequence[str], names: tuple[str, ...], train_ids: Sequence[str]
) -> tuple[BlockPlan, ...]:
    known = {
        modality: {
            name for chip_id in train_ids for stored in store.channels(chip_id, modality)
            for name in (stored.channel.name, stored.channel.kind)
        }
        for modality in modalities
    }  # fmt: skip
    there = set().union(*known.values())
    for name in names:
        if name not in there:
            raise UsageError(
                f"--channels {name}: no channel of this name or kind; there are {', '.join(sorted(there))}"
            )
    return tuple(
        BlockPlan(modality, names, (WHOLE,)) for modality in modalities if known[modality] & set(names)
    )  # fmt: skip
