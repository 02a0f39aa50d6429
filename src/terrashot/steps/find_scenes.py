"""The first part of step `ingest` where pixels come from whole scenes: which scenes there are, and how they must be read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from terrashot.domain.tables import Chips
from terrashot.durable.files import make_folder
from terrashot.errors import InputError
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.checked_offset import GUARD_KIND, checked_offset
from terrashot.ingest.look_ahead import LookAhead
from terrashot.ingest.own_product import OPTICAL_UNITS, RADAR_UNITS
from terrashot.ingest.own_scenes import read_own_scenes
from terrashot.ingest.scene_file import Listed, read_collection, read_listed, write_listed
from terrashot.ingest.scene_search import Places, asset_keys, search_month, slimmed
from terrashot.ingest.scene_source import OPTICAL
from terrashot.remote.address import AddressRules
from terrashot.remote.catalogue import fetch_item_assets
from terrashot.remote.client import Client
from terrashot.remote.stac_item import acquisition_of
from terrashot.scene_sections import OpticalSection
from terrashot.steps.plan import Context
from terrashot.steps.progress import Progress, Said, Work
from terrashot.steps.scene_sensors import Sensor, opener, own_digest, scene_path, sensors
from terrashot.store.manifest import digest_of


def find_scenes(context: Context, chips: Chips) -> Work[None]:
    """Writes a file of scenes for each sensor, unless what was asked for was found before.

    Raises:
        NetworkError: a catalogue, or a file by which an offset is checked, is not to be had; what was found is kept.
        InputError: a file of items or a folder of scenes that cannot be used.
    """
    make_folder(context.study.scenes)
    for sensor in sensors(context):
        question = question_of(context, sensor, chips)
        if known_question(context, sensor) == question:
            continue
        listed = yield from list_scenes(context, sensor, chips, question)
        offsets = yield from _offsets(context, sensor, listed)
        write_listed(scene_path(context, sensor), replace(listed, offsets=offsets))
        yield from _told(sensor, listed, offsets)


def list_scenes(context: Context, sensor: Sensor, chips: Chips, question: str) -> Work[Listed]:
    """The sensor's scenes over the chips; of none a pixel is read.

    Raises:
        NetworkError, InputError: as `find_scenes`.
    """
    section = sensor.section
    if section.folder is not None:
        units = OPTICAL_UNITS if sensor.modality == OPTICAL else RADAR_UNITS
        _, items = read_own_scenes(context.study.resolve(section.folder), sensor.recipe.kinds, units)
        return Listed(question, items)
    if section.items is not None:
        listed = _listed_in(context.study.resolve(section.items), question)
        return replace(listed, items=[item for item in listed.items if _is_clear_enough(item, sensor)])
    return (yield from _searched(context, sensor, chips, question))


def _listed_in(path: Path, question: str) -> Listed:
    """The items of a file, each of which is one."""
    listed = Listed(question, tuple(read_collection(path)["features"]))
    try:
        listed.scenes()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return listed


def _searched(context: Context, sensor: Sensor, chips: Chips, question: str) -> Work[Listed]:
    months, areas = sensor.recipe.months, list(places_of(context, chips))
    keys = asset_keys(sensor.product, sensor.recipe.kinds, GUARD_KIND)
    items: dict[str, dict[str, Any]] = {}
    refused: dict[str, None] = {}
    with Client(AddressRules(frozenset(context.config.ingest.allowed_hosts))) as client:
        item_assets = fetch_item_assets(sensor.product, client)
        for done, (places, month) in enumerate(((p, m) for p in areas for m in months), start=1):
            found = search_month(
                sensor.product, places.boxes(), month, _most_cloud_percent(sensor), item_assets, client
            )
            items |= {str(item["id"]): slimmed(item, keys) for item in found.items if _is_clear_enough(item, sensor)}
            refused |= dict.fromkeys(found.refused)
            yield Progress("search", done, len(areas) * len(months), f"{sensor.modality}: {len(items)} scenes")
    kept = {key: told for key, told in item_assets.items() if key in keys}
    return Listed(question, tuple(items[key] for key in sorted(items)), kept, tuple(refused))


def _most_cloud_percent(sensor: Sensor) -> float:
    return sensor.section.max_cloud_percent if isinstance(sensor.section, OpticalSection) else 100.0


def _is_clear_enough(item: Mapping[str, Any], sensor: Sensor) -> bool:
    """Asked of each item too: a file of items was not searched, and some catalogues pass over what they are asked for."""
    cloud_percent = acquisition_of(item).cloud_percent
    return cloud_percent is None or cloud_percent <= _most_cloud_percent(sensor)


def places_of(context: Context, chips: Chips) -> Iterator[Places]:
    """Where the chips of each area lie."""
    assert chips.lon_deg is not None and chips.lat_deg is not None, "chips of our own grid have places"
    grid = context.config.grid
    reach_m = grid.chip_px * grid.pixel_m * 2**0.5 / 2
    for area in dict.fromkeys(chips.area):
        rows = np.array([own == area for own in chips.area])
        yield Places(chips.lon_deg[rows], chips.lat_deg[rows], reach_m)


def _offsets(context: Context, sensor: Sensor, listed: Listed) -> Work[Mapping[str, Offset | str]]:
    """What is subtracted from each scene's numbers, or why that cannot be known."""
    if sensor.product.offset_rule is None:
        return {}
    open_plane, readers = opener(context, sensor), context.config.ingest.readers
    acquisitions = {found.id: found for found in (acquisition_of(i, listed.item_assets) for i in listed.items)}

    def check(acquisition_id: str) -> Offset | str:
        try:
            return checked_offset(acquisitions[acquisition_id], sensor.product, open_plane)
        except InputError as error:
            return str(error)

    found: dict[str, Offset | str] = {}
    with LookAhead(check, list(acquisitions), readers) as checked:
        for done, acquisition_id in enumerate(acquisitions, start=1):
            found[acquisition_id] = checked(acquisition_id)
            yield Progress("offsets", done, len(acquisitions), sensor.modality)
    return found


def question_of(context: Context, sensor: Sensor, chips: Chips) -> str:
    """Digest of all that decides which scenes are found and how they are read; another catalogue's newest scenes do not."""
    section = sensor.section
    asked = [section.model_dump(mode="json"), sensor.recipe.months, own_digest(context, section)]
    is_own = section.folder is not None or section.items is not None
    places = [] if is_own else [[area.boxes().wkt, area.reach_m] for area in places_of(context, chips)]
    return digest_of([*asked, places])


def known_question(context: Context, sensor: Sensor) -> str | None:
    """What the sensor's scenes, if they were found before, are the answer to."""
    path = scene_path(context, sensor)
    return read_listed(path).question if path.is_file() else None


def _told(sensor: Sensor, listed: Listed, offsets: Mapping[str, Offset | str]) -> Iterator[Said]:
    """What a person must know of the scenes."""
    yield Said(
        f"{sensor.modality}: {len(listed.items)} scenes of {sensor.product.collection} ({sensor.product.catalogue})"
    )
    if listed.refused:
        yield Said(f"{len(listed.refused)} items were left out, the first: {listed.refused[0]}")
    faults = [found for found in offsets.values() if isinstance(found, str)]
    if faults:
        yield Said(f"{len(faults)} scenes cannot be read and fail their months, the first: {faults[0]}")
    against = [found for found in offsets.values() if isinstance(found, Offset) and "applied already" in found.note]
    if against:
        yield Said(f"{len(against)} scenes were shifted by 1000 already, whatever their items say: {against[0].note}")
