"""What catalogues offer that is odd in time: twice, again, shifted, near midnight; and which passes it counts as."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from faults.sensed import Echo, Sensed

Passes = Sequence[Sequence[int]]
"""Deliveries by their numbers, pass by pass; of a pixel that several of a pass have, the first counts."""
RANDOM_VALUES = range(500, 9500, 500)


@dataclass(frozen=True, slots=True)
class Dated:
    """Deliveries over one chip, and what must come of them."""

    name: str
    offered: Sequence[Sensed | Echo]
    months: Mapping[str, Passes]
    """What each month is made of; one that is not here has no acquisition."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Words of the reason why a month fails."""
    statistic: str = "mean"
    orbits: str = "mixed"

    @property
    def is_radar(self) -> bool:
        return isinstance(self.offered[0], Echo)


FEB, MAR = "2020-02", "2020-03"
FIRST_OF_MARCH = "2020-03-01T00:00:00Z"


def _s(value: int, at: str | None = "2020-02-10T11:00:00Z", **how: object) -> Sensed:
    return Sensed(value, at, **how)  # type: ignore[arg-type]


def twice() -> Iterator[Dated]:
    """The same sensing more than once."""
    other = _s(5000, "2020-02-20T11:00:00Z")
    once_and_other: Mapping[str, Passes] = {FEB: [[0], [1]]}
    yield Dated("one item twice", [_s(3000), other, _s(3000, same_as=0)], once_and_other)
    yield Dated("one item five times", [_s(3000), other, *[_s(3000, same_as=0)] * 4], once_and_other)
    yield Dated("a copy under another id", [_s(3000), other, _s(3000)], once_and_other)
    yield Dated(
        "a copy whose time was rounded", [_s(3000), other, _s(3000, "2020-02-10T11:00:00.999Z")], once_and_other
    )
    yield Dated("two satellites on one day", [_s(3000), _s(5000, platform="sentinel-2b")], once_and_other)
    yield Dated("one satellite in two spellings", [_s(3000), other, _s(3000, platform="Sentinel-2A")], once_and_other)
    yield Dated("the next orbit, 98 minutes later", [_s(3000), _s(5000, "2020-02-10T12:38:00Z")], once_and_other)
    yield Dated("nobody says which satellite", [_s(3000, platform=None), _s(3000, platform=None)], {FEB: [[0]]})
    both = {FEB: [[0, 1]]}
    yield Dated("two tiles that overlap", [_s(3000), _s(3000, tile="29RKJ")], both)
    yield Dated("two tiles side by side", [_s(3000, part="left"), _s(5000, part="right", tile="29RKJ")], both)
    yield Dated("a tile beside the whole", [_s(3000, baseline="02.15"), _s(5000, part="left", tile="29RKJ")], both)
    yield Dated(
        "a half of newer baseline on a whole", [_s(3000, part="left", baseline="02.15"), _s(5000, tile="29RKJ")], both
    )
    yield Dated(
        "the halves of a tile cut by a data strip",
        [_s(3000, part="left"), _s(5000, "2020-02-10T11:00:12Z", part="right")],
        both,
    )
    yield Dated(
        "twenty passes",
        [_s(500 + 300 * n, f"2020-02-{n + 1:02d}T11:00:00Z") for n in range(20)],
        {FEB: [[n] for n in range(20)]},
    )
    clouded = [_s(3000), _s(9000, "2020-02-20T11:00:00Z", is_cloudy=True)]
    yield Dated("a clouded pass beside a clear one", clouded, {FEB: [[0]]})
    yield Dated(
        "a clouded delivery processed again as clear",
        [_s(9000, is_cloudy=True), _s(3000, baseline="02.15")],
        {FEB: [[1]]},
    )
    passes = [
        _s(3000),
        _s(5000, "2020-02-15T11:00:00Z"),
        _s(9500, "2020-02-20T11:00:00Z"),
        _s(5000, "2020-02-15T11:00:00Z"),
    ]
    yield Dated("a median of three, one of them twice", passes, {FEB: [[0], [1], [2]]}, statistic="median")


def again() -> Iterator[Dated]:
    """Processed again, and the offset of 1000 that came with baseline 04.00."""
    newest: Mapping[str, Passes] = {FEB: [[0]]}
    yield Dated("processed again", [_s(3000, baseline="02.15"), _s(7000)], newest)
    yield Dated("processed three times", [_s(3000, baseline="03.01"), _s(7000), _s(8000, baseline="02.15")], newest)
    yield Dated("processed again without a baseline", [_s(3000), _s(7000, baseline=None, stated=0.0)], newest)
    late, early = {"made": "2020-05-01T00:00:00Z"}, {"made": "2020-03-01T00:00:00Z"}
    yield Dated("one baseline, made twice", [_s(3000, **late), _s(7000, **early)], newest)
    yield Dated("one baseline, made twice, one does not say when", [_s(3000, **late), _s(7000)], newest)
    yield Dated("again, sensed a second later", [_s(3000, "2020-02-10T11:00:01Z", baseline="02.15"), _s(7000)], newest)
    halves = [_s(3000, part="left", baseline="02.15"), _s(5000, part="right", baseline="02.15"), _s(8000)]
    yield Dated("both halves processed again", halves, {FEB: [[0, 1]]})
    new = {"baseline": "04.00"}
    yield Dated("an old date processed with the offset", [_s(3000, shift=1000, baseline="05.00"), _s(7000)], newest)
    yield Dated("the offset, and no flag", [_s(3000, shift=1000, **new)], newest)
    yield Dated("the offset, and a flag that it was not applied", [_s(3000, shift=1000, flag=False, **new)], newest)
    yield Dated("the offset applied by the catalogue", [_s(3000, flag=True, **new)], newest)
    yield Dated("applied, and raster:offset all the same", [_s(3000, flag=True, stated=-0.1, **new)], newest)
    yield Dated("not applied, it says, but the pixels show that it was", [_s(300, flag=False, **new)], newest)
    yield Dated(
        "a baseline before, and raster:offset of the collection", [_s(3000, baseline="03.01", stated=-0.1)], newest
    )
    yield Dated("a baseline after, and raster:offset 0", [_s(3000, shift=1000, stated=0.0, **new)], newest)
    yield Dated("no baseline, raster:offset -0.1", [_s(3000, shift=1000, baseline=None, stated=-0.1)], newest)
    yield Dated("no baseline, raster:offset 0", [_s(3000, baseline=None, stated=0.0)], newest)
    yield Dated(
        "neither baseline nor offset",
        [_s(3000, baseline=None)],
        {},
        {FEB: "neither its processing baseline nor its offset"},
    )
    beside = [_s(3000, baseline=None), _s(5000, FIRST_OF_MARCH)]
    yield Dated("the same beside a month that is whole", beside, {MAR: [[1]]}, {FEB: "neither its processing baseline"})
    days = [_s(3000, "2022-01-24T11:00:00Z", baseline="03.01"), _s(5000, "2022-01-26T11:00:00Z", shift=1000, **new)]
    yield Dated("the last day before and the first after", days, {"2022-01": [[0], [1]]})
    mixed = [
        _s(3000, "2022-01-24T11:00:00Z", shift=1000, baseline="05.10"),
        _s(5000, "2022-01-26T11:00:00Z", flag=True, **new),
    ]
    yield Dated("both of them reprocessed, one of them applied", mixed, {"2022-01": [[0], [1]]})


def moments() -> Iterator[Dated]:
    """Zones, midnights, months and leap days."""
    feb, mar = {FEB: [[0]]}, {MAR: [[0]]}
    for told, months in {
        "2020-03-01T10:00:00+14:00": feb, "2020-03-01T14:00:00+14:00": mar, "2020-02-29T11:59:59-12:00": feb,
        "2020-02-29T12:00:00-12:00": mar, "2020-02-29T23:59:59.999999Z": feb, FIRST_OF_MARCH: mar, "2020-03-01T00:00:00+00:00": mar,
        "2020-02-29T11:00:00Z": feb, "2020-02-01T00:00:00Z": feb, "2020-01-31T23:59:59Z": {}, "2020-03-31T23:59:59Z": mar,
        "2020-04-01T00:00:00Z": {}, "20200229T110000Z": feb, "2020-03-01T05:29:00+05:30": feb,
    }.items():  # fmt: skip
        yield Dated(f"sensed at {told}", [_s(3000, told)], months)
    years = [_s(3000, "2021-12-31T23:59:59Z"), _s(5000, "2022-01-01T00:00:00Z", platform="sentinel-2b")]
    yield Dated("two satellites about the turn of the year", years, {"2022-01": [[1]]})
    across = [
        _s(3000, "2020-02-29T23:59:58Z", part="left"),
        _s(5000, "2020-03-01T00:00:04Z", part="right", tile="29RKJ"),
    ]
    yield Dated("one pass across the midnight of two months", across, {FEB: [[0, 1]]})
    yield Dated("times in two zones are one moment", [_s(3000), _s(3000, "2020-02-11T01:00:00+14:00")], feb)
    begun = {"start_datetime": "2020-02-29T23:00:00Z", "end_datetime": "2020-03-01T01:00:00Z"}
    yield Dated("no moment, but a beginning", [_s(3000, None, more=begun)], feb)


def radar() -> Iterator[Dated]:
    """Directions, frames and satellites."""
    down = Echo(0.3, "2020-02-15T18:00:00Z", orbit="descending")
    for orbits, passes in {"mixed": [[0], [1]], "ascending": [[0]], "descending": [[1]]}.items():
        yield Dated(f"ascending with descending: {orbits}", [Echo(0.1), down], {FEB: passes}, orbits=orbits)
    yield Dated(
        "ascending with descending: apart",
        [Echo(0.1), down],
        {f"{FEB}_asc": [[0]], f"{FEB}_des": [[1]]},
        orbits="apart",
    )
    yield Dated("one direction alone: apart", [Echo(0.1)], {f"{FEB}_asc": [[0]]}, orbits="apart")
    yield Dated("no direction known: mixed", [Echo(0.1, orbit=None), down], {FEB: [[0], [1]]})
    frames = [Echo(0.1, part="left"), Echo(0.3, "2020-02-03T06:10:25Z", part="right")]
    yield Dated("two frames of one pass", frames, {FEB: [[0, 1]]})
    again = [Echo(0.1, made="2020-05-01T00:00:00Z"), Echo(0.3, "2020-02-03T06:10:02Z", made="2020-03-01T00:00:00Z")]
    yield Dated("a frame processed again", again, {FEB: [[0]]})
    yield Dated("two satellites on one day", [Echo(0.1), Echo(0.3, platform="sentinel-1b")], {FEB: [[0], [1]]})
    yield Dated(
        "six and twelve days later", [Echo(0.1), Echo(0.3, "2020-02-09T06:10:00Z"), down], {FEB: [[0], [1], [2]]}
    )


def drawn(rng: np.random.Generator, name: str) -> Dated:
    """Up to four passes of one to two tiles, each offered in up to three baselines, and some of it twice; what is newest is true."""
    offered: list[Sensed] = []
    passes: dict[str, list[list[int]]] = {}
    for number in range(int(rng.integers(1, 5))):
        month, day = (FEB, MAR)[int(rng.integers(2))], int(rng.integers(1, 29))
        passage: list[tuple[int, int]] = []
        for tile in ("29RKH", "29RKJ")[: int(rng.integers(1, 3))]:
            baselines = sorted(
                int(found) for found in rng.choice(range(200, 399), int(rng.integers(1, 4)), replace=False)
            )
            for baseline in baselines:
                at = f"{month}-{day:02d}T{3 * number + 2:02d}:0{rng.integers(0, 5)}:{rng.integers(0, 60):02d}Z"
                how = {"tile": tile, "baseline": f"{baseline // 100:02d}.{baseline % 100:02d}", "part": _part(rng)}
                offered.append(_s(int(rng.choice(RANDOM_VALUES)), at, **how))
            passage.append((-baselines[-1], len(offered) - 1))
        passes.setdefault(month, []).append([place for _, place in sorted(passage)])
    twice = [_s(0, same_as=int(place)) for place in rng.integers(0, len(offered), int(rng.integers(0, 3)))]
    return Dated(name, [*offered, *twice], passes)


def _part(rng: np.random.Generator) -> str:
    return str(rng.choice(["whole", "left", "right"], p=[0.6, 0.2, 0.2]))
