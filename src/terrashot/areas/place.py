"""The chips of a study's areas."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from terrashot.domain.area import Area, cells_in
from terrashot.domain.cells import Cells, centres_deg, footprints
from terrashot.domain.hilbert import hilbert_distances
from terrashot.domain.tables import Chips
from terrashot.errors import InputError


def chips_of_areas(areas: Sequence[Area], chip_size_m: float) -> tuple[Chips, tuple[str, ...]]:
    """The chips whose centres the areas hold, along a Hilbert curve over the Earth, and what must be said of them.

    A chip that two areas hold belongs to the first one named. Groups and splits are not known yet.

    Raises:
        InputError: an area holds no chip's centre.
    """
    owned: list[Cells] = []
    notes = []
    for area in areas:
        held = cells_in(area, chip_size_m)
        if not len(held):
            raise InputError(f"area '{area.name}' holds no chip of {chip_size_m:g} m; enlarge it or take smaller chips")
        is_taken = _held_before(held, owned)
        owned.append(held.take(~is_taken))
        if is_taken.any():
            notes.append(f"{is_taken.sum()} chips of area '{area.name}' lie in an area named before it and stay there")
    return _table(owned, chip_size_m, [area.name for area in areas]), tuple(notes)


def _held_before(held: Cells, owned: Sequence[Cells]) -> Bool[np.ndarray, " N"]:
    """Which of the chips are there already; none stands twice in either."""
    keys = np.concatenate([np.empty(0, np.int64), *(own.keys for own in owned)])
    found: np.ndarray = np.isin(held.keys, keys, assume_unique=True)
    return found


def _table(owned: Sequence[Cells], chip_size_m: float, names: Sequence[str]) -> Chips:
    columns = (np.concatenate([getattr(own, name) for own in owned]) for name in ("epsg", "row", "col"))
    cells = Cells(chip_size_m, *columns)
    lon_deg, lat_deg = centres_deg(cells)
    # Before anything is made of them: outlines in their final order lie side by side in memory, and are read twice as fast.
    order = np.lexsort((cells.keys, hilbert_distances(lon_deg, lat_deg)))
    cells, of_area = cells.take(order), np.repeat(np.arange(len(owned)), [len(own) for own in owned])[order]
    unknown = (None,) * len(cells)
    return Chips(
        ids=cells.ids,
        area=tuple(map(names.__getitem__, of_area.tolist())),
        group=unknown,
        split=unknown,
        footprint=footprints(cells),
        lon_deg=lon_deg[order],
        lat_deg=lat_deg[order],
        utm=np.stack([cells.epsg, cells.row, cells.col], axis=1),
    )
