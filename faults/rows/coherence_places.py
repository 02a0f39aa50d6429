"""Products of coherence anywhere on the globe, and with a wrong place: where they should be to half a cell, or refused."""

import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyproj
import shapely

from faults.gunw_files import CELL_DEG, GRIDS, Layout
from faults.outcome import Case, Outcome, Row, Verdict, crashed, exact, refused, silent
from faults.own_pairs import cut_source, source_of
from faults.pair_frames import ROUND, SIDE_PX, Frame, cells_off, chip_at, frame_around, write_frames
from faults.rows.georeferencing import PLACES
from terrashot.domain.coherence_pair import product_name
from terrashot.domain.grid import Chip
from terrashot.domain.modality import Imagery
from terrashot.errors import InputError
from terrashot.ingest.pair_list import Product
from terrashot.ingest.pair_products import ProductFiles

SOAK, MOST_CELLS = 10_000, 0.5
LAYOUTS = (
    ("v2_0_4", Layout(2)), ("v3_0_1", Layout(3, south_up=True)), ("v2_0_6", Layout(2, south_up=True, has_fill=False)),
    ("v3_0_0", Layout(3, chunks=None)),
)  # fmt: skip
"""Both forms of names, latitudes down and up."""
Bend = Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Placed:
    """Frames, and a chip that is to be made of them."""

    chip: Chip
    frames: tuple[Frame, ...]
    bend: Bend | None = None
    may_show: bool = True
    """False: what the file says of its place is wrong, so that nothing of it may be shown of this chip."""
    is_fetched: bool = False
    """Its outline is then that of a catalogue, and not that of its own cells."""


def cases(soak: bool, seed: int) -> Iterator[Case]:
    rng = np.random.default_rng([seed, 13])
    drawn = (_drawn(rng, number) for number in range(SOAK if soak else 0))
    for name, placed in (*_everywhere(rng), *_borders(), *_odd(), *drawn):
        yield Case(name, functools.partial(_run, placed=placed))
    for name, bend in _wrong().items():
        chip = chip_at(9.0, 48.0)
        placed = Placed(chip, (frame_around(chip),), bend, may_show=False)
        yield Case(f"wrong: {name}", functools.partial(_run, placed=placed))
        yield Case(f"wrong, fetched: {name}", functools.partial(_run, placed=replace(placed, is_fetched=True)))
    for what in ("latitude", "longitude"):
        yield Case(f"{what} of corners for middles", functools.partial(_half_beside, what=what))


def _everywhere(rng: np.random.Generator) -> Iterator[tuple[str, Placed]]:
    """Each place in its own zone and in one beside it, in all forms in turn."""
    for number, where in enumerate(PLACES):
        for zones_east in (0, int(rng.choice([-1, 1]))):
            chip = _chip_in(PLACES[where], zones_east)
            version, layout = LAYOUTS[(number + zones_east) % len(LAYOUTS)]
            frame = replace(frame_around(chip), version=version, layout=layout)
            yield f"{where}, {'the zone beside' if zones_east else 'its zone'}, {version}", Placed(chip, (frame,))


def _chip_in(place: tuple[float, float], zones_east: int) -> Chip:
    """Of the zone so far east, or as far west where that has no chips so far beyond its edge."""
    chip = chip_at(*place, zones_east=zones_east)
    return chip if chip.col >= 0 else chip_at(*place, zones_east=-zones_east)


def _borders() -> Iterator[tuple[str, Placed]]:
    """Frames of one pair that meet in a chip, or hardly overlap."""
    for where, place, zones_east in (
        ("in a zone", (9.0, 48.0), 0), ("at a zone's edge", (6.0, 45.0), 0), ("in the zone beside", (6.0, 45.0), -1),
        ("on the antimeridian", (-180.0, -16.5), 0),
    ):  # fmt: skip
        chip = chip_at(*place, zones_east=zones_east)
        whole = frame_around(chip)
        for how, frames in _halves(whole).items():
            yield f"two frames {where}, {how}", Placed(chip, frames)


def _halves(whole: Frame) -> dict[str, tuple[Frame, ...]]:
    row, col = whole.height // 2, whole.width // 2
    north, south = whole.rows(0, row), whole.rows(row, whole.height)
    west, east = whole.cols(0, col), whole.cols(col, whole.width)
    newer = {"version": "v3_0_1", "layout": Layout(3, south_up=True)}
    return {
        "one above the other": (north, south),
        "side by side, counted from either side of 180": (west, east.moved(-ROUND)),
        "which overlap": (whole.rows(0, row + 3), whole.rows(row - 3, whole.height)),
        "half of it newer": (whole, replace(west, **newer)),  # type: ignore[arg-type]
    }


def _odd() -> Iterator[tuple[str, Placed]]:
    """Files that say in an unusual way, or not at all, what is so."""
    for where, turns in (("west of the antimeridian", -1), ("on the antimeridian", 1), ("Kansas", 1)):
        chip = chip_at(*PLACES[where])
        yield f"{where}, longitudes {360 * turns:+d}", Placed(chip, (frame_around(chip).moved(turns * ROUND),))
    chip = chip_at(9.0, 48.0)
    frame = frame_around(chip)
    for name, bend in {
        "no coordinate system": lambda path: _axis(path, "crs", None),
        "its coordinate system written out": _told("crs", crs_wkt=pyproj.CRS("EPSG:4326").to_wkt()),
        "the European one": _told("crs", spatial_ref=pyproj.CRS("EPSG:4258").to_wkt()),
        "no units": _told("longitude", units="degrees"),
        "axes of float32": lambda path: _each(path, lambda name, found: found.astype(np.float32)),
    }.items():
        yield name, Placed(chip, (frame,), bend)


def _drawn(rng: np.random.Generator, number: int) -> tuple[str, Placed]:
    """Anywhere but at the poles, in any form, of one frame or of two."""
    at = float(rng.uniform(-180, 180)), float(np.degrees(np.arcsin(rng.uniform(-0.98, 0.994))))
    chip = _chip_in(at, int(rng.integers(-1, 2)))
    version, layout = LAYOUTS[int(rng.integers(len(LAYOUTS)))]
    whole = replace(frame_around(chip), version=version, layout=layout).moved(int(rng.integers(-1, 2)) * ROUND)
    whole = whole if abs(whole.west * CELL_DEG) < 535 else frame_around(chip)
    split = int(rng.integers(4, whole.width - 4))
    frames = (whole,) if rng.random() < 0.5 else (whole.cols(0, split), whole.cols(split, whole.width))
    return f"drawn {number}: {at[0]:.3f} {at[1]:.3f}", Placed(chip, frames)


def _wrong() -> dict[str, Bend]:
    """What may be wrong with a product over 9 E, 48 N."""
    bends: dict[str, Bend] = {
        "a zone's metres": lambda path: _metres(path, 1.0),
        "a zone's kilometres": lambda path: _metres(path, 1000.0),
        "axes swapped": _swapped,
        "no latitudes": lambda path: _axis(path, "latitude", None),
        "a row too few": lambda path: _each(path, lambda name, found: found[1:]),
        "coherence turned": _turned,
        "the prime meridian of Paris": _told("crs", longitude_of_prime_meridian=2.33722917),
        "longitudes in radians": _told("longitude", units="radian"),
        "a system of metres": _told("crs", grid_mapping_name="transverse_mercator"),
    }
    for name, crs in {"a zone": 32632, "a polar one": 3413, "North America of 1927": 4267, "WGS 72": 4322}.items():
        bends[f"coordinate system of {name}"] = _told("crs", crs_wkt=pyproj.CRS.from_epsg(crs).to_wkt())
    for name, change in _CHANGES.items():
        bends[name] = functools.partial(_each, change=change)
    return bends


def _put(found: np.ndarray, at: int, value: float) -> np.ndarray:
    return np.concatenate([found[:at], [value], found[at + 1 :]])


_CHANGES: dict[str, Callable[[str, np.ndarray], np.ndarray]] = {
    "cells counted": lambda name, found: np.arange(len(found), dtype=np.float64),
    "radians": lambda name, found: np.radians(found),
    "whole numbers": lambda name, found: np.round(found).astype(np.int64),
    "text": lambda name, found: found.astype("S8"),
    "not a number once": lambda name, found: _put(found, 3, np.nan),
    "not a number at all": lambda name, found: np.full_like(found, np.nan),
    "infinite": lambda name, found: _put(found, len(found) - 1, np.inf),
    "one place for all": lambda name, found: np.full_like(found, found[0]),
    "a cell twice": lambda name, found: _put(found, 9, found[8]),
    "a gap": lambda name, found: np.concatenate([found[:9], found[9:] + 5 * CELL_DEG]),
    "uneven": lambda name, found: np.geomspace(found[0], found[-1] + 0.4, len(found)),
    "rough": lambda name, found: found + 0.3 * CELL_DEG * (np.arange(len(found)) % 2),
    "ten degrees beside": lambda name, found: found + 10,
    "the other hemispheres": lambda name, found: found - 2 * found[len(found) // 2],
    "beyond the pole": lambda name, found: found + 60 * (name == "latitude"),
    "twice round the globe": lambda name, found: found + 720 * (name == "longitude"),
    "longitudes westward": lambda name, found: found[::-1] if name == "longitude" else found,
    "cells ten times as far": lambda name, found: found[0] + 10 * (found - found[0]) + 30 * (name == "latitude"),
    "cells of a degree": lambda name, found: found[0] + 1200 * (found - found[0]) / 2,
}


def _axis(path: Path, name: str, values: object) -> None:
    with h5py.File(path, "r+") as file:
        attributes = dict(file[f"{GRIDS}/{name}"].attrs)
        del file[f"{GRIDS}/{name}"]
        if values is not None:
            file[f"{GRIDS}/{name}"] = values
            file[f"{GRIDS}/{name}"].attrs.update(attributes)


def _axes(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path, "r") as file:
        return {name: file[f"{GRIDS}/{name}"][...] for name in ("latitude", "longitude")}


def _each(path: Path, change: Callable[[str, np.ndarray], np.ndarray]) -> None:
    for name, found in _axes(path).items():
        _axis(path, name, change(name, found))


def _swapped(path: Path) -> None:
    """Each axis holds numbers of the other, as many as it had."""
    lat, lon = _axes(path).values()
    _axis(path, "latitude", lon[0] + CELL_DEG * np.arange(len(lat)))
    _axis(path, "longitude", lat[-1] + CELL_DEG * np.arange(len(lon)))


def _turned(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        turned = file[f"{GRIDS}/coherence"][...].T
        del file[f"{GRIDS}/coherence"]
        file[f"{GRIDS}/coherence"] = turned


def _metres(path: Path, unit_m: float) -> None:
    lat, lon = _axes(path).values()
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32632", always_xy=True)
    _axis(path, "longitude", to_metres.transform(lon, np.full_like(lon, lat[0]))[0] / unit_m)
    _axis(path, "latitude", to_metres.transform(np.full_like(lat, lon[0]), lat)[1] / unit_m)


def _told(name: str, **attributes: Any) -> Bend:
    def tell(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            file[f"{GRIDS}/{name}"].attrs.update(attributes)

    return tell


def _run(folder: Path, placed: Placed) -> Verdict:
    (folder / "own").mkdir()
    write_frames(folder / "own", placed.chip, placed.frames, placed.bend)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = _read(folder, placed)
    except InputError as error:
        return refused() if "S1-GUNW" in str(error) else crashed(f"names nothing: {error}")
    except Exception as error:
        return crashed(f"{type(error).__name__}: {error}")
    return _judged(found, placed)


def _read(folder: Path, placed: Placed) -> Imagery:
    chip = placed.chip
    if not placed.is_fetched:
        return source_of(folder, [chip], side_px=SIDE_PX).read(chip.id)
    around = shapely.box(8.5, 47.5, 9.5, 48.5)
    products = [
        Product(product_name(path.name), around, f"https://files.invalid/{path.name}")
        for path in sorted((folder / "own").iterdir())
    ]
    files = ProductFiles(folder / "own", keeps=True)
    return cut_source(folder, [chip], products, files, side_px=SIDE_PX).read(chip.id)


def _judged(found: Imagery, placed: Placed) -> Verdict:
    reasons = [str(row.reason) for row in found.absences]
    if len(reasons) == 2 and all(reason.startswith("failed to read: ") and "S1-GUNW" in reason for reason in reasons):
        return refused()
    if not placed.may_show or len(found.channels) != 2:
        return silent(f"{len(found.channels)} channels are shown; {reasons}")
    if np.isnan(found.values).any():
        return silent(f"{np.isnan(found.values).mean():.0%} of a chip is empty that the frames cover")
    off = cells_off(found.values, placed.chip)
    return exact() if off < MOST_CELLS else silent(f"{off:.2f} cells beside where it should be")


def _half_beside(folder: Path, what: str) -> Verdict:
    """Nothing in the file can tell; half a cell is all that it may cost."""
    chip = chip_at(9.0, 48.0)
    (folder / "own").mkdir()
    write_frames(
        folder / "own", chip, (frame_around(chip),),
        functools.partial(_each, change=lambda name, found: found - CELL_DEG / 2 * (name == what)),
    )  # fmt: skip
    off = cells_off(source_of(folder, [chip], side_px=SIDE_PX).read(chip.id).values, chip)
    return Verdict(Outcome.UNDETECTABLE) if 0.3 < off < 0.6 else silent(f"{off:.2f} cells beside")


ROW = Row(
    "coherence_places",
    "product of coherence anywhere on the globe, or with a wrong place: right to half a cell, or refused",
    cases,
)
