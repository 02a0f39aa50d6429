"""What the names of geetiles' files and folders say: area, split, sensor, year, passes, bands.

Source: rramosp/geetiles d96b25af (names), rramosp/sartiles 0fb68da8 (`gunw-...`), spaceml-org/M3LEO 2245e844 (which sets there are).
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Sensor = Literal["s2rgbm", "s1grdm", "gunw", "worldcover", "mod44b", "ghsbuilts"]
Passes = Literal["asc", "des"]

IMAGERY: Final[tuple[Sensor, ...]] = ("s2rgbm", "s1grdm", "gunw")
"""The sensors whose names are those of our modalities."""
STEM: Final = re.compile(
    r"(?P<area>[A-Za-z0-9._-]{1,64}?)_partitions_(?P<kind>[A-Za-z0-9.-]+)_(?P<digest>[0-9a-f]{4,64})"
)
SETS: Final[tuple[tuple[Sensor, re.Pattern[str]], ...]] = (
    ("s2rgbm", re.compile(r"s2rgbm-(?P<year>\d{4})")),
    ("s1grdm", re.compile(r"s1grdm-(?P<year>\d{4})-(?P<passes>asc|des)(?:cending)?")),
    ("gunw", re.compile(r"gunw-\S+")),
    ("worldcover", re.compile(r"esaworldcover-(?P<year>\d{4})")),
    ("mod44b", re.compile(r"modis44b0\d\dveg(?:-\d{4})?")),
    ("ghsbuilts", re.compile(r"ghsbuilts-(?P<year>\d{4})")),
)
BAND: Final = re.compile(r"(?P<month>0[1-9]|1[0-2])_(?P<band>[a-z]+)")
SPLIT_LABEL: Final = re.compile(r"(?P<bands>\d+)bands_angle(?P<angle>\d{2,})_(?P<shares>[\d-]+)(?:_parquet)?")


@dataclass(frozen=True, slots=True)
class ChipSet:
    """One data set of one area: a folder with a tile a chip."""

    name: str
    sensor: Sensor
    year: int | None = None
    passes: Passes | None = None


def chip_set(name: str) -> ChipSet | None:
    """What the name of a data set says; None where it is none that is read."""
    for sensor, pattern in SETS:
        found = pattern.fullmatch(name)
        if found:
            told = found.groupdict()
            return ChipSet(name, sensor, int(told["year"]) if told.get("year") else None, told.get("passes"))  # type: ignore[arg-type]
    return None


def area_of(stem: str) -> str | None:
    """The area that the name of a partitions file says, without its ending; None where it is no such name."""
    found = STEM.fullmatch(stem)
    return found["area"] if found else None


def month_and_band(description: str | None, year: int) -> tuple[str, str] | None:
    """`2020-01` and `red` of a band described as `01_red`; None for any other description."""
    found = BAND.fullmatch(description or "")
    return (f"{year}-{found['month']}", found["band"]) if found else None


def split_told(label: str) -> str | None:
    """What the end of a splits file's name says of how it was made: `60bands_angle09_60-20-20`."""
    found = SPLIT_LABEL.fullmatch(label)
    if found is None:
        return None
    angle = f"{found['angle'][0]}.{found['angle'][1:]}"
    return f"{found['bands']} bands at {angle} rad, shares {found['shares'].replace('-', ' / ')}"
