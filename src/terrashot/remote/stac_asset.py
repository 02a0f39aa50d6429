"""One asset of a STAC item, in the forms of STAC 1.0 and 1.1 and all that mix them.

STAC 1.0: `raster:bands` and `eo:bands`, two lists; `proj:epsg`. STAC 1.1: `bands`, one list, or the same fields on the asset where it
has one band; `raster:scale` beside plain `nodata` and `data_type`; `proj:code`. stactools writes 1.1 with the lists of 1.0. A
collection's `item_assets` stand in for what an asset does not say.
"""

import math
from dataclasses import dataclass

from terrashot.domain.acquisition import Asset, Band, Transform
from terrashot.remote.fields import Fields

BAND_LISTS = ("bands", "raster:bands", "eo:bands")
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""How the raster extension spells no-data values that JSON cannot."""


@dataclass(frozen=True, slots=True)
class Said:
    """All places where something may be said of an asset, the nearest first."""

    own: Fields
    default: Fields
    """Of the collection's `item_assets`."""
    item: Fields
    """The item's properties, which hold for all its assets; only of the projection's fields."""


def asset_of(said: Said) -> Asset:
    """The asset as our value.

    Raises:
        InputError: no address, or a field of the wrong form.
    """
    href = said.own.text("href")
    if href is None:
        raise said.own.wrong("href", "an address")
    return Asset(
        href=href,
        media_type=said.own.text("type") or said.default.text("type"),
        alternates=_alternates(said.own),
        gsd_m=_gsd_m(said),
        crs=_crs(said.own) or _crs(said.item),
        transform=_transform(said.own) or _transform(said.item),
        shape=_shape(said.own) or _shape(said.item),
        bands=_bands(said),
    )


def _gsd_m(said: Said) -> float | None:
    first_bands = [
        entries[0] for place in (said.own, said.default) for entries in [place.each("raster:bands")] if entries
    ]
    gsd_m = _number([said.own, said.default, *first_bands], "gsd", "raster:spatial_resolution", "spatial_resolution")
    if gsd_m is not None and gsd_m <= 0:
        raise said.own.wrong("gsd", "a size above 0")
    return gsd_m


def _alternates(asset: Fields) -> tuple[tuple[str, str], ...]:
    ways = asset.inside("alternate")
    if ways is None:
        return ()
    inside = {name: ways.inside(name) for name in sorted(ways.values)}
    found = [(name, way.text("href")) for name, way in inside.items() if way is not None]
    return tuple((name, href) for name, href in found if href is not None)


def _crs(place: Fields) -> str | None:
    if code := place.text("proj:code"):
        return code.upper()
    number = place.whole("proj:epsg", 1, 1_000_000)
    return f"EPSG:{number}" if number is not None else None


def _transform(place: Fields) -> Transform | None:
    numbers = place.numbers("proj:transform", (6, 9))
    if numbers is None:
        return None
    a, b, c, d, e, f = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
    spread, last_row = a * e - b * d, numbers[6:] or (0.0, 0.0, 1.0)
    if last_row != (0.0, 0.0, 1.0) or spread == 0 or not math.isfinite(spread):
        raise place.wrong("proj:transform", "an affine transform that can be inverted")
    return a, b, c, d, e, f


def _shape(place: Fields) -> tuple[int, int] | None:
    sides = place.numbers("proj:shape", (2,))
    if sides is None:
        return None
    rows, cols = int(sides[0]), int(sides[1])
    if list(sides) != [rows, cols] or min(rows, cols) < 1 or max(rows, cols) > 1 << 31:
        raise place.wrong("proj:shape", "rows and columns")
    return rows, cols


def _bands(said: Said) -> tuple[Band, ...]:
    """One a band of the file. Lists of another length than the first are of no use: which entry is which is unknown."""
    places = (said.own, said.default)
    lists = [found for place in places for key in BAND_LISTS if (found := place.each(key))]
    count = len(lists[0]) if lists else int(any(_says_something(place) for place in places))
    fitting = [entries for entries in lists if len(entries) == count]
    return tuple(_band(index, [*(entries[index] for entries in fitting), *places]) for index in range(count))


def _says_something(asset: Fields) -> bool:
    keys = ("nodata", "data_type", "raster:scale", "raster:offset")
    return any(asset.values.get(key) is not None for key in keys)


def _band(index: int, places: list[Fields]) -> Band:
    return Band(
        index=index + 1,
        name=_text(places, "name"),
        common_name=_text(places, "eo:common_name", "common_name"),
        nodata=_nodata(places),
        dtype=_text(places, "data_type"),
        scale=_number(places, "raster:scale", "scale"),
        offset=_number(places, "raster:offset", "offset"),
    )


def _text(places: list[Fields], *keys: str) -> str | None:
    return next((text for place in places for key in keys if (text := place.text(key)) is not None), None)


def _number(places: list[Fields], *keys: str) -> float | None:
    return next((number for place in places for key in keys if (number := place.number(key)) is not None), None)


def _nodata(places: list[Fields]) -> float | None:
    for place in places:
        value = place.values.get("nodata")
        if isinstance(value, str) and value.lower() in NOT_FINITE:
            return NOT_FINITE[value.lower()]
        if value is not None:
            return place.number("nodata")
    return None
