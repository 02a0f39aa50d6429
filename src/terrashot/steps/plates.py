"""Example chips for the report."""

from collections.abc import Sequence

import numpy as np

from terrashot.domain.tables import Chips, Labels
from terrashot.plots.chip_plates import Plate
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel

RGB = (("red", "green", "blue"), ("swir", "nir", "green"))
"""Kinds that make a picture, true colour first."""


def make_plates(store: ChipStore, chips: Chips, labels: Labels, per_area: int) -> list[Plate]:
    """A few chips of each area, spread over the values of the first numeric label."""
    rows = [row for area in dict.fromkeys(chips.area) for row in _spread(chips, labels, area, per_area)]
    return [_plate(store, chips, labels, row) for row in rows][:12]


def _spread(chips: Chips, labels: Labels, area: str, count: int) -> list[int]:
    own = np.flatnonzero(np.array([name == area for name in chips.area]))
    numeric = next((values for values in labels.targets.values() if values.dtype != object), None)
    if numeric is not None:
        own = own[np.argsort(np.nan_to_num(numeric[own]), kind="stable")]
    places = np.linspace(0, len(own) - 1, min(count, len(own))).astype(np.int64)
    return own[places].tolist()


def _plate(store: ChipStore, chips: Chips, labels: Labels, row: int) -> Plate:
    chip_id = chips.ids[row]
    said = [f"{target} {_value(values[row])}" for target, values in labels.targets.items()]
    images = {modality: _image(store, chip_id, modality) for modality in store.modalities}
    return Plate(chip_id, "\n".join([chips.area[row], *said[:2]]), images)


def _value(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _image(store: ChipStore, chip_id: str, modality: str) -> np.ndarray | None:
    """The first picture of three known kinds, else the first channel; None where nothing is there."""
    there = store.channels(chip_id, modality)
    if not there:
        return None
    slots = next((found for kinds in RGB if (found := _slots(there, kinds))), [there[0].slot])
    return store.read(modality, [(chip_id, slot) for slot in slots])


def _slots(there: Sequence[StoredChannel], kinds: tuple[str, ...]) -> list[int]:
    first = {stored.channel.kind: stored.slot for stored in reversed(there)}
    return [first[kind] for kind in kinds] if all(kind in first for kind in kinds) else []
