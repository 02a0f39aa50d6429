"""Whole scenes that show over some chips what no scene should: each chip's vector and shares are what its pixels allow."""

import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faults.outcome import Case, Verdict, crashed, exact, silent
from faults.scenes import (
    CLEAR,
    FIRST,
    OPTICAL,
    RADAR,
    RADAR_NO_DATA,
    SIDE_PX,
    Item,
    OpenFiles,
    chip_number,
    item_of,
    scene_file,
    source_of,
    store_of,
    write_tif,
)
from faults.sensed import offsets_of
from terrashot.domain.tables import Chips, Embeddings, Presence
from terrashot.ingest.scene_source import Recipe
from terrashot.remote.profiles import Profile
from terrashot.store.chips import open_chip_store

ORDINARY, MONTH = 6, "2020-02"
"""Chips of which nothing is odd, from which alone is learnt."""
WORLD = {"type": "Polygon", "coordinates": [[[-13, 23], [-11, 23], [-11, 26], [-13, 26], [-13, 23]]]}
NAN, INF = float("nan"), float("inf")
Image = np.ndarray
Tables = Callable[[Path, Chips], Mapping[str, Embeddings]]


@dataclass(frozen=True, slots=True)
class Sensor:
    """One kind of scene."""

    modality: str
    product: Profile
    kinds: tuple[str, str]
    dtype: str
    nodata: float
    most: float
    """Ordinary numbers lie between 1 / 1000 of this and this."""


SENSORS = {
    "own optical scenes": Sensor(
        "s2rgbm", Profile("your own files", "", "made", {"red": "red", "nir": "nir"}, "reflectance"), ("red", "nir"),
        "float32", -9999.0, 1.0,
    ),
    "Sentinel-2": Sensor("s2rgbm", OPTICAL, ("red", "nir"), "uint16", 0.0, 9000.0),
    "Sentinel-1": Sensor("s1grdm", RADAR, ("vv", "vh"), "float32", RADAR_NO_DATA, 1.0),
}  # fmt: skip
HALF = SIDE_PX // 2
PARTS: Mapping[str, tuple[int | slice, ...]] = {
    "left half": (slice(None), slice(None), slice(None, HALF)),
    "top half": (slice(None), slice(None, HALF)),
    "one pixel": (slice(None), 3, 5),
    "one row": (slice(None), 3),
    "one channel": (0,),
    "every pixel": (),
}
VALUES = {
    "no data": None, "NaN": NAN, "infinity": INF, "minus infinity": -INF, "zero": 0.0, "one": 1.0, "negative": -0.5,
    "saturated": 65_535.0, "tiny": 1e-38, "huge": 3e38,
}  # fmt: skip


def scene_cases(tables: Tables) -> Iterator[Case]:
    """Cases of row `chip_content` that begin at scenes.

    Args:
        tables: what is made of a store in a folder and its chips, by name.
    """
    for told, sensor in SENSORS.items():
        contents = dict(_contents(sensor))
        outcome = functools.cache(functools.partial(_outcome, sensor, list(contents.values()), tables))
        for number, name in enumerate(contents):
            yield Case(f"{told}: {name}", functools.partial(_judged, sensor=sensor, number=number, outcome=outcome))


def _contents(sensor: Sensor) -> Iterator[tuple[str, Image]]:
    """What each odd chip shows (2, H, W): a number in a part of it, and in all but a part of it."""
    for at, (part, where) in enumerate(PARTS.items()):
        for name, value in VALUES.items():
            number = sensor.nodata if value is None else value
            if sensor.dtype == "uint16" and not (
                np.isfinite(number) and 0 <= number <= 65_535 and number == int(number)
            ):
                continue
            whole = _ordinary(sensor, at)
            inside, outside = whole.copy(), np.full_like(whole, number)
            inside[where], outside[where] = number, whole[where]
            yield f"{name} in {part}", inside
            if part not in ("every pixel", "left half", "top half"):
                yield f"{name} but for {part}", outside


def _ordinary(sensor: Sensor, number: int) -> Image:
    numbers = np.random.default_rng(number).uniform(sensor.most / 1000, sensor.most, (2, SIDE_PX, SIDE_PX))
    return numbers.astype(sensor.dtype)


def _valid(sensor: Sensor, image: Image) -> np.ndarray:
    """Which pixels say something: finite, none that means no data; of radar, power that is positive."""
    there = np.isfinite(image) & (image != np.array(sensor.nodata, image.dtype))
    return there & (image > 0) if sensor.modality == "s1grdm" else there


def _outcome(
    sensor: Sensor, odd: list[Image], tables: Tables
) -> tuple[list[Image], Mapping[str, Embeddings], Presence]:
    images = [*odd, *(_ordinary(sensor, 100 + number) for number in range(ORDINARY))]
    ids = tuple(chip_number(number).id for number in range(len(images)))
    split = ("test",) * len(odd) + ("train",) * ORDINARY
    with tempfile.TemporaryDirectory(prefix="faults-") as name, warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(name)
        _write(folder, sensor, images)
        items = [_item(sensor)]
        with OpenFiles(folder) as opened:
            offsets = offsets_of(items, opened) if sensor.product is OPTICAL else {}
            scenes = scene_file(folder / "scenes.json", items, offsets)
            store_of(folder, [source_of(sensor.product, Recipe((MONTH,), sensor.kinds), scenes, opened)], ids)
        found = tables(folder, Chips(ids, ("a",) * len(ids), (None,) * len(ids), split))
        return images, found, open_chip_store(folder).presence()


def _item(sensor: Sensor) -> Item:
    files = {kind: f"{kind}.tif" for kind in sensor.kinds}
    if sensor.product is OPTICAL:
        files["scl"] = "scl.tif"
    return item_of(
        "scene", WORLD, files, datetime=f"{MONTH}-15T11:00:00Z", platform="made", sat__orbit_state="ascending",
        grid__code="MGRS-29RKH", s2__processing_baseline="02.14",
    )  # fmt: skip


def _write(folder: Path, sensor: Sensor, images: list[Image]) -> None:
    """A file a channel, chip beside chip with room for another between two; and a clear sky."""
    west, _, _, north = FIRST.bounds_m
    for channel, kind in enumerate(sensor.kinds):
        row = [part for image in images for part in (image[channel], image[channel])]
        write_tif(folder / f"{kind}.tif", np.concatenate(row, axis=1), west, north, nodata=sensor.nodata)
    if sensor.product is OPTICAL:
        sky = np.full((SIDE_PX, 2 * len(images) * SIDE_PX), CLEAR, np.uint8)
        write_tif(folder / "scl.tif", sky, west, north)


def _judged(
    folder: Path,
    sensor: Sensor,
    number: int,
    outcome: Callable[[], tuple[list[Image], Mapping[str, Embeddings], Presence]],
) -> Verdict:
    try:
        images, tables, presence = outcome()
    except Exception as error:
        return crashed(f"{type(error).__name__}: {error}")
    wrong = list(_wrong(sensor, _valid(sensor, images[number]), chip_number(number).id, tables, presence))
    return silent("; ".join(wrong[:3])) if wrong else exact()


def _wrong(
    sensor: Sensor, valid: np.ndarray, chip_id: str, tables: Mapping[str, Embeddings], presence: Presence
) -> Iterator[str]:
    """In what a chip's rows are not what its scene shows; the reader refuses vectors that are not finite."""
    shares = dict(zip(sensor.kinds, valid.mean(axis=(1, 2)).astype(np.float32), strict=True))
    for row in np.flatnonzero((presence.chip_id == chip_id) & np.isin(presence.kind, sensor.kinds)):
        share, status = shares[presence.kind[row]], "ok" if shares[presence.kind[row]] else "empty"
        if (presence.status[row], np.nan_to_num(presence.valid_fraction[row])) != (status, share):
            yield f"{presence.channel[row]}: {presence.status[row]}, {presence.valid_fraction[row]} valid of {share}"
    for name, table in tables.items():
        at = table.chips.ids.index(chip_id)
        for block in (block for block in table.blocks if block.split(":")[-1] == sensor.modality):
            if bool(table.present(block)[at]) != bool(valid.any()):
                yield f"{name}, {block}: {'no' if valid.any() else 'a'} vector"
            if block in table.absent and valid.any():
                empty = [
                    kind for kind, is_out in zip(table.kinds[block], table.absent[block][at], strict=True) if is_out
                ]
                if [kind for kind in empty if kind in shares] != [kind for kind in sensor.kinds if not shares[kind]]:
                    yield f"{name}, {block}: {empty} absent"
