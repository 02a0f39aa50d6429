"""Twelve months of Sentinel-2 and Sentinel-1 scenes of which some are not there: what is absent is named, the rest is itself."""

import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, cycle, islice
from pathlib import Path

import numpy as np

from faults.outcome import Case, Verdict, crashed, exact, silent
from faults.scenes import (
    CLEAR,
    CLOUD,
    FIRST,
    OPTICAL,
    RADAR,
    RADAR_NO_DATA,
    SIDE_PX,
    Item,
    OpenFiles,
    Shown,
    Store,
    chip_number,
    item_of,
    outline_over,
    scene_file,
    source_of,
    store_of,
    write_tif,
)
from faults.sensed import offsets_of
from terrashot.ingest.decibels import to_db
from terrashot.ingest.scene_source import Recipe

MONTHS = tuple(f"2020-{month:02d}" for month in range(1, 13))
KINDS = {"s2rgbm": ("red", "nir"), "s1grdm": ("vv", "vh")}
SENSOR_OF = {kind: sensor for sensor, kinds in KINDS.items() for kind in kinds}
NO_DATA = {"s2rgbm": 0.0, "s1grdm": RADAR_NO_DATA}
WAYS = ("no scene", "clouded", "no data", "damaged")
"""How a month of a sensor can be away; radar sees through clouds, and then has no scene."""
AT_ONCE, LISTED_TWICE = 200, 5
"""Chips of a store; and every how many chips is read once more from items in another order."""
TOLERANCE = {"s2rgbm": 0.6e-4, "s1grdm": 0.006}
"""Half a step of the numbers that are stored, and their rounding."""
Lack = Mapping[tuple[str, str], str]
"""By month, and by kind of channel or by sensor: in which way it is not there."""
ABSENT = {
    "no scene": ("missing", "no acquisition in the month"),
    "clouded": ("empty", "all clouded"),
    "no data": ("empty", "outside the swath"),
    "damaged": ("failed", "damaged.tif: cannot be read"),
    "no file": ("missing", "polarisation not acquired"),
    "broken": ("failed", "no asset for"),
}
"""What the store must say of a channel, by why it is not there: its status, and words of its reason."""


def scene_cases(soak: bool, seed: int) -> Iterator[Case]:
    """Cases of row `missing_data` that begin at scenes."""
    rng = np.random.default_rng([seed, 14])
    found = iter([*_absences().items(), *(_many(rng) if soak else [])])
    while lot := list(islice(found, AT_ONCE)):
        stores = functools.cache(functools.partial(_stores, [lack for _, lack in lot], int(rng.integers(1 << 30))))
        for number, (name, lack) in enumerate(lot):
            yield Case(f"scenes without {name}", functools.partial(_judged, number=number, lack=lack, stores=stores))


def _absences() -> dict[str, Lack]:
    """Of the quick table: channels, pairs of them, months and pairs of them, kinds, sensors, and all."""
    channels = [(month, kind) for month in MONTHS for kind in SENSOR_OF]
    found: dict[str, Lack] = {
        f"{m} {k}, {way}": {(m, k): way} for (m, k), way in zip(channels, cycle(("no data", "no file", "no data")))
    }
    pairs = [(month, pair) for month in MONTHS[::6] for pair in combinations(SENSOR_OF, 2)]
    found |= {f"{m} {a} and {b}": {(m, a): "no data", (m, b): "no data"} for m, (a, b) in pairs}
    for number in (1, 2):
        for kinds in combinations(SENSOR_OF, number):
            found[f"{' and '.join(kinds)} of all months"] = {
                (month, kind): "no data" for month in MONTHS for kind in kinds
            }
    found |= {f"month {month}, {way}": _months([month], [way]) for month, way in zip(MONTHS, cycle(WAYS))}
    for pair, ways in zip(combinations(MONTHS, 2), cycle(combinations(WAYS, 2))):
        found[f"months {' and '.join(pair)}, {' and '.join(ways)}"] = _months(pair, ways)
    for way in WAYS:
        found[f"any month, {way}"] = _months(MONTHS, [way])
        found |= {f"{sensor}, {way}": {(month, sensor): way for month in MONTHS} for sensor in KINDS}
    found["all months but one"] = _months(MONTHS[1:], WAYS)
    return {**found, "nothing": {}}


def _many(rng: np.random.Generator) -> Iterator[tuple[str, Lack]]:
    """Every pair of channels, and every subset of the months, each of them away in a drawn way."""
    channels = [(month, kind) for month in MONTHS for kind in SENSOR_OF]
    for one, other in combinations(channels, 2):
        yield f"{one} and {other}", {one: _one(rng, ("no data", "no file")), other: _one(rng, ("no data", "no file"))}
    for number in range(1 << len(MONTHS)):
        away = [month for place, month in enumerate(MONTHS) if number >> place & 1]
        yield f"months {' '.join(away) or 'none'}", {(m, s): _one(rng, WAYS) for m in away for s in KINDS}


def _one(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _months(months: Sequence[str], ways: Sequence[str]) -> Lack:
    """Both sensors' months away, each in its way."""
    return {(m, sensor): way for m, way in zip(months, cycle(ways)) for sensor in KINDS}


def _stores(lacks: Sequence[Lack], seed: int) -> tuple[Store, Store]:
    """All chips; and some of them once more, from the same items in another order."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name, warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(name)
        _write_files(folder, len(lacks))
        items = {s: [i for n, lack in enumerate(lacks) for i in _items(lack, s, n)] for s in KINDS}
        rng = np.random.default_rng(seed)
        other = {sensor: [own[place] for place in rng.permutation(len(own))] for sensor, own in items.items()}
        ids = [chip_number(number).id for number in range(len(lacks))]
        with OpenFiles(folder) as opened:
            return _store(folder / "one", opened, items, ids), _store(
                folder / "other", opened, other, ids[::LISTED_TWICE]
            )


def _store(folder: Path, opened: OpenFiles, items: Mapping[str, Sequence[Item]], ids: Sequence[str]) -> Store:
    folder.mkdir()
    sources = []
    for (sensor, own), product in zip(items.items(), (OPTICAL, RADAR), strict=True):
        offsets = offsets_of(own, opened) if product is OPTICAL else {}
        scenes = scene_file(folder / f"{sensor}.json", own, offsets)
        sources.append(source_of(product, Recipe(MONTHS, KINDS[sensor]), scenes, opened))
    return store_of(folder, sources, ids)


def _write_files(folder: Path, n_chips: int) -> None:
    """A file a month and kind of channel, the same over each chip; masks, files without data, and one that is none."""
    west, _, _, north = FIRST.bounds_m
    for month in MONTHS:
        for kind, sensor in SENSOR_OF.items():
            write_tif(
                folder / f"{month}-{kind}.tif",
                np.tile(_stored(month, kind), 2 * n_chips),
                west,
                north,
                nodata=NO_DATA[sensor],
            )
    for sensor, no_data in NO_DATA.items():
        empty = np.full((SIDE_PX, 2 * n_chips * SIDE_PX), no_data, _stored(MONTHS[0], KINDS[sensor][0]).dtype)
        write_tif(folder / f"empty-{sensor}.tif", empty, west, north, nodata=no_data)
    for name, code in (("clear", CLEAR), ("cloud", CLOUD)):
        write_tif(folder / f"{name}.tif", np.full((SIDE_PX, 2 * n_chips * SIDE_PX), code, np.uint8), west, north)
    (folder / "damaged.tif").write_bytes(b"no picture")


@functools.cache
def _stored(month: str, kind: str) -> np.ndarray:
    """What a month's file holds over a chip (H, W)."""
    rng = np.random.default_rng([*month.encode(), *kind.encode()])
    shape = (SIDE_PX, SIDE_PX)
    return (
        rng.integers(1, 9000, shape).astype(np.uint16)
        if kind in KINDS["s2rgbm"]
        else rng.random(shape, np.float32) + 1e-3
    )


def _items(lack: Lack, sensor: str, number: int) -> Iterator[Item]:
    """The months of one sensor over one chip, without what is not there."""
    chip = chip_number(number)
    for month in MONTHS:
        way = _way(lack, month, sensor)
        if way == "no scene":
            continue
        files = {kind: _file(lack, month, kind, way) for kind in KINDS[sensor]}
        there = {key: name for key, name in files.items() if name}
        if sensor == "s2rgbm":
            there["scl"] = "cloud.tif" if way == "clouded" else "clear.tif"
        told = {
            "s2rgbm": {"s2__processing_baseline": "02.14", "grid__code": "MGRS-29RKH"},
            "s1grdm": {"sat__orbit_state": "ascending"},
        }
        yield item_of(
            f"{number:04d}-{month}",
            outline_over(chip),
            there,
            datetime=f"{month}-15T11:00:00Z",
            platform=sensor,
            **told[sensor],
        )


def _way(lack: Lack, month: str, sensor: str) -> str | None:
    """How the whole month is away, if it is."""
    way = lack.get((month, sensor))
    return "no scene" if way == "clouded" and sensor == "s1grdm" else way


def _file(lack: Lack, month: str, kind: str, way: str | None) -> str:
    own = lack.get((month, kind))
    if own == "no file":
        return ""
    if way == "damaged":
        return "damaged.tif"
    return f"empty-{SENSOR_OF[kind]}.tif" if "no data" in (way, own) else f"{month}-{kind}.tif"


def _judged(folder: Path, number: int, lack: Lack, stores: Callable[[], tuple[Store, Store]]) -> Verdict:
    chip_id = chip_number(number).id
    try:
        found, again = (store.chips.get(chip_id, {}) for store in stores())
    except Exception as error:
        return crashed(f"{type(error).__name__}: {error}")
    names = {f"{month}_{kind}": (month, kind) for month in MONTHS for kind in SENSOR_OF}
    wrong = [text for name, (month, kind) in names.items() if (text := _complaint(lack, month, kind, found.get(name)))]
    wrong += [
        f"{name} differs where items are listed otherwise"
        for name in again
        if _plain(again[name]) != _plain(found[name])
    ]
    return silent("; ".join(wrong[:2])) if wrong else exact()


def _plain(shown: Shown) -> tuple[object, ...]:
    pixels = None if shown.pixels is None else shown.pixels.tobytes()
    return shown.status, shown.reason, shown.n_acquisitions, pixels


def _complaint(lack: Lack, month: str, kind: str, shown: Shown | None) -> str:
    """In what a channel is not what its month's scenes give."""
    if shown is None:
        return f"{month}_{kind} is neither there nor named as absent"
    why = _why_absent(lack, month, kind)
    if why is not None:
        status, reason = ABSENT[why]
        is_named = shown.status == status and reason in (shown.reason or "")
        return (
            ""
            if is_named and shown.pixels is None
            else f"{month}_{kind}: {why}, and it is {shown.status}: {shown.reason}"
        )
    stored, sensor = _stored(month, kind), SENSOR_OF[kind]
    wanted = stored / 10_000 if sensor == "s2rgbm" else to_db(stored[None])[0]
    is_right = shown.pixels is not None and np.allclose(shown.pixels, wanted, rtol=0, atol=TOLERANCE[sensor])
    return (
        ""
        if is_right and shown.n_acquisitions == 1
        else f"{month}_{kind}: {shown.status}, other numbers than its scene's"
    )


def _why_absent(lack: Lack, month: str, kind: str) -> str | None:
    sensor = SENSOR_OF[kind]
    if way := _way(lack, month, sensor):
        return way
    if sensor == "s2rgbm" and any(lack.get((month, other)) == "no file" for other in KINDS[sensor]):
        return "broken"  # an optical scene without one of its bands is none
    return lack.get((month, kind))
