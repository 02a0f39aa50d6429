"""The chips of a study's areas."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from terrashot.domain.area import Area, cells_in
from terrashot.domain.cells import Cells, centres_deg, footprints
from terrashot.domain.tables import Chips
from terrashot.errors import InputError


def chips_of_areas(areas: Sequence[Area], chip_size_m: float) -> tuple[Chips, tuple[str, ...]]:
    """The chips whose centres the areas hold, area by area in the order of their ids, and what must be said of them.

    A chip that two areas hold belongs to the first one named. Groups and splits are not known yet.

    Raises:
        InputError: an area holds no chip's centre.
    """
    owned: list[Cells] = []
    names: list[str] = []
    notes = []
    for area in areas:
        held = cells_in(area, chip_size_m)
        if not len(held):
            raise InputError(f"area '{area.name}' holds no chip of {chip_size_m:g} m; enlarge it or take smaller chips")
        is_taken = _held_before(held, owned)
        owned.append(held.take(~is_taken))
        names += [area.name] * len(owned[-1])
        if is_taken.any():
            notes.append(f"{is_taken.sum()} chips of area '{area.name}' lie in an area named before it and stay there")
    return _table(owned, chip_size_m, tuple(names)), tuple(notes)


def _held_before(held: Cells, owned: Sequence[Cells]) -> Bool[np.ndarray, " N"]:
    """Which of the chips are there already; none stands twice in either."""
    keys = np.concatenate([np.empty(0, np.int64), *(own.keys for own in owned)])
    found: np.ndarray = np.isin(held.keys, keys, assume_unique=True)
    return found


def _table(owned: Sequence[Cells], chip_size_m: float, area: tuple[str, ...]) -> Chips:
    columns = (np.concatenate([getattr(own, name) for own in owned]) for name in ("epsg", "row", "col"))
    cells = Cells(chip_size_m, *columns)
    lon_deg, lat_deg = centres_deg(cells)
    unknown = (None,) * len(cells)
    return Chips(
        ids=cells.ids,
        area=area,
        group=unknown,
        split=unknown,
        footprint=footprints(cells),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        utm=np.stack([cells.epsg, cells.row, cells.col], axis=1),
    )
