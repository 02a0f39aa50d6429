"""What catalogues and folders offer of date pairs that is odd in time: twice, again, at the rim of the period, days that are none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

FIRST, LAST, MOST_DAYS = date(2019, 12, 31), date(2020, 3, 1), 24
"""Of the days on which a pair may end, and days between its two."""
VERSIONS = ("v2_0_2", "v2_0_4", "v2_0_5", "v2_0_6", "v3_0_0", "v3_0_1", "v3_0_10")
"""Oldest first; both forms of names."""


@dataclass(frozen=True, slots=True)
class Made:
    """A product that is offered, of one coherence all over."""

    value: float
    later: str = "20200213"
    earlier: str = "20200201"
    track: str = "014"
    direction: str = "D"
    version: str = "v2_0_4"
    kind: str = "GUNW"
    part: str = "whole"
    """Of the ground about the chip: `whole`, `north` or `south`."""
    days: tuple[str, str] | None = None
    """Of the scenes that its file tells of; None: those of its name."""
    times: Mapping[str, object] | None = None
    """What the catalogue says of when it was sensed."""
    same_as: int | None = None
    """The place in the list of another whose very entry in the catalogue this is, but for `told`."""
    told: Mapping[str, object] = field(default_factory=dict)
    """What the entry says beside, and not of the file: `n_bytes`, `md5`, `href`, `box`."""

    @property
    def channel(self) -> str:
        return f"{self.later}_{self.earlier}_{self.direction}{self.track}"


@dataclass(frozen=True, slots=True)
class Paired:
    """Products over one chip, and what must come of them."""

    name: str
    offered: Sequence[Made]
    pairs: Sequence[Sequence[int]]
    """Of each channel the products that it is made of, by their places in the list; of a cell that several have, the first counts."""
    bad: Mapping[int, str] = field(default_factory=dict)
    """Words of the reason why a product cannot be used."""

    @property
    def is_far_alone(self) -> bool:
        """A folder cannot hold two files of one name, and says nothing of times."""
        return any(made.same_as is not None or made.times is not None for made in self.offered)


def twice() -> Iterator[Paired]:
    """The same pair more than once, and pairs that are hardly others."""
    one, again = Made(0.3), Made(0.3, same_as=0)
    other = Made(0.7, earlier="20200120")
    yield Paired("one entry twice", [one, other, again], [[0], [1]])
    yield Paired("one entry five times", [one, *[again] * 4], [[0]])
    yield Paired("version 2 and 3", [one, Made(0.7, version="v3_0_1")], [[1]])
    yield Paired("version 2 and 3, once more each", [one, Made(0.7, version="v3_0_1"), again], [[1]])
    yield Paired("both forms of names", [one, Made(0.7, version="v2_0_6")], [[1]])
    yield Paired("processed six times", [Made(0.1 * n + 0.1, version=v) for n, v in enumerate(VERSIONS)], [[6]])
    yield Paired("processed again, other pairs not", [one, other, Made(0.5, version="v3_0_0")], [[2], [1]])
    yield Paired("two copies under two hashes", [one, Made(0.3)], [[0]])
    yield Paired("two of one version that differ", [one, Made(0.7)], [[0]])
    yield Paired("one of special order beside", [Made(0.7, kind="GUNW_CUSTOM"), one], [[1]])
    yield Paired("two tracks", [one, Made(0.7, track="087")], [[0], [1]])
    yield Paired("ascending with descending", [one, Made(0.7, direction="A")], [[0], [1]])
    yield Paired("both ways on tracks of their own", [one, Made(0.7, track="078", direction="A")], [[0], [1]])
    yield Paired("one later day, two earlier", [one, Made(0.7, earlier="20200126")], [[0], [1]])
    yield Paired("one earlier day, two later", [one, Made(0.7, later="20200219")], [[0], [1]])
    yield Paired("a chain of pairs", [Made(0.5, *days) for days in _chain(4)], [[n] for n in range(4)])
    yield Paired(
        "nine pairs", [Made(0.1 * n + 0.1, *days) for n, days in enumerate(_chain(9))], [[n] for n in range(9)]
    )
    north, south = Made(0.3, part="north"), Made(0.7, part="south")
    yield Paired("two frames", [north, south], [[0, 1]])
    yield Paired("two frames, each twice", [north, south, again, Made(0.7, same_as=1)], [[0, 1]])
    yield Paired("two frames of two versions", [north, Made(0.7, part="south", version="v3_0_1")], [[1, 0]])
    yield Paired("half of it processed again", [one, Made(0.7, part="south", version="v3_0_1")], [[1, 0]])
    yield Paired("two frames of two tracks", [north, Made(0.7, part="south", track="087")], [[0], [1]])


def _chain(count: int) -> list[tuple[str, str]]:
    days = [date(2020, 1, 3) + timedelta(2 * n) for n in range(count + 1)]
    return [(f"{later:%Y%m%d}", f"{earlier:%Y%m%d}") for earlier, later in pairwise(days)]


def at_the_rim() -> Iterator[Paired]:
    """About the ends of the period, the most days, months, years and the leap day."""
    beside = Made(0.7)
    for later, earlier, is_in in (
        ("20191231", "20191225", True), ("20191230", "20191224", False), ("20200301", "20200224", True),
        ("20200302", "20200225", False), ("20191231", "20191207", True), ("20191231", "20191206", False),
        ("20200301", "20200206", True), ("20200301", "20200205", False), ("20200229", "20200205", True),
        ("20200301", "20200229", True), ("20200229", "20200228", True), ("20200106", "20191231", True),
        ("20200101", "20191231", True), ("20200201", "20200131", True), ("20210213", "20200213", False),
        ("20200213", "20190213", False), ("20200213", "20200212", True),
    ):  # fmt: skip
        yield Paired(
            f"{later} and {earlier}",
            [Made(0.3, later, earlier)] if is_in else [beside, Made(0.3, later, earlier)],
            [[0]],
        )


def told_times() -> Iterator[Paired]:
    """What the catalogue says of times beside the name, which alone counts."""
    told: Mapping[str, Mapping[str, object]] = {
        "none": {},
        "14 hours east": {"SingleDateTime": "2020-02-14T09:00:00+14:00"},
        "12 hours west": {"SingleDateTime": "2020-02-12T20:00:00-12:00"},
        "of the earlier day": {"SingleDateTime": "2020-02-01T16:15:40Z"},
        "of another year": {"SingleDateTime": "2031-02-01T16:15:40Z"},
        "from end to beginning": {
            "RangeDateTime": {"BeginningDateTime": "2020-02-13T16:15:40Z", "EndingDateTime": "2020-02-01T16:15:40Z"}
        },
        "a word": {"SingleDateTime": "yesterday"},
        "a list": {"RangeDateTimes": [{"BeginningDateTime": None}]},
    }
    for name, times in told.items():
        yield Paired(f"times told: {name}", [Made(0.3, times=times), Made(0.7, earlier="20200126")], [[0], [1]])


def unusable() -> Iterator[Paired]:
    """Days, tracks and files that are none, beside a pair that is whole."""
    good = Made(0.7, earlier="20200126")
    for name, later, earlier, words in (
        ("the earlier day first", "20200201", "20200213", "later date stands second"),
        ("one day twice", "20200213", "20200213", "later date stands second"),
        ("30 February", "20200230", "20200213", "no day"), ("no leap year", "20190301", "20190229", "no day"),
        ("month 13", "20201301", "20200213", "no day"), ("day 0", "20200200", "20200113", "no day"),
        ("year 0", "20200213", "00000201", "no day"),
    ):  # fmt: skip
        yield Paired(name, [Made(0.3, later, earlier), good], [[1]], {0: words})
    for track in ("000", "176"):
        yield Paired(f"track {track}", [Made(0.3, track=track), good], [[1]], {0: "tracks"})
    for name, days in {
        "the later": ("20200219", "20200201"), "the earlier": ("20200213", "20200131"),
        "both, in turn": ("20200201", "20200213"), "both": ("20210213", "20210201"),
    }.items():  # fmt: skip
        yield Paired(f"its file is of other days: {name}", [Made(0.3, days=days), good], [[1]], {0: "its scenes of"})
    others: Mapping[str, Mapping[str, object]] = {
        "sizes": {"n_bytes": 7}, "digests": {"md5": "1" * 32}, "addresses": {"href": "https://example.com"},
        "outlines": {"box": 0.02},
    }  # fmt: skip
    for name, told in others.items():
        twin = Made(0.3, same_as=0, told=told)
        yield Paired(f"one name, two {name}", [Made(0.3), good, twin], [[1]], {0: "twice"})


def drawn(rng: np.random.Generator, name: str) -> Paired:
    """Up to three pairs, each processed up to three times and of one frame or two, and some of it twice; the newest counts."""
    offered: list[Made] = []
    pairs: dict[str, list[int]] = {}
    for _ in range(int(rng.integers(1, 4))):
        later = FIRST + timedelta(int(rng.integers(-20, (LAST - FIRST).days + 20)))
        earlier = later - timedelta(int(rng.integers(1, MOST_DAYS + 6)))
        track, direction = str(rng.choice(["014", "087"])), str(rng.choice(["A", "D"]))
        way = f"{later:%Y%m%d}", f"{earlier:%Y%m%d}", track, direction
        if Made(0.5, *way).channel in pairs:
            continue
        versions = sorted(rng.choice(len(VERSIONS), int(rng.integers(1, 4)), replace=False).tolist(), reverse=True)
        parts = ("whole",) if rng.random() < 0.7 else ("north", "south")
        first = len(offered)
        offered += [
            Made(float(rng.integers(1, 10)) / 10, *way, version=VERSIONS[n], part=part)
            for n in versions
            for part in parts
        ]
        is_in = FIRST <= later <= LAST and (later - earlier).days <= MOST_DAYS
        pairs[offered[-1].channel] = list(range(first, len(offered))) if is_in else []
    again = [Made(0.5, same_as=int(n)) for n in rng.integers(0, len(offered), int(rng.integers(0, 3)))]
    return Paired(name, [*offered, *again], [own for own in pairs.values() if own])
