"""A STAC item of any of the catalogues as our `Acquisition`.

What stands where differs by catalogue and by year (docs/ingest.md, "Catalogues"). Every form that was found in a real item is
read, and what is said twice must agree; what no form says is None.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar, get_args

from terrashot.domain.acquisition import Acquisition, Asset, OrbitDirection
from terrashot.domain.product_names import ProductName, read_product_name
from terrashot.errors import InputError
from terrashot.remote.fields import Fields
from terrashot.remote.stac_asset import Said, asset_of
from terrashot.remote.stac_footprint import footprint_of

LONGEST_ID = 256
NAMES = ("s2:product_uri", "sentinel:product_id", "s1:product_identifier")
TILES = ("grid:code", "s2:mgrs_tile", "sentinel:mgrs")
TILE_PARTS = tuple(
    (f"{prefix}:utm_zone", f"{prefix}:latitude_band", f"{prefix}:grid_square") for prefix in ("mgrs", "sentinel")
)
# Earth Search writes zones of one digit in one digit, the others in two.
TILE = re.compile(r"(?:MGRS-|T)?(\d{1,2})([C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V])", re.ASCII)
BASELINES = ("s2:processing_baseline", "processing:version")
OFFSET_FLAGS = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")
MADE = ("s2:generation_time", "processing:datetime", "s1:processing_datetime")
ORBITS = 175
"""Relative orbits of Sentinel-1; Sentinel-2 has 143."""

Value = TypeVar("Value")


def acquisition_of(item: object, item_assets: Mapping[str, object] | None = None) -> Acquisition:
    """What one item says; `item_assets` of its collection stand in for what its assets do not say.

    Raises:
        InputError: no item, no time, no outline, a field of the wrong form, or two that contradict each other; names item and field.
    """
    whole = _whole(item)
    said = whole.inside("properties")
    if said is None:
        raise whole.wrong("properties", "an object")
    name = _name(whole, said)
    tile, sensed, platform = _tile(said, name), _sensed(said), _platform(said, name)
    return Acquisition(
        id=str(whole.values["id"]),
        collection=whole.text("collection"),
        identity=name.identity or _identity(whole, platform, sensed, tile),
        sensed=sensed,
        footprint=footprint_of(whole),
        assets=_assets(whole, said, Fields(f"{whole.where}: item_assets", item_assets or {})),
        platform=platform,
        instrument_mode=said.text("sar:instrument_mode") or name.instrument_mode,
        orbit_direction=_orbit_direction(said),
        relative_orbit=_agreed(
            said, "sat:relative_orbit", said.whole("sat:relative_orbit", 1, ORBITS), name.relative_orbit
        ),
        tile=tile,
        baseline=_baseline(said, name),
        offset_applied=_first(said.flag(key) for key in OFFSET_FLAGS),
        cloud_percent=_cloud_percent(said),
        made=_first(said.moment(key) for key in MADE),
    )


def _whole(item: object) -> Fields:
    if not isinstance(item, dict):
        raise InputError("a catalogue's item is no JSON object; leave it out")
    identity = Fields("a catalogue's item", item).text("id")
    if identity is None or len(identity) > LONGEST_ID:
        raise InputError(
            f"a catalogue's item: id: a text of at most {LONGEST_ID} characters was expected; leave it out"
        )
    whole = Fields(f"item {identity}", item)
    if whole.text("type") != "Feature":
        raise whole.wrong("type", "'Feature'")
    return whole


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)


def _agreed(said: Fields, key: str, stated: Value | None, named: Value | None) -> Value | None:
    """The one of two that is there, or both where they are the same."""
    if stated is not None and named is not None and stated != named:
        raise said.wrong(key, f"{named}, as the product's name says,")
    return stated if stated is not None else named


def _name(whole: Fields, said: Fields) -> ProductName:
    """What the first name that is one states."""
    names = [read_product_name(text) for text in (*(said.text(key) for key in NAMES), whole.text("id")) if text]
    return next((name for name in names if name.identity), ProductName())


def _sensed(said: Fields) -> datetime:
    # STAC lets `datetime` be null where start and end are there.
    sensed = said.moment("datetime") or said.moment("start_datetime")
    if sensed is None:
        raise said.wrong("datetime", "a time")
    return sensed


def _platform(said: Fields, name: ProductName) -> str | None:
    text = said.text("platform")
    return _agreed(said, "platform", text.lower().replace(" ", "-") if text else None, name.platform)


def _orbit_direction(said: Fields) -> OrbitDirection | None:
    text = said.text("sat:orbit_state")
    if text is None:
        return None
    found: OrbitDirection | None = _first(way for way in get_args(OrbitDirection) if way == text.lower())
    if found is None:
        raise said.wrong("sat:orbit_state", "ascending or descending")
    return found


def _tile(said: Fields, name: ProductName) -> str | None:
    for key in TILES:
        if (text := said.text(key)) is not None and not (key == "grid:code" and not text.startswith("MGRS-")):
            return _agreed(said, key, _tile_in(said, key, text), name.tile)
    for zone_key, *letter_keys in TILE_PARTS:
        parts = [said.text(key) for key in letter_keys]
        if said.values.get(zone_key) is not None and None not in parts:
            text = "".join([str(_zone(said, zone_key)), *map(str, parts)])
            return _agreed(said, letter_keys[1], _tile_in(said, letter_keys[1], text), name.tile)
    return name.tile


def _zone(said: Fields, key: str) -> int:
    # Indigo writes the zone as text, the others as a number.
    value = said.values[key]
    stated: object = int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,2}", value, re.ASCII) else value
    zone = Fields(said.where, {key: stated}).whole(key, 1, 60)
    if zone is None:
        raise said.wrong(key, "a zone from 1 to 60")
    return zone


def _tile_in(said: Fields, key: str, text: str) -> str:
    found = TILE.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= 60:
        raise said.wrong(key, "a square of the military grid, as MGRS-29RKH,")
    return f"{int(found[1]):02}{found[2]}"


def _baseline(said: Fields, name: ProductName) -> str | None:
    for key in BASELINES:
        if (text := said.text(key)) is not None:
            # `processing:version` of radar is the version of a program, of any form.
            if re.fullmatch(r"\d\d\.\d\d", text, re.ASCII):
                return _agreed(said, key, text, name.baseline)
            if key == BASELINES[0]:
                raise said.wrong(key, "a baseline as 05.09")
    return name.baseline


def _cloud_percent(said: Fields) -> float | None:
    percent = said.number("eo:cloud_cover")
    if percent is not None and not 0 <= percent <= 100:
        raise said.wrong("eo:cloud_cover", "a number from 0 to 100")
    return percent


def _identity(whole: Fields, platform: str | None, sensed: datetime, tile: str | None) -> str:
    """Of an item without a product's name; reprocessing moves the time by fractions of a second."""
    if platform and tile:
        return f"{platform}_{sensed:%Y%m%dT%H%M%S}_T{tile}"
    return str(whole.values["id"])


def _assets(whole: Fields, said: Fields, defaults: Fields) -> dict[str, Asset]:
    assets = whole.inside("assets")
    if assets is None:
        raise whole.wrong("assets", "an object")
    found: dict[str, Asset] = {}
    for key in assets.values:
        own, default = assets.inside(key), defaults.inside(key) or Fields(defaults.where, {})
        if own is None:
            raise assets.wrong(key, "an object")
        found[key] = asset_of(Said(own, default, said))
    return found
