"""GUNW products as the packager lays them out, filled with coherence of the caller's: by h5py, group by group.

Source: ACCESS-Cloud-Based-InSAR/DockerizedTopsApp ebe052c2; the layout stands in docs/coherence.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CELL_DEG = 1 / 1200
GRIDS = "science/grids/data"
V2 = "S1-GUNW-D-R-014-tops-20210723_20210711-161540-42666N_40796N-PP-7a85-v2_0_4"
V3 = "S1-GUNW-D-R-014-tops-20210723_20210711-161540-00119W_00033N-PP-6f1c-v3_0_1"


@dataclass(frozen=True, slots=True)
class Layout:
    """What differs from file to file."""

    version: int = 2
    south_up: bool = False
    has_fill: bool = True
    """Some early files say nothing of their fill value."""
    chunks: tuple[int, int] | None = (64, 64)


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
        data["crs"] = np.int32(0)
        _plane(data, "coherence", stored, layout)
        _plane(data, "unwrappedPhase", stored * 6, layout)
        _plane(data, "amplitude", stored * 1000, layout)
        _plane(data, "connectedComponents", np.where(stored > 0, 1, -1).astype(np.float32), layout, fill=-1.0)
        if layout.version > 2:
            _plane(data, "unfilteredCoherence", stored * np.float32(0.9), layout)
        geometry = file.create_group("science/grids/imagingGeometry")
        geometry["perpendicularBaseline"] = np.ones((4, 3, 3), np.float32)
        file.create_group("science/radarMetaData")["wavelength"] = 0.05546576
        for side in ("reference", "secondary"):
            file.create_group(f"science/radarMetaData/inputSLC/{side}")["L1InputGranules"] = np.array(
                [b"S1A_IW_SLC", b""]
            )
    return path


def _plane(data: Any, name: str, stored: np.ndarray, layout: Layout, fill: float = 0.0) -> None:
    chunks = (
        None if layout.chunks is None else tuple(min(pair) for pair in zip(layout.chunks, stored.shape, strict=True))
    )
    packing: dict[str, Any] = {} if chunks is None else {"chunks": chunks, "compression": "gzip", "shuffle": True}
    plane = data.create_dataset(name, data=stored, **packing)
    if layout.has_fill:
        plane.attrs["_FillValue"] = np.array([fill], np.float32)
