"""By which moments chips are scaled that a model did not train on: those of their channels, and of differences where it sees some."""

from collections.abc import Sequence
from typing import Literal

from terrashot.domain.normalize import ChannelStats
from terrashot.embed.scaling import differences_for, statistics_for
from terrashot.model.checkpoint import Model
from terrashot.steps.progress import Said, Work
from terrashot.store.chips import ChipStore
from terrashot.store.statistics import measure_channels, measure_differences

SEED = 0


def scales_for(
    model: Model, store: ChipStore, chip_ids: Sequence[str], choice: Literal["model", "chips"]
) -> Work[ChannelStats]:
    """The moments to scale these chips with; what must be known of them is said.

    Raises:
        IntegrityError: chips and model state other units.
    """
    own = measure_channels(store, chip_ids, SEED)
    stats, notes = statistics_for(model.stats, own, choice)
    for note in notes:
        yield Said(note)
    if not model.stats.has_differences:
        return stats
    return differences_for(model.stats, measure_differences(store, stats, chip_ids, SEED))
