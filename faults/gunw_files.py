"""GUNW products as the packager lays them out, filled with coherence of the caller's: by h5py, group by group.

Source: ACCESS-Cloud-Based-InSAR/DockerizedTopsApp ebe052c2; the layout stands in docs/coherence.md.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CELL_DEG = 1 / 1200
GRIDS = "science/grids/data"
SCENES = "science/radarMetaData/inputSLC"
UNITS = {"latitude": "degrees_north", "longitude": "degrees_east"}
WGS84 = {
    "grid_mapping_name": "latitude_longitude", "longitude_of_prime_meridian": 0.0, "semi_major_axis": 6378137.0,
    "inverse_flattening": 298.257223563,
}  # fmt: skip
BY_LATITUDES = (2, 0, 4)
"""The last version whose names tell two latitudes."""


def gunw_name(
    later: str,
    earlier: str,
    at: tuple[float, float],
    *,
    track: str = "014",
    direction: str = "D",
    version: str = "v2_0_4",
    code: str = "7a85",
    kind: str = "GUNW",
) -> str:
    """The name, without `.nc`, of a product a fifth of a degree high about a longitude and latitude; in the form of its version."""
    if tuple(map(int, version[1:].split("_"))) <= BY_LATITUDES:
        place = "_".join(_side(lat * 1000, "NS") for lat in (at[1] + 0.1, at[1] - 0.1))
    else:
        place = f"{_side((at[0] + 180) % 360 - 180, 'EW')}_{_side(at[1] - 0.1, 'NS')}"
    return f"S1-{kind}-{direction}-R-{track}-tops-{later}_{earlier}-161540-{place}-PP-{code}-{version}"


def _side(number: float, ends: str) -> str:
    return f"{abs(round(number)):05d}{ends[number < 0]}"


MEXICO = (-99.1, 19.4)
V2 = gunw_name("20210723", "20210711", MEXICO)
V3 = gunw_name("20210723", "20210711", MEXICO, version="v3_0_1", code="6f1c")


@dataclass(frozen=True, slots=True)
class Layout:
    """What differs from file to file."""

    version: int = 2
    south_up: bool = False
    has_fill: bool = True
    """Some early files say nothing of their fill value."""
    chunks: tuple[int, int] | None = (64, 64)
    days: tuple[str, str] | None = None
    """Of the scenes that the file tells of, the later first; None: those of its name."""


def write_gunw(path: Path, coherence: np.ndarray, west_deg: float, north_deg: float, layout: Layout = Layout()) -> Path:
    """The file.

    Args:
        coherence: (rows, columns), north up; NaN is no data.
        west_deg, north_deg: middle of the first cell.
    """
    stored = np.where(np.isfinite(coherence), coherence, 0).astype(np.float32)
    lat_deg = north_deg - CELL_DEG * np.arange(stored.shape[0])
    if layout.south_up:
        stored, lat_deg = stored[::-1], lat_deg[::-1]
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {
                "Conventions": "CF-1.6",
                "title": "ARIA standard product UNW GEO IFG",
                "version": "1c" if layout.version > 2 else "1b",
            }
        )
        box = b"POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"
        file["productBoundingBox"] = np.frombuffer(box, "S1")[None]
        data = file.create_group(GRIDS)
        data["latitude"], data["longitude"] = lat_deg, west_deg + CELL_DEG * np.arange(stored.shape[1])
        for name, unit in UNITS.items():
            data[name].attrs["units"] = unit
        data["crs"] = np.int32(0)
        data["crs"].attrs.update(WGS84)
        _plane(data, "coherence", stored, layout)
        _plane(data, "unwrappedPhase", stored * 6, layout)
        _plane(data, "amplitude", stored * 1000, layout)
        _plane(data, "connectedComponents", np.where(stored > 0, 1, -1).astype(np.float32), layout, fill=-1.0)
        if layout.version > 2:
            _plane(data, "unfilteredCoherence", stored * np.float32(0.9), layout)
        geometry = file.create_group("science/grids/imagingGeometry")
        geometry["perpendicularBaseline"] = np.ones((4, 3, 3), np.float32)
        file.create_group("science/radarMetaData")["wavelength"] = 0.05546576
        named = re.search(r"(\d{8})_(\d{8})", path.name)
        days = layout.days or (named.groups() if named else ("20210723", "20210711"))
        for side, day in zip(("reference", "secondary"), days, strict=True):
            scene = f"S1A_IW_SLC__1SDV_{day}T161527_{day}T161554_035612_043598_B3A9.zip"
            file.create_group(f"{SCENES}/{side}")["L1InputGranules"] = np.array([scene.encode(), b""])
    return path


def _plane(data: Any, name: str, stored: np.ndarray, layout: Layout, fill: float = 0.0) -> None:
    chunks = (
        None if layout.chunks is None else tuple(min(pair) for pair in zip(layout.chunks, stored.shape, strict=True))
    )
    packing: dict[str, Any] = {} if chunks is None else {"chunks": chunks, "compression": "gzip", "shuffle": True}
    plane = data.create_dataset(name, data=stored, **packing)
    if layout.has_fill:
        plane.attrs["_FillValue"] = np.array([fill], np.float32)
