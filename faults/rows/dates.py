"""Scenes that are odd in time: each sensing is counted once, in its month, and the order of the items changes no byte."""

import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from faults.date_cases import Dated, again, drawn, moments, radar, twice
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.scenes import OPTICAL, RADAR, Item, OpenFiles, Shown, Store, chip_number, scene_file, source_of, store_of
from faults.sensed import Echo, Sensed, month_of_passes, offsets_of
from terrashot.errors import InputError
from terrashot.ingest.decibels import to_db
from terrashot.ingest.scene_file import Listed
from terrashot.ingest.scene_source import Recipe

MONTHS = ("2020-02", "2020-03", "2022-01")
QUICK_DRAWN, SOAK_DRAWN, AT_ONCE = 40, 5000, 250
TOLERANCE = {"reflectance": 1.5e-4, "dB": 0.02}
"""A step and a half of the numbers that are stored."""
WRONG_TIMES = {
    "no zone": "2020-02-10T11:00:00", "a day alone": "2020-02-10", "no leap year": "2019-02-29T11:00:00Z",
    "30 February": "2020-02-30T11:00:00Z", "month 13": "2020-13-01T11:00:00Z", "hour 25": "2020-02-10T25:00:00Z",
    "a leap second": "2016-12-31T23:59:60Z",
    "a zone of 25 hours": "2020-02-10T11:00:00+25:00", "a word": "yesterday", "before year 1": "0001-01-01T00:00:00+14:00",
    "a number": 20200210, "null alone": None,
}  # fmt: skip


def cases(soak: bool, seed: int) -> Iterator[Case]:
    named = [*twice(), *again(), *moments(), *radar()]
    rng = np.random.default_rng([seed, 15])
    named += [drawn(rng, f"drawn {number}") for number in range(SOAK_DRAWN if soak else QUICK_DRAWN)]
    for _, alike in groupby(sorted(named, key=_how), key=_how):
        every = list(alike)
        for first in range(0, len(every), AT_ONCE):
            yield from _of_one_study(every[first : first + AT_ONCE], seed)
    for name, told in WRONG_TIMES.items():
        yield Case(f"refused: {name}", functools.partial(_refused, offered=[Sensed(3000, told)], words="datetime"))  # type: ignore[arg-type]
    two = [Sensed(3000), Sensed(5000, baseline="05.00", same_as=0)]
    yield Case("refused: one id, two contents", functools.partial(_refused, offered=two, words="twice"))
    yield Case("refused: no direction known: apart", _without_direction)


def _how(dated: Dated) -> tuple[bool, str, str]:
    return dated.is_radar, dated.orbits, dated.statistic


def _of_one_study(every: Sequence[Dated], seed: int) -> Iterator[Case]:
    """Cases that one source reads: each has a chip of its own."""
    stores = functools.cache(functools.partial(_stores, every, seed))
    for number, dated in enumerate(every):
        yield Case(dated.name, functools.partial(_judged, dated=dated, number=number, stores=stores))


def _stores(every: Sequence[Dated], seed: int) -> list[Store]:
    """What comes of all of them, in several orders of the items."""
    items = [item for number, dated in enumerate(every) for item in _items(dated, number)]
    shuffled = np.random.default_rng([seed, len(items)]).permutation(len(items))
    with tempfile.TemporaryDirectory(prefix="faults-") as name, warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(name)
        for dated in every:
            for sensed in dated.offered:
                sensed.write(folder, len(every))
        with OpenFiles(folder) as opened:
            make = functools.partial(_store, folder, opened, every)
            return [make(0, items), make(1, items[::-1]), make(2, [items[place] for place in shuffled])]


def _store(folder: Path, opened: OpenFiles, every: Sequence[Dated], number: int, items: Sequence[Item]) -> Store:
    is_radar, orbits, statistic = _how(every[0])
    product, kinds = (RADAR, ("vv",)) if is_radar else (OPTICAL, ("red",))
    recipe = Recipe(MONTHS, kinds, statistic, orbits)  # type: ignore[arg-type]
    offsets = {} if is_radar else offsets_of(items, opened)
    scenes = scene_file(folder / f"scenes{number}.json", items, offsets)
    chips = [chip_number(place).id for place in range(len(every))]
    return store_of(folder / f"store{number}", [source_of(product, recipe, scenes, opened)], chips)


def _items(dated: Dated, number: int) -> list[Item]:
    """One a delivery, under names that sort as they are listed."""
    chip = chip_number(number)
    own = [sensed.item(f"{number:04d}-{place:03d}", chip) for place, sensed in enumerate(dated.offered)]
    same = [sensed.same_as for sensed in dated.offered]
    return [item if other is None else own[other] for item, other in zip(own, same, strict=True)]


def _judged(folder: Path, dated: Dated, number: int, stores: Callable[[], list[Store]]) -> Verdict:
    try:
        found = [store.chips[chip_number(number).id] for store in stores()]
    except Exception as error:
        return crashed(f"{type(error).__name__}: {error}")
    wrong = [*_complaints(dated, found[0])]
    wrong += ["another order of the items, other bytes" for other in found[1:] if _bytes(other) != _bytes(found[0])]
    if wrong:
        return silent("; ".join(wrong[:2]))
    return refused() if dated.failed else exact()


def _complaints(dated: Dated, found: Mapping[str, Shown]) -> Iterator[str]:
    kind, unit = ("vv", "dB") if dated.is_radar else ("red", "reflectance")
    wanted = {
        f"{month}_{kind}": [[dated.offered[n] for n in own] for own in passes] for month, passes in dated.months.items()
    }
    failed = {f"{month}_{kind}": words for month, words in dated.failed.items()}
    if absent := [name for name in wanted if name not in found]:
        yield f"no {absent}"
    for name, shown in found.items():
        if name in failed:
            if shown.status != "failed" or failed[name] not in (shown.reason or ""):
                yield f"{name}: {shown.status}: {shown.reason}, where it cannot be read"
        elif name not in wanted:
            if (shown.status, shown.reason) != ("missing", "no acquisition in the month"):
                yield f"{name}: {shown.status} {shown.reason}, where nothing was sensed"
        else:
            yield from _differences(name, shown, wanted[name], dated.statistic, unit)


def _differences(
    name: str, shown: Shown, passes: Sequence[Sequence[Sensed | Echo]], statistic: str, unit: str
) -> Iterator[str]:
    if shown.pixels is None or shown.n_acquisitions != len(passes):
        yield f"{name}: {shown.status} of {shown.n_acquisitions} acquisitions, {len(passes)} there are"
        return
    made = month_of_passes(passes, statistic)
    made = to_db(made.astype(np.float32)[None])[0] if unit == "dB" else made
    if not np.allclose(shown.pixels, made, rtol=0, atol=TOLERANCE[unit], equal_nan=True):
        yield f"{name}: {np.unique(shown.pixels)[:3]}, where {np.unique(made)[:3]} is right"


def _bytes(found: Mapping[str, Shown]) -> str:
    rows = [
        (name, s.status, s.reason, s.n_acquisitions, s.valid_fraction, None if s.pixels is None else s.pixels.tobytes())
        for name, s in sorted(found.items())
    ]
    return str(rows)


def _refused(folder: Path, offered: Sequence[Sensed], words: str) -> Verdict:
    """Items that cannot be used, of which a file of items is made."""
    items = [sensed.item("odd-0", chip_number(0)) for sensed in offered]
    try:
        Listed("a question", items).scenes()
    except InputError as error:
        return refused() if "item odd-0" in str(error) and words in str(error) else crashed(f"names nothing: {error}")
    return silent("taken as they are")


def _without_direction(folder: Path) -> Verdict:
    """A chip of which one scene does not say which way it was sensed, where it matters: failed, and the scene named."""
    echo = Echo(0.1, orbit=None)
    echo.write(folder, 1)
    items = [echo.item("odd-0", chip_number(0))]
    with OpenFiles(folder) as opened:
        recipe = Recipe(MONTHS, ("vv",), orbits="apart")
        source = source_of(RADAR, recipe, scene_file(folder / "scenes.json", items), opened)
        store = store_of(folder / "store", [source], [chip_number(0).id])
    (reason,) = store.harvested.failed.values()
    return refused() if "odd-0" in reason and "orbits" in reason else silent(reason)


ROW = Row("dates", "scenes twice, again, shifted by 1000, near midnight, in any order", cases)
