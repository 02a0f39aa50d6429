"""What `MODALITY.toml` beside a chip folder says of its channels, where the files do not."""

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import Channel
from terrashot.errors import InputError
from terrashot.raster.picture import Picture

MAX_BYTES = 1 << 20
UNITS = ("reflectance", "dB", "coherence", "dn")
Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ChannelFile:
    """Names, kinds, units and scaling of the channels, in their order; one value stands for all of them."""

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Channels of one kind share mean and spread; the names where none is given."""
    units: tuple[str, ...] = ()
    scale: Numbers = ()
    offset: Numbers = ()
    nodata: Numbers = ()
    """Stored values that mean no data."""

    def channels(self, picture: Picture, modality: str) -> tuple[Channel, ...]:
        """The channels of a file: named here, else by the file, else c1, c2, ..."""
        count = len(picture.values)
        names = self.names or tuple(name or f"c{index + 1}" for index, name in enumerate(picture.names))
        if len(names) != count or len(set(names)) < count:
            raise InputError(
                f"{modality}: {len(set(names))} distinct channel names ({', '.join(names[:6])}) for {count} channels"
            )
        kinds = self.kinds or (("coherence",) * count if modality == "gunw" else names)
        units = self._units(picture, modality, count)
        pairs = picture.pairs or (None,) * count
        return tuple(
            Channel(name, kind, unit, *(pair or (None, None)))
            for name, kind, unit, pair in zip(names, _each(kinds, count, modality), units, pairs, strict=True)
        )

    def values(self, picture: Picture) -> Float32[np.ndarray, "C H W"]:
        """The file's numbers in the channels' units; NaN is no data."""
        values = picture.values.copy()
        for stored in self.nodata:
            values[picture.values == np.float32(stored)] = np.nan
        count = len(values)
        if self.scale or self.offset:
            scale, offset = (np.array(_each(found or (neutral,), count, "scale"), dtype=np.float32)[:, None, None]
                             for found, neutral in ((self.scale, 1.0), (self.offset, 0.0)))  # fmt: skip
            values = values * scale + offset
        return values

    def _units(self, picture: Picture, modality: str, count: int) -> Sequence[str | None]:
        if self.units:
            return _each(self.units, count, modality)
        if picture.pairs and any(picture.pairs) and modality == "gunw":
            return ("coherence",) * count
        is_plain = (
            picture.is_integer
            and not self.scale
            and not self.offset
            and float(np.nanmin(picture.values, initial=0)) >= 0
        )
        return ("dn" if is_plain else None,) * count


def read_channel_file(path: Path) -> ChannelFile:
    """What the file says; nothing where there is none.

    Raises:
        InputError: no TOML, an unknown key or unit, or values of another type.
    """
    if not path.is_file():
        return ChannelFile()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES} bytes; a channel file is a few lines")
        content = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as TOML: {str(error)[:120]}") from None
    known = [field.name for field in fields(ChannelFile)]
    for key in content:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise InputError(
                f"{path}: unknown key '{key}'; "
                + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}")
            )
    return ChannelFile(**{key: _values(path, key, value) for key, value in content.items()})


def _values(path: Path, key: str, value: Any) -> tuple[Any, ...]:
    listed = tuple(value) if isinstance(value, list) else (value,)
    wanted: tuple[type, ...] = (str,) if key in ("names", "kinds", "units") else (int, float)
    if not listed or not all(isinstance(item, wanted) and not isinstance(item, bool) for item in listed):
        raise InputError(
            f"{path}: {key} must be {'text' if str in wanted else 'a number'}, or a list of them; found {value!r}"
        )
    if key == "units" and not set(listed) <= set(UNITS):
        raise InputError(f"{path}: units {listed} are none of {', '.join(UNITS)}")
    return listed if str in wanted else tuple(float(item) for item in listed)


def _each(found: Sequence[Any], count: int, where: str) -> Sequence[Any]:
    if len(found) == count:
        return found
    if len(found) == 1:
        return tuple(found) * count
    raise InputError(f"{where}: {len(found)} values ({', '.join(map(str, found[:6]))}) for {count} channels")
