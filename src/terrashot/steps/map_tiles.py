"""The reference maps that a study names: what is taken of each, and where its tiles lie."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely

from terrashot.domain.degree_tiles import corner_name
from terrashot.durable.spool import Spool
from terrashot.errors import InputError
from terrashot.ingest.far_files import FarFiles
from terrashot.ingest.near_files import NearFiles
from terrashot.label_sections import MapSection
from terrashot.labels.chip_outlines import Ground, boxes_of, outlines_deg, take
from terrashot.labels.from_maps import ReferenceMap
from terrashot.labels.map_tiles import MapTile, OpenTile
from terrashot.labels.map_values import Taken
from terrashot.raster.place import RasterPlace
from terrashot.remote.address import AddressRules
from terrashot.remote.catalogue import Search, fetch_acquisitions, fetch_item_assets
from terrashot.remote.client import Client
from terrashot.remote.map_profiles import MAP, map_profile_of
from terrashot.remote.profiles import Plane, Profile, plane_of
from terrashot.steps.artefacts import digest_of_states
from terrashot.steps.plan import Context

ALL_TIMES = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
SUFFIXES = (".tif", ".tiff", ".zip")
AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """Targets that are read off one map together."""

    targets: tuple[str, ...]
    sections: tuple[MapSection, ...]
    """Of each target; they differ in what is taken alone."""

    @property
    def first(self) -> MapSection:
        return self.sections[0]

    @property
    def is_far(self) -> bool:
        return self.first.file is None and self.first.folder is None

    @property
    def title(self) -> str:
        """For people."""
        section, product = self.first, self.first.known_product
        what = product.title if product else "a map of your own"
        where = section.file or section.folder or section.url or section.catalogue
        return f"{what} ({where or 'its open bucket'})"


def wanted_maps(context: Context) -> tuple[Wanted, ...]:
    """By map, in the order of their first targets; those of [labels] targets alone."""
    asked = context.config.labels.targets
    together: dict[tuple[object, ...], dict[str, MapSection]] = {}
    for target, section in context.config.labels.maps.items():
        if not asked or target in asked:
            together.setdefault(_source_of(section), {})[target] = section
    return tuple(Wanted(tuple(found), tuple(found.values())) for found in together.values())


def _source_of(section: MapSection) -> tuple[object, ...]:
    """What two sections have in common that are read together: shares of classes are, means are not read with them."""
    where = (section.product, section.file, section.folder, section.catalogue, section.search_url, section.url)
    return (*where, section.band, section.nodata, section.scale, section.offset, section.classes is None)


def reference_map(context: Context, wanted: Wanted, ground: Ground) -> ReferenceMap:
    """The map with the tiles that may lie over the chips; of none a pixel is read.

    Raises:
        InputError: no tile, or one that has no place.
        NetworkError: a catalogue cannot be asked.
    """
    section = wanted.first
    open_tile = _opener(context, section)
    tiles = sorted(_tiles(context, section, ground, open_tile), key=lambda tile: tile.name)
    if not tiles:
        raise InputError(f"[labels.maps.{wanted.targets[0]}]: {wanted.title} has no tile over these chips")
    classes = tuple(each.classes for each in wanted.sections)
    taken = Taken(classes, section.known_product, section.nodata, section.scale, section.offset)
    return ReferenceMap(wanted.title, tuple(tiles), open_tile, section.band, taken)


def map_digests(context: Context) -> Mapping[str, str]:
    """Digests of names, sizes and times of the files of maps on this disk, by map."""
    found = {}
    for wanted in wanted_maps(context):
        if not wanted.is_far:
            found[f"map of {', '.join(wanted.targets)}"] = digest_of_states(_near_paths(context, wanted.first))
    return found


def _near_paths(context: Context, section: MapSection) -> list[Path]:
    if section.file is not None:
        return [context.study.resolve(section.file)]
    assert section.folder is not None, "only maps on this disk have paths"
    folder = context.study.resolve(section.folder)
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)


def _opener(context: Context, section: MapSection) -> OpenTile:
    if section.file is not None or section.folder is not None:
        return NearFiles(context.study.folder)
    hosts = frozenset(context.config.ingest.allowed_hosts)
    signing = _profile(section).signing if section.catalogue is not None else "none"
    return FarFiles(signing, allowed_hosts=hosts, spool=Spool(context.study.fetched_maps))


def _tiles(context: Context, section: MapSection, ground: Ground, open_tile: OpenTile) -> Iterator[MapTile]:
    if section.file is not None or section.folder is not None:
        paths = _near_paths(context, section)
        if not paths:
            raise InputError(f"{section.folder}: no GeoTIFF and no zip file in it")
        yield from (_opened(path.name, str(path), open_tile) for path in paths)
    elif section.catalogue is not None:
        yield from _catalogued(context, section, ground, open_tile)
    elif section.url is not None and section.is_one_file:
        yield _opened(section.url.rsplit("/", 1)[-1], section.url, open_tile)
    else:
        yield from _named(section, ground)


def _opened(name: str, href: str, open_tile: OpenTile) -> MapTile:
    plane = plane_at(href)
    with open_tile(plane) as asset:
        return MapTile(name, plane, asset.header().place)


def plane_at(href: str) -> Plane:
    """A file of which nothing else is said."""
    return Plane(href, 1, None, None, None, None, None, None, None)


def _profile(section: MapSection) -> Profile:
    product = section.known_product
    assert product is not None and section.catalogue is not None, "the study file was checked"
    profile = map_profile_of(product.catalogues[section.catalogue])
    return profile if section.search_url is None else replace(profile, search_url=section.search_url)


def _catalogued(context: Context, section: MapSection, ground: Ground, open_tile: OpenTile) -> Iterator[MapTile]:
    profile = _profile(section)
    with Client(AddressRules(frozenset(context.config.ingest.allowed_hosts))) as client:
        search = Search(_squares(ground), ALL_TIMES)
        found = fetch_acquisitions(profile, search, client, item_assets=fetch_item_assets(profile, client))
    for acquisition in found.acquisitions:
        plane = plane_of(acquisition, profile, MAP)
        if plane is None:
            continue
        if plane.crs is None or plane.transform is None or plane.shape is None:
            yield _opened(acquisition.id, plane.href, open_tile)
        else:
            height_px, width_px = plane.shape
            yield MapTile(acquisition.id, plane, RasterPlace(plane.crs, plane.transform, width_px, height_px))


def _squares(ground: Ground) -> shapely.MultiPolygon:
    """The whole degrees that the chips lie in."""
    lon, lat = _corners_deg(ground)
    squares = np.unique(np.column_stack([np.floor((lon + 180) % 360 - 180), np.floor(np.clip(lat, -90, 89.9))]), axis=0)
    joined = shapely.union_all(shapely.box(*squares.T, *(squares + 1).T))
    return joined if isinstance(joined, shapely.MultiPolygon) else shapely.MultiPolygon([joined])


def _corners_deg(ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of the corners of boxes around all chips."""
    starts = range(0, len(ground), AT_ONCE)
    parts = (take(ground, np.arange(start, min(start + AT_ONCE, len(ground)))) for start in starts)
    boxes = np.concatenate([boxes_of(outlines_deg(part, points_a_side=1)) for part in parts])
    return boxes[:, [0, 2, 2, 0]].ravel(), boxes[:, [1, 1, 3, 3]].ravel()


def _named(section: MapSection, ground: Ground) -> Iterator[MapTile]:
    product = section.known_product
    assert product is not None and product.tiles is not None, "the study file was checked: the product has named tiles"
    named, base = product.tiles, (section.url or product.tiles.bucket).rstrip("/")
    side, pixel = named.side_deg, named.side_deg / named.side_px
    for west, south in named.over(*_corners_deg(ground)):
        path = named.path.format(corner=corner_name(west, south))
        affine = (pixel, 0.0, float(west), 0.0, -pixel, float(south + side))
        place = RasterPlace("EPSG:4326", affine, named.side_px, named.side_px)
        yield MapTile(path.rsplit("/", 1)[-1], plane_at(f"{base}/{path}"), place, may_be_absent=True)
