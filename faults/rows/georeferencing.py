"""Scenes anywhere on the globe, in any coordinate system, and with a wrong one: where they should be to half a pixel, or refused."""

import functools
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyproj
from rasterio.errors import NotGeoreferencedWarning

from faults.lattices import GLOBE, SIDE_PX, Affine, Raster, around, chip_at, off_px, write_field, zone_beside
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.scenes import scene_file
from terrashot.domain.grid import Chip
from terrashot.domain.modality import Imagery
from terrashot.errors import InputError
from terrashot.ingest.near_files import NearFiles
from terrashot.ingest.own_product import OPTICAL_UNITS
from terrashot.ingest.own_scenes import read_own_scenes
from terrashot.ingest.scene_source import Recipe, SceneSource

PLACES = {
    "the middle of a zone": (9.0, 48.0),
    "a zone's west edge": (6.0, 45.0),
    "a zone's east edge": (11.9999, 45.0),
    "west of the antimeridian": (179.99, 66.0),
    "east of the antimeridian": (-179.99, -16.5),
    "on the antimeridian": (-180.0, 71.0),
    "north of the equator": (0.0, 0.01),
    "south of the equator": (12.0001, -0.01),
    "Norway": (5.9, 60.4),
    "Norway's west edge": (3.01, 60.0),
    "Svalbard": (20.0, 78.2),
    "Svalbard's east": (33.1, 79.0),
    "the far south": (-69.0, -54.9),
    "80 S": (0.0, -79.9),
    "84 N": (30.0, 83.9),
    "Kansas": (-101.0, 38.0),
    "Sydney": (151.0, -33.8),
}
OTHER_SYSTEMS = {
    **dict.fromkeys(("EPSG:3035", "EPSG:2056", "EPSG:3857", "EPSG:4258", "EPSG:6933"), (8.2, 46.9)),
    "EPSG:2263": (-74.0, 40.7),
    "EPSG:3413": (30.0, 83.5),
    "EPSG:3031": (10.0, -79.0),
    "EPSG:32733": (14.0, 3.0),
    "EPSG:5069": (-101.0, 38.0),
}
"""With a place where each is used: north written first, feet, polar, of the other hemisphere, of equal area."""


def _ring(west: float, east: float) -> list[list[float]]:
    return [[west, -17.0], [east, -17.0], [east, -16.0], [west, -16.0], [west, -17.0]]


OUTLINES = {
    "cut in two": {"type": "MultiPolygon", "coordinates": [[_ring(179.0, 180.0)], [_ring(-180.0, -179.0)]]},
    "not cut": {"type": "Polygon", "coordinates": [_ring(179.0, -179.0)]},
    "beyond 180": {"type": "Polygon", "coordinates": [_ring(179.0, 181.0)]},
}
PIXELS_M, TURNS_DEG = (3.0, 8.0, 10.0, 20.0, 27.0), (0.0, 0.0, 17.0, 45.0, 90.0, 133.0, -8.0)
SOAK = 10_000
MOST_PX = 0.5
NAME = "scene_2020-01-15.tif"
ABSENT = ("no acquisition in the month", "outside the swath")


@dataclass(frozen=True, slots=True)
class Placed:
    """A raster, and a chip that is to be made of it."""

    chip: Chip
    raster: Raster
    pixel_m: float = 10.0
    may_show: bool = True
    """False: what the file says of its place is wrong, so that nothing of it may be shown of this chip."""


def cases(soak: bool, seed: int) -> Iterator[Case]:
    rng = np.random.default_rng([seed, 13])
    for name, placed in [
        *_everywhere(rng),
        *_other_systems(),
        *_wrong(),
        *(_drawn(rng, n) for n in range(SOAK if soak else 0)),
    ]:
        yield Case(name, functools.partial(_run, placed=placed))
    for zones_east in (-1, 0):
        yield Case(
            f"one raster for both zones of a seam, {zones_east}", functools.partial(_both_zones, zones_east=zones_east)
        )
    for told, outline in OUTLINES.items():
        yield Case(
            f"an item's outline across the antimeridian, {told}", functools.partial(_item, change={"geometry": outline})
        )
    other = {"datetime": "2020-01-15T12:00:00Z", "proj:epsg": 32633, "proj:transform": [10, 0, 0, 0, -10, 0]}
    yield Case("an item that tells another place than its file", functools.partial(_item, change={"properties": other}))


def _everywhere(rng: np.random.Generator) -> Iterator[tuple[str, Placed]]:
    """Each place in its own zone, in those beside it and in degrees."""
    for where, (lon, lat) in PLACES.items():
        chip = chip_at(lon, lat)
        for what, crs in (
            ("its zone", zone_beside(chip, 0)),
            ("the zone beside", zone_beside(chip, int(rng.choice([-1, 1])))),
            ("degrees", GLOBE),
        ):
            yield f"{where}, {what}", _drawn_around(rng, chip, crs)


def _drawn_around(rng: np.random.Generator, chip: Chip, crs: str) -> Placed:
    """Of some size, turn, phase and direction."""
    pixel_m, is_south_up = float(rng.choice(PIXELS_M)), bool(rng.random() < 0.3)
    turn_deg = 0.0 if crs == GLOBE else float(rng.choice(TURNS_DEG))
    shift_px = float(rng.uniform(-0.5, 0.5))
    return Placed(
        chip, around(chip, crs, pixel_m=pixel_m, turn_deg=turn_deg, is_south_up=is_south_up, shift_px=shift_px), pixel_m
    )


def _drawn(rng: np.random.Generator, number: int) -> tuple[str, Placed]:
    where = list(PLACES)[int(rng.integers(len(PLACES)))]
    chip = chip_at(*PLACES[where])
    crs = (GLOBE, zone_beside(chip, int(rng.integers(-1, 2))))[int(rng.random() < 0.7)]
    return f"drawn {number}: {where}", _drawn_around(rng, chip, crs)


def _other_systems() -> Iterator[tuple[str, Placed]]:
    for crs, place in OTHER_SYSTEMS.items():
        chip = chip_at(*place)
        yield f"in {crs}", Placed(chip, around(chip, crs, shift_px=0.2))
    chip = chip_at(9.0, 48.0)
    for turn_deg in (17.0, 45.0, 90.0, 180.0, 271.0):
        yield f"turned by {turn_deg:g} degrees", Placed(chip, around(chip, "EPSG:32632", turn_deg=turn_deg))
    yield "south up", Placed(chip, around(chip, "EPSG:32632", is_south_up=True))
    west, east = around(chip, "EPSG:32632"), around(chip, "EPSG:32632")
    mirrored = (-east.affine[0], 0.0, east.affine[2] + east.side_px * east.affine[0], *east.affine[3:])
    yield "mirrored", Placed(chip, replace(west, affine=mirrored))
    yield "its coordinate system written out", Placed(chip, replace(west, told_crs=pyproj.CRS("EPSG:32632").to_wkt()))


def _wrong() -> Iterator[tuple[str, Placed]]:
    """Files that say what is not so."""
    chip = chip_at(9.0, 48.0)
    true, in_degrees = around(chip, "EPSG:32632"), around(chip, GLOBE)
    for name, crs in {
        "no coordinate system": None, "the zone beside": "EPSG:32633",
        "the other hemisphere": "EPSG:32732", "degrees for metres": GLOBE,
        "a coordinate system of no place": 'LOCAL_CS["a hall",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]',
        "a polar one": "EPSG:3413", "a local one elsewhere": "EPSG:2193",
    }.items():  # fmt: skip
        yield f"wrong: {name}", Placed(chip, replace(true, told_crs=crs), may_show=False)
    yield "wrong: metres for degrees", Placed(chip, replace(in_degrees, told_crs="EPSG:32632"), may_show=False)
    a, b, c, d, e, f = true.affine
    told: dict[str, Affine] = {
        "none": (1, 0, 0, 0, 1, 0), "all zero": (0, 0, 0, 0, 0, 0),
        "of no width": (0, 0, c, 0, e, f), "of no height": (a, 0, c, 0, 0, f),
        "a line": (a, a, c, e, e, f), "axes swapped": (e, b, f, d, a, c),
        "corner swapped": (a, b, f, d, e, c), "without its corner": (a, b, 0, d, e, 0),
        "not a number": (a, b, float("nan"), d, e, f), "infinite": (a, b, c, d, e, float("inf")),
        "kilometres": (a, b, c / 1e3, d, e, f / 1e3),
        "beyond the globe": (a, b, 1e12, d, e, f), "pixels of a light year": (1e16, 0, c, 0, -1e16, f),
    }  # fmt: skip
    for name, affine in told.items():
        yield f"wrong: transform {name}", Placed(chip, replace(true, told_affine=affine), may_show=False)
    a, b, c, d, e, f = in_degrees.affine
    yield (
        "wrong: latitude for longitude",
        Placed(chip, replace(in_degrees, told_affine=(a, b, f, d, e, c)), may_show=False),
    )
    yield (
        "wrong: latitudes beyond the pole",
        Placed(chip, replace(in_degrees, told_affine=(a, b, c, d, e, f + 60)), may_show=False),
    )


def _run(folder: Path, placed: Placed) -> Verdict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        write_field(folder / NAME, placed.raster, placed.chip)
    try:
        found = _read(folder, placed.chip)
    except InputError as error:
        return refused() if NAME in str(error) else crashed(f"names nothing: {error}")
    except Exception as error:
        return crashed(f"{type(error).__name__}: {error}")
    return _judged(found, placed)


def _read(folder: Path, chip: Chip, change: Mapping[str, object] = MappingProxyType({})) -> Imagery:
    """The chip as a study of a user's own scenes reads it; warnings are errors."""
    (folder / "scenes.toml").write_text('bands = ["red", "green"]\nunit = "reflectance"\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        product, items = read_own_scenes(folder, ("red", "green"), OPTICAL_UNITS)
        scenes = scene_file(folder / "scenes.json", [{**item, **change} for item in items])
        source = SceneSource(
            product.profile("made"), Recipe(("2020-01",), ("red", "green")), scenes, SIDE_PX, NearFiles(folder)
        )
        return source.read(chip.id)


def _judged(found: Imagery, placed: Placed) -> Verdict:
    reasons = {row.reason for row in found.absences}
    if not found.channels and not placed.may_show and reasons <= set(ABSENT):
        return exact()
    if not found.channels and all(reason.startswith("failed to read") and NAME in reason for reason in reasons):
        return refused()
    if not placed.may_show or len(found.channels) < 2:
        return silent(f"{len(found.channels)} channels are shown; {reasons}")
    if np.isnan(found.values).any():
        return silent(f"{np.isnan(found.values).mean():.0%} of a chip is empty that the raster covers")
    off = off_px(found.values.astype(np.float64), placed.chip, placed.pixel_m)
    return exact() if off < MOST_PX else silent(f"{off:.2f} pixels beside where it should be")


def _both_zones(folder: Path, zones_east: int) -> Verdict:
    """Two chips of one place, in both zones of a seam, from one raster."""
    chips = [chip_at(6.0, 45.0, zones_east=zones) for zones in (-1, 0)]
    verdicts = []
    for number, chip in enumerate(chips):
        raster = around(chips[0], zone_beside(chips[1], zones_east))
        (folder / str(number)).mkdir()
        verdicts.append(_run(folder / str(number), Placed(chip, raster)))
    return next((verdict for verdict in verdicts if verdict != exact()), exact())


def _item(folder: Path, change: Mapping[str, object]) -> Verdict:
    """A chip beside the antimeridian, of an item that tells of itself in another way."""
    chip = chip_at(-179.9995, -16.5)
    raster = around(chip, zone_beside(chip, 0))
    write_field(folder / NAME, raster, chip)
    try:
        found = _read(folder, chip, change)
    except InputError as error:
        return refused() if f"item {NAME}" in str(error) else crashed(f"names nothing: {error}")
    return _judged(found, Placed(chip, raster))


ROW = Row(
    "georeferencing", "scene anywhere on the globe, or with a wrong place: right to half a pixel, or refused", cases
)
