"""`chips.csv` of a chip folder: which chips there are, and what is known of each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from terrashot.domain.tables import ID, SPLIT_NAMES, Chips
from terrashot.errors import InputError
from terrashot.ingest.channel_file import nearest
from terrashot.store.csvfile import BadRows, CsvTable, read_csv, refuse_rows, repeated

COLUMNS = ("id", "area", "split", "lon", "lat", "group")


def read_chips_csv(path: Path) -> tuple[Chips, tuple[str, ...]]:
    """The chips by id, whatever the file's order, and what a person must be told of them.

    Raises:
        InputError: an unknown column, no row, or bad rows: an id not as ids are or twice, no such split or only some
            chips with one, lon or lat alone, no number or no degrees; counts them and names the first.
    """
    table = read_csv(path)
    unknown = [name for name in table.names if name not in COLUMNS]
    if unknown or "id" not in table.names:
        hint = f"; {nearest(unknown[0], COLUMNS)}" if unknown and nearest(unknown[0], COLUMNS) else ""
        raise InputError(
            f"{path}: line 1: columns must be id and any of {', '.join(COLUMNS[1:])}; "
            f"found {', '.join(unknown or table.names)[:120]}{hint}"
        )
    if not table.rows:
        raise InputError(f"{path}: no chip in it; each row after the first names one")
    ids, splits = table.column("id"), _optional(table, "split")
    lon, lat, bad_places = _places(table)
    refuse_rows(path, [*_bad_ids(ids, table.lines), *_bad_splits(splits, table.lines), *bad_places])
    areas = _optional(table, "area")
    has_places = not (np.isnan(lon).all() and np.isnan(lat).all())
    chips = Chips(
        ids=tuple(ids),
        area=tuple(area or "all" for area in areas),
        group=_optional(table, "group"),
        split=splits,
        lon_deg=lon if has_places else None,
        lat_deg=lat if has_places else None,
    )
    return chips.take(sorted(range(len(ids)), key=ids.__getitem__)), _notes(areas)


def _optional(table: CsvTable, name: str) -> tuple[str | None, ...]:
    if name not in table.names:
        return (None,) * len(table.rows)
    return tuple(cell or None for cell in table.column(name))


def _bad_ids(ids: list[str], lines: list[int]) -> BadRows:
    bad = [
        (line, f"id '{chip_id[:40]}' must be 1 to 128 of A-Z a-z 0-9 . _ -" if chip_id else "no id")
        for chip_id, line in zip(ids, lines, strict=True)
        if not ID.fullmatch(chip_id)
    ]
    return bad or repeated(ids, lines)


def _bad_splits(splits: Sequence[str | None], lines: list[int]) -> BadRows:
    bad = [
        (line, f"split '{name[:40]}' is none of {', '.join(SPLIT_NAMES)}; {nearest(name, SPLIT_NAMES)}".rstrip("; "))
        for name, line in zip(splits, lines, strict=True)
        if name is not None and name not in SPLIT_NAMES
    ]
    if bad or not any(splits):
        return bad
    without = (line for name, line in zip(splits, lines, strict=True) if name is None)
    return [(line, "no split, while other chips have one; fill all or none") for line in without]


def _places(table: CsvTable) -> tuple[np.ndarray, np.ndarray, BadRows]:
    """Longitude and latitude with NaN, and the rows where they are wrong."""
    places, bad = np.full((len(table.rows), 2), np.nan), []
    pairs = zip(_optional(table, "lon"), _optional(table, "lat"), table.lines, strict=True)
    for index, (lon, lat, line) in enumerate(pairs):
        if lon is None and lat is None:
            continue
        place = _place(lon, lat)
        if isinstance(place, str):
            bad.append((line, place))
        else:
            places[index] = place
    return places[:, 0].copy(), places[:, 1].copy(), bad


def _place(lon: str | None, lat: str | None) -> tuple[float, float] | str:
    """The two degrees, or what is wrong with them."""
    if lon is None or lat is None:
        return f"lon '{lon or ''}' and lat '{lat or ''}'; give both or none"
    try:
        lon_deg, lat_deg = float(lon), float(lat)
    except ValueError:
        return f"lon '{lon[:40]}' and lat '{lat[:40]}' must both be numbers"
    if not (-180 <= lon_deg <= 180 and -90 <= lat_deg <= 90):
        return f"lon {lon_deg:g}, lat {lat_deg:g} are no degrees; longitude comes first, -180 to 180, then latitude"
    return lon_deg, lat_deg


def _notes(areas: Sequence[str | None]) -> tuple[str, ...]:
    without = sum(area is None for area in areas)
    if without == len(areas):
        return ("chips.csv names no area: all chips are in area 'all'",)
    return (f"chips.csv names no area for {without} of {len(areas)} chips: they are in area 'all'",) if without else ()
