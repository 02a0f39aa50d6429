"""Example chips for the report."""

import math
from collections.abc import Sequence

import numpy as np

from terrashot.domain.tables import Chips, Labels
from terrashot.plots.chip_plates import Plate
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel

RGB = (("red", "green", "blue"), ("swir", "nir", "green"))
"""Kinds that make a picture, true colour first."""
MOST = 12
"""Columns of the figure."""


def make_plates(store: ChipStore, chips: Chips, labels: Labels, per_area: int) -> list[Plate]:
    """A few chips of each area, spread over the values of the first numeric label; fewer where there are many areas."""
    areas = list(dict.fromkeys(chips.area))
    count = min(per_area, max(1, MOST // len(areas)))
    rows = [row for area in areas[:MOST] for row in _spread(chips, labels, area, count)]
    return [_plate(store, chips, labels, row) for row in rows]


def _spread(chips: Chips, labels: Labels, area: str, count: int) -> list[int]:
    own = np.flatnonzero(np.array([name == area for name in chips.area]))
    numeric = next((values for values in labels.targets.values() if values.dtype != object), None)
    if numeric is not None:
        own = own[np.argsort(np.nan_to_num(numeric[own]), kind="stable")]
    places = np.linspace(0, len(own) - 1, min(count, len(own))).astype(np.int64)
    return own[places].tolist()


def _plate(store: ChipStore, chips: Chips, labels: Labels, row: int) -> Plate:
    chip_id = chips.ids[row]
    said = [f"{target} {label_text(values[row])}" for target, values in labels.targets.items()]
    images = {modality: chip_image(store, chip_id, modality) for modality in store.modalities}
    return Plate(chip_id, "\n".join([chips.area[row], *said[:2]]), images)


def label_text(value: object) -> str:
    """A label as a person reads it."""
    if isinstance(value, float):
        return "unknown" if math.isnan(value) else f"{value:.2f}"
    return str(value)


def chip_image(store: ChipStore, chip_id: str, modality: str) -> np.ndarray | None:
    """The clearest picture of three known kinds of one date, else the clearest channel; None where nothing is there."""
    there = store.channels(chip_id, modality)
    if not there:
        return None
    shown = next((found for kinds in RGB if (found := _clearest_picture(there, kinds))), [max(there, key=_clear)])
    return store.read(modality, [(chip_id, stored.slot) for stored in shown])


def _clearest_picture(there: Sequence[StoredChannel], kinds: tuple[str, ...]) -> list[StoredChannel]:
    """The first channel of each kind, of the date on which the least clear of them is clearest; nothing if there is none."""
    of_date: dict[str | None, dict[str, StoredChannel]] = {}
    for stored in there:
        of_date.setdefault(stored.channel.first_date, {}).setdefault(stored.channel.kind, stored)
    pictures = [[own[kind] for kind in kinds] for own in of_date.values() if set(kinds) <= set(own)]
    return max(pictures, key=lambda picture: min(map(_clear, picture)), default=[])


def _clear(stored: StoredChannel) -> float:
    return stored.valid_fraction
