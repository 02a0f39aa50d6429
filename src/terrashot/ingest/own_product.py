"""`scenes.toml` in a folder of a user's own scenes: which bands their files have, and in what unit."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from terrashot.errors import InputError, one_line
from terrashot.ingest.channel_file import nearest
from terrashot.raster.asset import AssetHeader
from terrashot.remote.profiles import MaskKind, Profile, Unit

MAX_BYTES = 1 << 20
KEYS = ("bands", "unit", "scale", "offset", "nodata")
MASKS: tuple[MaskKind, ...] = get_args(MaskKind)
OPTICAL_UNITS: tuple[Unit, ...] = ("reflectance",)
RADAR_UNITS: tuple[Unit, ...] = ("power", "amplitude", "dB")


@dataclass(frozen=True, slots=True)
class OwnProduct:
    """What every file of a folder holds."""

    bands: tuple[str, ...]
    """Kinds of channel in the files' order; one may be a mask."""
    unit: Unit
    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Without the mask."""
        return tuple(band for band in self.bands if band not in MASKS)

    def profile(self, name: str) -> Profile:
        """The folder as a catalogue has a product."""
        mask = next((band for band in MASKS if band in self.bands), None)
        channels = {kind: f"data#{kind}" for kind in self.kinds}
        found = Profile("your own files", "", name, channels, self.unit)
        return found if mask is None else replace(found, mask=f"data#{mask}", mask_kind=mask)

    def bands_of(self, header: AssetHeader) -> list[dict[str, object]]:
        """What is said of each band of a file, in the form of STAC's raster extension; a mask's numbers are as stored."""
        scales, offsets = header.scales, header.offsets
        return [
            _told(name, self.nodata, None, None)
            if name in MASKS
            else _told(
                name,
                self.nodata if self.nodata is not None else header.nodata,
                scales[at] if self.scale is None else self.scale,
                offsets[at] if self.offset is None else self.offset,
            )
            for at, name in enumerate(self.bands)
        ]


def read_own_product(path: Path, wanted: Sequence[str] | None, units: Sequence[Unit]) -> OwnProduct:
    """What the file says.

    Args:
        wanted: kinds of channel that must be among the bands; None: no matter which.
        units: that make sense here.

    Raises:
        InputError: no such file, no TOML, an unknown key, unit or band, or a number that is none.
    """
    content = _content(path)
    bands, unit = content.get("bands"), next((known for known in units if known == content.get("unit")), None)
    if not isinstance(bands, list) or not bands or not all(isinstance(b, str) and b for b in bands):
        raise InputError(f'{path}: bands must be a list of names in the files\' order, as ["red", "green", "blue"]')
    if len(set(bands)) < len(bands) or sum(band in MASKS for band in bands) > 1:
        raise InputError(f"{path}: bands: each name once, and one mask at most ({', '.join(MASKS)})")
    if unit is None:
        raise InputError(f"{path}: unit must be one of {', '.join(units)}; found {str(content.get('unit'))[:40]!r}")
    absent = [kind for kind in wanted or () if kind not in bands]
    if absent:
        raise InputError(
            f"{path}: no band '{absent[0]}' among {', '.join(bands)}; {nearest(absent[0], bands)}".rstrip("; ")
        )
    numbers = {key: _number(path, key, content[key]) for key in ("scale", "offset", "nodata") if key in content}
    return OwnProduct(tuple(bands), unit, **numbers)


def _content(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise InputError(f"{path}: not there; it names the bands and the unit of the scenes (docs/ingest.md)")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: over {MAX_BYTES} bytes; it is a few lines")
        content = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as TOML: {one_line(error)}") from None
    for key in content:
        if key not in KEYS:
            raise InputError(f"{path}: unknown key '{key}'; {nearest(key, KEYS) or 'known keys: ' + ', '.join(KEYS)}")
    return content


def _number(path: Path, key: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or (key == "scale" and value == 0):
        raise InputError(
            f"{path}: {key} must be a finite number{', not 0' if key == 'scale' else ''}; found {value!r:.40}"
        )
    return float(value)


def _told(name: str, nodata: float | None, scale: float | None, offset: float | None) -> dict[str, object]:
    told = {"name": name, "nodata": nodata, "scale": scale, "offset": offset}
    # JSON has no NaN; pixels that are none are no data whether or not somebody says so.
    return {key: value for key, value in told.items() if value is not None and value == value}
