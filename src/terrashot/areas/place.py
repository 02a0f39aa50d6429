"""The chips of a study's areas."""

from collections.abc import Sequence

import numpy as np

from terrashot.domain.area import Area, chips_of
from terrashot.domain.grid import Chip, centres_deg, footprints
from terrashot.domain.tables import Chips
from terrashot.errors import InputError


def chips_of_areas(areas: Sequence[Area], chip_size_m: float) -> tuple[Chips, tuple[str, ...]]:
    """The chips whose centres the areas hold, area by area in the order of their ids, and what must be said of them.

    A chip that two areas hold belongs to the first one named. Groups and splits are not known yet.

    Raises:
        InputError: an area holds no chip's centre.
    """
    owner: dict[str, str] = {}
    placed: list[Chip] = []
    notes = []
    for area in areas:
        held = chips_of(area, chip_size_m)
        if not held:
            raise InputError(f"area '{area.name}' holds no chip of {chip_size_m:g} m; enlarge it or take smaller chips")
        new = [chip for chip in held if chip.id not in owner]
        owner.update((chip.id, area.name) for chip in new)
        placed += new
        if len(new) < len(held):
            notes.append(
                f"{len(held) - len(new)} chips of area '{area.name}' lie in an area named before it and stay there"
            )
    return _table(placed, tuple(owner[chip.id] for chip in placed)), tuple(notes)


def _table(placed: list[Chip], area: tuple[str, ...]) -> Chips:
    lon_deg, lat_deg = centres_deg(placed)
    unknown = (None,) * len(placed)
    return Chips(
        ids=tuple(chip.id for chip in placed),
        area=area,
        group=unknown,
        split=unknown,
        footprint=footprints(placed),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        utm=np.array([(chip.epsg, chip.row, chip.col) for chip in placed], dtype=np.int64),
    )
