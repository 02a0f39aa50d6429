"""A user's own GeoTIFFs, whole scenes in any coordinate system, as STAC items and a product.

FOLDER/
  scenes.toml      bands = ["red", "green", "blue", "scl"]    # of every file, in order; a band called scl, qa60 or
                   unit = "reflectance"                       # cloud_score hides clouds. Radar: power, amplitude or dB
                   scale = 0.0001                             # value = stored * scale + offset, where the files do not say
                   nodata = 0
  scenes.csv       file, time, and if known: platform, orbit  # not needed where each file's name holds its date
  2020-01-05.tif
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from terrashot.domain.cells import cut_at_antimeridian
from terrashot.errors import InputError
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.own_product import OwnProduct, read_own_product
from terrashot.ingest.scene import OWN
from terrashot.raster.asset import AssetHeader, open_asset
from terrashot.remote.profiles import Unit
from terrashot.store.csvfile import CsvTable, read_csv, refuse_rows, repeated

COLUMNS = ("file", "time", "platform", "orbit")
ORBITS = ("", "ascending", "descending")
DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})([-_]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)", re.ASCII)
SUFFIXES = (".tif", ".tiff")
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One file, and when it was sensed."""

    name: str
    sensed: datetime
    platform: str = ""
    orbit: str = ""


def read_own_scenes(
    folder: Path, wanted: Sequence[str] | None, units: Sequence[Unit]
) -> tuple[OwnProduct, tuple[dict[str, Any], ...]]:
    """What the files show, and an item for each; their headers alone are read.

    Args:
        wanted, units: as `read_own_product`.

    Raises:
        InputError: no such folder, no scene in it, a bad `scenes.toml` or `scenes.csv`, or a file that is no GeoTIFF with a
            place; names it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of scenes")
    product = read_own_product(folder / "scenes.toml", wanted, units)
    return product, tuple(_item(folder, file, product) for file in _files(folder))


def _files(folder: Path) -> list[OwnFile]:
    if (folder / "scenes.csv").is_file():
        return _listed(read_csv(folder / "scenes.csv"), folder / "scenes.csv")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"{folder}: no GeoTIFF in it; put the scenes there as .tif")
    return [OwnFile(path.name, _dated(path)) for path in paths]


def _dated(path: Path) -> datetime:
    found = {match.group(1) + match.group(3) + match.group(4) for match in DATE_IN_NAME.finditer(path.stem)}
    if len(found) != 1:
        what = "no date" if not found else f"several dates ({', '.join(sorted(found))})"
        raise InputError(f"{path}: {what} in its name; write it as 2020-01-31, or list the files in scenes.csv")
    moment = _moment(found.pop())
    if moment is None:
        raise InputError(f"{path}: the date in its name is no day of the calendar; list the files in scenes.csv")
    return moment


def _moment(text: str) -> datetime | None:
    """In UTC; a time without a zone is taken for UTC, a day for its noon."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_day = len(text) <= 10
    moment = moment.replace(hour=12) if is_day else moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _listed(table: CsvTable, path: Path) -> list[OwnFile]:
    unknown = [name for name in table.names if name not in COLUMNS]
    if unknown or not {"file", "time"} <= set(table.names):
        raise InputError(
            f"{path}: line 1: columns must be file, time and any of {', '.join(COLUMNS[2:])}; "
            f"found {', '.join(unknown or table.names)[:120]}"
        )
    cells = [table.column(name) if name in table.names else [""] * len(table.rows) for name in COLUMNS]
    rows = list(zip(*cells, strict=True))
    bad = [(line, wrong) for row, line in zip(rows, table.lines, strict=True) for wrong in _faults(path.parent, *row)]
    refuse_rows(path, bad or repeated(cells[0], table.lines))
    return [OwnFile(name, moment, *told) for name, text, *told in rows if (moment := _moment(text))]


def _faults(folder: Path, name: str, text: str, platform: str, orbit: str) -> list[str]:
    """What is wrong with a row of scenes.csv."""
    checks = {
        f"no file '{name[:80]}' there": not _is_there(folder, name),
        f"'{text[:40]}' is no time; write 2020-01-31T10:30:00Z": _moment(text) is None,
        f"platform '{platform[:40]}' is longer than a name": len(platform) > LONGEST_NAME,
        f"orbit '{orbit[:40]}' is neither ascending nor descending": orbit not in ORBITS,
    }
    return [wrong for wrong, is_so in checks.items() if is_so]


def _is_there(folder: Path, name: str) -> bool:
    return bool(name) and "\0" not in name and (folder / name).is_file()


def _item(folder: Path, file: OwnFile, product: OwnProduct) -> dict[str, Any]:
    path = folder / file.name
    refuse_outside(path, folder)
    with open_asset(path) as asset:
        header = asset.header()
    if header.bands != len(product.bands):
        raise InputError(f"{path}: {header.bands} bands, where scenes.toml names {len(product.bands)}; mend either")
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": file.name,
        "collection": OWN,
        "geometry": shapely.geometry.mapping(_footprint(header)),
        "properties": _properties(file),
        "assets": {"data": {"href": file.name, "raster:bands": product.bands_of(header)}},
    }


def _properties(file: OwnFile) -> Mapping[str, str]:
    told = {"datetime": file.sensed.isoformat(), "platform": file.platform, "sat:orbit_state": file.orbit}
    return {key: text for key, text in told.items() if text}


def _footprint(header: AssetHeader) -> Any:
    lon_deg, lat_deg = header.place.outline_deg()
    ring = np.column_stack([lon_deg, lat_deg])
    if not np.isfinite(ring).all():
        raise InputError(f"{header.name}: part of it has no longitude and latitude; cut it to where it has")
    whole = shapely.Polygon(ring) if np.ptp(lon_deg) <= 180 else cut_at_antimeridian(ring)
    return shapely.make_valid(whole)
