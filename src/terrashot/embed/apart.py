"""Every channel of a chip as a vector of its own: what the missing-data report puts together in other ways."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrashot.domain.channel_vectors import ChannelVectors, ModalityChannels
from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats
from terrashot.domain.tables import Chips
from terrashot.embed.channels import BlockPlan
from terrashot.embed.floors import make_layout
from terrashot.embed.in_parts import KeptVectors
from terrashot.store.chips import ChipStore

MONTH_CHARACTERS = len("2020-01")


@dataclass(frozen=True, slots=True)
class ApartPlan:
    """A plan with a part for each channel of a modality, and what these channels are."""

    block: BlockPlan
    channels: tuple[Channel | None, ...]
    """None: another one in each chip, as a date pair."""
    kinds: tuple[str, ...]


def plan_apart(
    store: ChipStore, modalities: Sequence[str], chip_ids: Sequence[str], stats: ChannelStats
) -> tuple[ApartPlan, ...]:
    """A plan for each modality that any of the chips has; where channels vary, a part for the first, the second, ... of a chip."""
    plans = []
    for modality in modalities:
        layout = make_layout(store, modality, chip_ids, stats=stats)
        if layout is None:
            continue
        if layout.channels:
            names = tuple(channel.name for channel in layout.channels)
            kinds = tuple(channel.kind for channel in layout.channels)
            plans.append(ApartPlan(BlockPlan(modality, "each-date", names), layout.channels, kinds))
        else:
            numbers = tuple(str(number) for number in range(layout.max_channels))
            kind = next(iter(sorted(stats.kinds[modality])))
            nobody = (None,) * len(numbers)
            plans.append(ApartPlan(BlockPlan(modality, "in-order", numbers), nobody, (kind,) * len(numbers)))
    return tuple(plans)


def channel_vectors(kept: KeptVectors, plans: Sequence[ApartPlan], chips: Chips, *, shared: int) -> ChannelVectors:
    """Vectors of every channel of the chips, which are in the order of `kept`; held in memory.

    Args:
        shared: as `TowersConfig.shared`.
    """
    groups = [raw for _, raw in kept.groups()]
    return ChannelVectors(
        chips,
        {
            plan.block.modality: ModalityChannels(
                tuple(None if channel is None else channel.name for channel in plan.channels),
                plan.kinds,
                tuple(map(_month, plan.channels)),
                np.concatenate([raw.parts[plan.block.modality] for raw in groups]),
            )
            for plan in plans
        },
        shared,
    )


def _month(channel: Channel | None) -> str | None:
    """The month of a composite; None of a pair of dates, or where nobody said."""
    if channel is None or channel.first_date is None or channel.second_date is not None:
        return None
    return channel.first_date[:MONTH_CHARACTERS]
