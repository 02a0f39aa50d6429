"""What `MODALITY.toml` beside a chip folder says of its channels, where the files do not.

    names = ["before_red", "after_red"]
    kinds = ["red", "red"]        # channels of one kind share mean and spread; default: the names
    units = "reflectance"         # reflectance, dB, coherence, dn or spreads
    scale = 0.0001                # value = stored * scale + offset
    offset = 0.0
    nodata = [0, 65535]           # stored numbers, any of which means no data
    differences = ["2020-01_vv - 2020-01_vh"]     # channels that readers derive: called 2020-01_vv-vh, kind vv-vh

A list holds one entry a channel, in their order; one entry stands for all channels. `nodata` alone is a list of numbers
that hold for every channel. What stands here goes before what a file says of itself.
"""

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import Channel, Difference
from terrashot.errors import InputError, one_line
from terrashot.raster.picture import Dates, Picture

MAX_BYTES = 1 << 20
UNITS = ("reflectance", "dB", "dB sigma0", "coherence", "dn", "spreads")
TEXTS = ("names", "kinds", "units", "differences")
MINUS = " - "


@dataclass(frozen=True, slots=True)
class ChannelFile:
    """Names, kinds, units and scaling of the channels; empty where the file is silent."""

    path: Path
    """For messages; there need not be such a file."""
    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    scale: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    nodata: tuple[float, ...] = ()
    differences: tuple[str, ...] = ()
    """`MINUEND - SUBTRAHEND`, by the names of channels."""

    def channel_differences(self, channels: Sequence[Channel]) -> tuple[Difference, ...]:
        """What is derived from the channels of a file.

        Raises:
            InputError: an entry names a channel that the files do not have, or two of different units.
        """
        by_name = {channel.name: channel for channel in channels}
        return tuple(self._difference(entry, by_name) for entry in self.differences)

    def _difference(self, entry: str, by_name: Mapping[str, Channel]) -> Difference:
        parts = entry.split(MINUS)
        if len(parts) != 2 or not set(parts) <= set(by_name):
            raise InputError(
                f"{self.path}: differences: '{entry}' must be two of the channels with ' - ' between: {', '.join(by_name)[:200]}"
            )
        minuend, subtrahend = (by_name[part] for part in parts)
        if minuend.unit != subtrahend.unit:
            raise InputError(
                f"{self.path}: differences: '{entry}': {minuend.unit} and {subtrahend.unit} have no difference"
            )
        tail = subtrahend.kind.rpartition("_")[2]
        channel = Channel(
            f"{minuend.name}-{tail}", f"{minuend.kind}-{tail}", minuend.unit, minuend.first_date, minuend.second_date
        )
        return Difference(channel, minuend.name, subtrahend.name)

    def channels(self, picture: Picture, modality: str) -> tuple[Channel, ...]:
        """The channels of a file: named here, else by the file, else by their dates, else c1, c2, ..."""
        count = len(picture.values)
        found = (name or _pair(dates) for name, dates in zip(picture.names, picture.dates, strict=True))
        names = self.names or tuple(name or f"c{index + 1}" for index, name in enumerate(found))
        if len(names) != count:
            raise InputError(f"{self.path}: {len(names)} names ({', '.join(names[:6])}) for {count} channels")
        if len(set(names)) < count:
            twice = next(name for index, name in enumerate(names) if name in names[:index])
            raise InputError(f"{self.path}: two channels are called '{twice}'; name them apart there")
        kinds = self._each("kinds", count) or (("coherence",) * count if modality == "gunw" else names)
        units = self._each("units", count) or self._file_units(picture, modality)
        return tuple(
            Channel(name, kind, unit, *dates)
            for name, kind, unit, dates in zip(names, kinds, units, picture.dates, strict=True)
        )

    def values(self, picture: Picture) -> Float32[np.ndarray, "C H W"]:
        """The file's numbers in the channels' units; NaN is no data."""
        values = picture.values.copy()
        for stored in self.nodata:
            values[picture.values == np.float32(stored)] = np.nan
        count = len(values)
        scale = self._each("scale", count) or picture.scale
        offset = self._each("offset", count) or picture.offset
        if any(factor != 1 for factor in scale) or any(step != 0 for step in offset):
            factors, steps = (np.array(found, dtype=np.float64)[:, None, None] for found in (scale, offset))
            values = (values * factors + steps).astype(np.float32)
        return values

    def _each(self, key: str, count: int) -> tuple[Any, ...]:
        """One entry a channel; empty where the file is silent."""
        stated: tuple[Any, ...] = getattr(self, key)
        if len(stated) in (0, count):
            return stated
        if len(stated) == 1:
            return stated * count
        raise InputError(
            f"{self.path}: {key} has {len(stated)} entries for {count} channels; give one, or one a channel"
        )

    def _file_units(self, picture: Picture, modality: str) -> Sequence[str | None]:
        """A scale stated here makes the file's own `dn` something else, which nobody named."""
        units = (None if unit == "dn" and (self.scale or self.offset) else unit for unit in picture.units)
        is_pair = (modality == "gunw" and None not in dates for dates in picture.dates)
        return tuple("coherence" if pair and unit is None else unit for unit, pair in zip(units, is_pair, strict=True))


def read_channel_file(path: Path) -> ChannelFile:
    """What the file says; nothing where there is none.

    Raises:
        InputError: no TOML, an unknown key or unit, or values of another type.
    """
    if not path.is_file():
        return ChannelFile(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES} bytes; a channel file is a few lines")
        content = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as TOML: {one_line(error)}") from None
    known = [field.name for field in fields(ChannelFile) if field.name != "path"]
    for key in content:
        if key not in known:
            hint = nearest(key, known) or f"known keys: {', '.join(known)}"
            raise InputError(f"{path}: unknown key '{key}'; {hint}")
    return ChannelFile(path, **{key: _entries(path, key, value) for key, value in content.items()})


def nearest(word: str, known: Sequence[str]) -> str:
    """`did you mean 'X'?`, or nothing where no known word is near."""
    same = [name for name in known if name.lower() == word.lower()]
    near = same or difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else ""


def _entries(path: Path, key: str, value: Any) -> tuple[Any, ...]:
    listed = tuple(value) if isinstance(value, list) else (value,)
    wanted: type | tuple[type, ...] = str if key in TEXTS else (int, float)
    if not listed or not all(isinstance(item, wanted) and not isinstance(item, bool) for item in listed):
        kind = "text" if key in TEXTS else "a number"
        raise InputError(f"{path}: {key} must be {kind}, or a list of them; found {str(value)[:60]!r}")
    if key in TEXTS:
        _refuse_bad_text(path, key, listed)
        return listed
    if key != "nodata" and not all(math.isfinite(item) and (item or key == "offset") for item in listed):
        raise InputError(f"{path}: {key} must be finite{', and not 0' if key == 'scale' else ''}; found {value}")
    return tuple(float(item) for item in listed)


def _refuse_bad_text(path: Path, key: str, listed: tuple[str, ...]) -> None:
    for text in listed:
        if key == "units" and text not in UNITS:
            raise InputError(
                f"{path}: units '{text}' are none of {', '.join(UNITS)}; {nearest(text, UNITS)}".rstrip("; ")
            )
        if not text.strip() or not text.isprintable() or len(text) > 128:
            raise InputError(f"{path}: {key} holds {text[:40]!r}; a name is 1 to 128 printable characters")


def _pair(dates: Dates) -> str | None:
    """`20200217_20200205`: later date first, as the products write it."""
    first, second = dates
    return f"{second}_{first}".replace("-", "") if first and second else None
