"""Date pairs that are odd in time: each is counted once, where it is wanted, and the order of the answers changes no byte."""

import copy
import functools
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faults.earthdata import Earthdata, entry
from faults.gunw_files import CELL_DEG, Layout, gunw_name, write_gunw
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.pair_cases import FIRST, LAST, MOST_DAYS, Made, Paired, at_the_rim, drawn, told_times, twice, unusable
from faults.pair_frames import SIDE_PX, Frame, chip_at, frame_around
from terrashot.domain.cells import cells_of, centres_deg, footprints
from terrashot.domain.grid import Chip
from terrashot.domain.modality import Imagery
from terrashot.domain.tables import Chips
from terrashot.ingest.scene_file import read_listed
from terrashot.steps.coherence_plan import coherence_source, list_path
from terrashot.steps.find_pairs import cut_pairs, find_pairs
from terrashot.steps.plan import Context
from terrashot.steps.progress import finish
from terrashot.steps.run import make_context
from terrashot.store.study import find_study

QUICK_DRAWN, SOAK_DRAWN = 10, 5000
A_DEGREE = 100
"""Cases, each with a chip of its own, in one study: they lie a tenth of a degree apart."""
CORNER = (9.0, 45.0)
ROOM = 40
"""Cells about a chip: so far inside a frame that none but the newest is needed."""
RIM = 6
"""Rows of a chip, from its north and from its south, that show one frame alone of two that meet in its middle."""
TOLERANCE = 1e-4
STUDY = """\
[study]
workers = 1
[source]
kind = "scenes"
months = ["2020-01"]
[source.coherence]
{where}
start = "{first}"
end = "{last}"
max_days = {days}
[grid]
chip_px = {px}
pixel_m = 90.0
[areas.a]
bbox = [9.0, 45.0, 10.0, 46.0]
[ingest]
allowed_hosts = {hosts}
keep_products = true
[labels]
file = "labels.csv"
[split]
scheme = "random"
"""


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """What came of all cases of one study."""

    images: Mapping[str, Imagery]
    """By chip."""
    refused: tuple[str, ...]
    lists: tuple[bytes, ...]
    """Of products, one an order of the answers."""


def cases(soak: bool, seed: int) -> Iterator[Case]:
    rng = np.random.default_rng([seed, 15])
    named, rim = [*twice(), *unusable()], [*at_the_rim(), *told_times()]
    rim += [drawn(rng, f"drawn {number}") for number in range(SOAK_DRAWN if soak else QUICK_DRAWN)]
    near = [paired for paired in (named + rim if soak else named) if not paired.is_far_alone]
    for road, every in (("searched", named + rim), ("folder", near)):
        for first in range(0, len(every), A_DEGREE):
            yield from _of_one_study(every[first : first + A_DEGREE], road, seed)


def _of_one_study(every: Sequence[Paired], road: str, seed: int) -> Iterator[Case]:
    brought = functools.cache(functools.partial(_tried, every, road, seed))
    for number, paired in enumerate(every):
        run = functools.partial(_judged, paired=paired, number=number, brought=brought)
        yield Case(f"{road}: {paired.name}", run)


def _chip(number: int) -> Chip:
    return chip_at(CORNER[0] + 0.05 + number % 10 / 10, CORNER[1] + 0.05 + number // 10 / 10)


def _frame(made: Made, chip: Chip) -> Frame:
    whole = frame_around(chip, ROOM)
    half = whole.height // 2
    return {"whole": whole, "north": whole.rows(0, half), "south": whole.rows(half, whole.height)}[made.part]


def _name(made: Made, number: int, place: int) -> str:
    """Of a product that no other case has, sorted as it is listed."""
    how = {key: getattr(made, key) for key in ("track", "direction", "version", "kind")}
    return gunw_name(made.later, made.earlier, CORNER, code=f"{32 * number + place:04x}", **how)


def _tried(every: Sequence[Paired], road: str, seed: int) -> Brought | str:
    """What came of them, or what went wrong: once for all, for each of them would take as long to fail again."""
    try:
        return _brought(every, road, seed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _brought(every: Sequence[Paired], road: str, seed: int) -> Brought:
    """All of it through one study, its products searched for on loopback or in a folder."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name, Earthdata({}) as served:
        folder = Path(name)
        is_far = road == "searched"
        (products := folder / "study" / "coherence").mkdir(parents=True)
        entries = [told for number, paired in enumerate(every) for told in _written(paired, number, products, served)]
        where = f'search_url = "{served.search_url}"' if is_far else 'folder = "coherence"'
        text = STUDY.format(
            where=where, first=FIRST, last=LAST, days=MOST_DAYS, px=SIDE_PX, hosts=str(sorted(served.hosts))
        )
        (folder / "study" / "study.toml").write_text(text)
        shuffled = np.random.default_rng([seed, len(entries)]).permutation(len(entries))
        orders = [entries, entries[::-1], [entries[place] for place in shuffled]] if is_far else [[]]
        return _run(make_context(find_study(folder / "study")), served, orders, [_chip(n) for n in range(len(every))])


def _written(paired: Paired, number: int, products: Path, served: Earthdata) -> list[dict[str, Any]]:
    """The products' files, and what a catalogue says of them."""
    told: list[dict[str, Any]] = []
    for place, made in enumerate(paired.offered):
        if made.same_as is not None:
            told.append(_retold(told[made.same_as], made.told))
            continue
        frame, name = _frame(made, _chip(number)), _name(made, number, place)
        cells = np.full((frame.height, frame.width), made.value)
        layout = Layout(int(made.version[1]), south_up=place % 2 == 1, chunks=None, days=made.days)
        path = write_gunw(products / f"{name}.nc", cells, frame.west * CELL_DEG, frame.north * CELL_DEG, layout)
        edges = frame.west, frame.north - frame.height + 1, frame.west + frame.width - 1, frame.north
        west, south, east, north = (edge * CELL_DEG for edge in edges)
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        one = entry(name, served.url_of(name), (west, south, east, north), path.stat().st_size, md5)
        if made.times is not None:
            one["umm"]["TemporalExtent"] = made.times
        told.append(one)
    return told


def _retold(one: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The entry again, with a size, a digest, a host or an outline that is another."""
    again = copy.deepcopy(one)
    umm = again["umm"]
    file = umm["DataGranule"]["ArchiveAndDistributionInformation"][0]
    file["SizeInBytes"] = told.get("n_bytes", file["SizeInBytes"])
    file["Checksum"]["Value"] = told.get("md5", file["Checksum"]["Value"])
    if "href" in told:
        umm["RelatedUrls"][2]["URL"] = f"{told['href']}/{umm['GranuleUR']}.nc"
    for point in umm["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]["GPolygons"][0]["Boundary"]["Points"]:
        point["Longitude"] += told.get("box", 0.0)
    return again


def _run(context: Context, served: Earthdata, orders: Sequence[list[dict[str, Any]]], own: Sequence[Chip]) -> Brought:
    section = context.config.source.coherence
    assert section is not None
    cells = cells_of(own)
    lon_deg, lat_deg = centres_deg(cells)
    count = len(own)
    chips = Chips(
        tuple(chip.id for chip in own), ("a",) * count, (None,) * count, (None,) * count, footprints(cells), lon_deg, lat_deg
    )  # fmt: skip
    lists = []
    for entries in orders:
        served.entries[:] = entries
        list_path(context).unlink(missing_ok=True)
        finish(find_pairs(context, section, chips))
        lists.append(list_path(context).read_bytes())
    finish(cut_pairs(context, section, chips))
    source = coherence_source(context, section)
    images = {chip.id: source.read(chip.id) for chip in own}
    return Brought(images, read_listed(list_path(context)).refused, tuple(lists))


def _judged(folder: Path, paired: Paired, number: int, brought: Callable[[], Brought | str]) -> Verdict:
    found = brought()
    if isinstance(found, str):
        return crashed(found)
    names = [_name(made, number, place) for place, made in enumerate(paired.offered)]
    wrong = [*_complaints(paired, found.images[_chip(number).id])]
    wrong += _untold(paired, names, found, number)
    wrong += ["another order of the answers, another list"] * (len(set(found.lists)) > 1)
    if wrong:
        return silent("; ".join(wrong[:2]))
    return refused() if paired.bad else exact()


def _complaints(paired: Paired, found: Imagery) -> Iterator[str]:
    wanted = {paired.offered[own[0]].channel: [paired.offered[place] for place in own] for own in paired.pairs}
    shown = [channel.name for channel in found.channels]
    if shown != sorted(wanted):
        yield f"{shown} are shown, where {sorted(wanted)} are right"
        return
    if set(found.n_acquisitions) - {2}:
        yield f"{found.n_acquisitions} passes, where a pair has two"
    for channel, cells in zip(found.channels, found.values, strict=True):
        made = wanted[channel.name]
        days = [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in (made[0].earlier, made[0].later)]
        if [channel.first_date, channel.second_date] != days:
            yield f"{channel.name}: dated {channel.first_date} and {channel.second_date}"
        for half, rows in (("north", cells[:RIM]), ("south", cells[-RIM:])):
            value = next((one.value for one in made if one.part in ("whole", half)), np.nan)
            if not np.allclose(rows, value, rtol=0, atol=TOLERANCE, equal_nan=True):
                yield f"{channel.name}, {half}: {rows.min():g} to {rows.max():g}, where {value:g} is right"
        is_whole = {one.part for one in made} not in ({"north"}, {"south"})
        if is_whole and not np.isfinite(cells).all():
            yield f"{channel.name}: {np.isnan(cells).mean():.0%} is empty"


def _untold(paired: Paired, names: Sequence[str], found: Brought, number: int) -> Iterator[str]:
    """Products that cannot be used and of which nobody is told why; and such as are said to be none, and are."""
    failed = [str(row.reason) for row in found.images[_chip(number).id].absences]
    for place, name in enumerate(names):
        told = [reason for reason in (*found.refused, *failed) if name in reason]
        words = paired.bad.get(place)
        if (words is None and told) or (words is not None and not any(words in reason for reason in told)):
            yield f"{name}: {told}, where {words} is right"


ROW = Row("coherence_dates", "date pairs twice, again, at the rim of the period, of no calendar, in any order", cases)
