"""Scenes to be damaged: a study of two months of one chip, its files, and what is seen of it."""

import functools
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

from faults.scenes import CLEAR, CLOUD, Item, item_of
from faults.targets import InMemory
from terrashot.domain.grid import Grid
from terrashot.domain.modality import Imagery
from terrashot.domain.tables import Chips
from terrashot.raster.asset import Asset, open_asset
from terrashot.remote.file import Blocks
from terrashot.remote.profiles import Plane

CHIP_PX, SCENE_PX, BLOCK_PX = 64, 96, 32
CHIP = Grid(32629, CHIP_PX * 10.0).chip_at(240_000, 2_700_000)
LON, LAT = -11.568, 24.388
NAMES = ("damaged", "whole")
MONTHS = ("2020-02", "2020-03")
STUDY = f"""[study]
workers = 1
[areas.a]
bbox = {{bbox}}
[grid]
chip_px = {CHIP_PX}
[source]
kind = "scenes"
months = ["2020-02", "2020-03"]
[source.optical]
catalogue = "earth-search/sentinel-2-l2a"
items = "items.json"
bands = ["red"]
[ingest]
readers = 1
max_failed_share = {{share}}
[labels]
file = "labels.csv"
[split]
scheme = "random"
"""


@functools.cache
def files() -> Mapping[str, bytes]:
    """A band and a mask of each scene, cloud-optimised and packed, by name."""
    found = {}
    for seed, name in enumerate(NAMES):
        rng = np.random.default_rng(seed)
        rows, cols = np.indices((SCENE_PX, SCENE_PX))
        red = 2000 + 1000 * np.sin(cols / 9) + 500 * np.cos(rows / 7) + rng.normal(0, 40, rows.shape)
        found[f"{name}-red.tif"] = _cog(red.astype(np.uint16), 0)
        found[f"{name}-scl.tif"] = _cog(np.where(np.hypot(rows - 40, cols - 50) < 12, CLOUD, CLEAR).astype(np.uint8), 0)
    return found


def _cog(pixels: np.ndarray, nodata: float) -> bytes:
    west, _, _, north = CHIP.bounds_m
    beside = 10.0 * (SCENE_PX - CHIP_PX) / 2
    with MemoryFile() as memory:
        with memory.open(
            driver="COG", width=SCENE_PX, height=SCENE_PX, count=1, dtype=pixels.dtype.name, nodata=nodata, crs="EPSG:32629",
            transform=Affine(10, 0, west - beside, 0, -10, north + beside), blocksize=BLOCK_PX, compress="deflate", num_threads=1,
        ) as file:  # fmt: skip
            file.write(pixels, 1)
        content: bytes = memory.read()
    return content


def items() -> list[Item]:
    """An item a month, with what real ones tell."""
    outline = {"type": "Polygon", "coordinates": [[[-13, 23], [-11, 23], [-11, 26], [-13, 26], [-13, 23]]]}
    found = []
    for name, month in zip(NAMES, MONTHS, strict=True):
        made = item_of(
            name, outline, {key: f"{name}-{key}.tif" for key in ("red", "scl")}, datetime=f"{month}-15T11:34:25.405Z",
            platform="sentinel-2a", grid__code="MGRS-29RKH", s2__processing_baseline="02.14", eo__cloud_cover=4.0,
            sat__relative_orbit=37, proj__epsg=32629, sat__orbit_state="descending", earthsearch__boa_offset_applied=False,
        )  # fmt: skip
        made["assets"]["red"] |= {"type": "image/tiff", "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": 0}]}
        found.append(made)
    return found


def make_study(folder: Path, *, share: float = 1.0, reach_deg: float = 0.02) -> Path:
    """A study of the scenes, of which `share` of the chips may fail; so far around the one chip."""
    folder.mkdir()
    bbox = [LON - reach_deg, LAT - reach_deg, LON + reach_deg, LAT + reach_deg]
    (folder / "study.toml").write_text(STUDY.format(share=share, bbox=bbox))
    (folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items()}))
    (folder / "labels.csv").write_text("id,wet\n")
    for name, content in files().items():
        (folder / name).write_bytes(content)
    return folder


def chips() -> Chips:
    """The one chip, without step `chips`."""
    return Chips((CHIP.id,), ("a",), (None,), ("train",), None, np.array([LON]), np.array([LAT]))


@dataclass(frozen=True, slots=True, eq=False)
class InMemoryFiles:
    """An `OpenPlane` as of far files, without the way."""

    content: Mapping[str, bytes]

    @contextmanager
    def __call__(self, plane: Plane) -> Iterator[Asset]:
        with open_asset(Blocks(InMemory(self.content[plane.href], plane.href), block_bytes=4096)) as asset:
            yield asset


Seen = Mapping[str, tuple[str, str, bytes]]
"""By channel: its status, its reason, its pixels."""


def seen(imagery: Imagery) -> Seen:
    """What a chip's reading gives, to be compared."""
    there = {c.name: ("ok", "", plane.tobytes()) for c, plane in zip(imagery.channels, imagery.values, strict=True)}
    absent = {row.channel.name if row.channel else "": (row.status, row.reason, b"") for row in imagery.absences}
    return {**there, **absent}


def came_to(found: Seen, wanted: Seen, named: Sequence[str]) -> str:
    """`exact`; `refused` where what is not is failed and names one of these; else `other`."""
    changed = [found[name] for name in wanted if found.get(name) != wanted[name]]
    if not changed and found.keys() == wanted.keys():
        return "exact"
    is_told = all(status == "failed" and any(name in why for name in named) for status, why, _ in changed)
    return "refused" if changed and is_told and found.keys() == wanted.keys() else "other"


@functools.cache
def packed_blocks(content: bytes) -> tuple[range, ...]:
    """Where the blocks of a TIFF lie, of its overviews too: each is packed by zlib, and ends with a checksum."""
    found, at = [], _numbers(content, 4, "I")[0]
    while at:
        (count,) = _numbers(content, at, "H")
        tags = dict(_tag(content, at + 2 + 12 * n) for n in range(count))
        found += [range(start, start + size) for start, size in zip(tags[324], tags[325], strict=True)]
        (at,) = _numbers(content, at + 2 + 12 * count, "I")
    return tuple(found)


def _tag(content: bytes, at: int) -> tuple[int, tuple[Any, ...]]:
    """Number and values of an entry; those of texts and fractions are of no use here."""
    tag, kind = _numbers(content, at, "HH")
    (count,) = _numbers(content, at + 4, "I")
    form = {3: "H", 4: "I"}.get(kind)
    if form is None:
        return tag, ()
    is_inside = count * struct.calcsize(form) <= 4
    return tag, _numbers(content, at + 8 if is_inside else _numbers(content, at + 8, "I")[0], form * count)


def _numbers(content: bytes, at: int, form: str) -> tuple[Any, ...]:
    return struct.unpack_from(f"<{form}", content, at)
