"""Deliveries of a satellite that a catalogue might offer of one chip, and what a month must be that is made of them.

Every file is as wide as the whole row of chips and holds one number, over the whole of each chip or over its left or right half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from faults.scenes import CLEAR, CLOUD, FIRST, OPTICAL, RADAR_NO_DATA, SIDE_PX, Item, item_of, outline_over, write_tif
from terrashot.domain.grid import Chip
from terrashot.errors import InputError
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.checked_offset import checked_offset
from terrashot.ingest.window import OpenPlane
from terrashot.remote.stac_item import acquisition_of

Part = Literal["whole", "left", "right"]


@dataclass(frozen=True, slots=True)
class Sensed:
    """One delivery of Sentinel-2."""

    value: int
    """Reflectance of the ground x 10,000."""
    at: str | None = "2020-02-10T11:00:00Z"
    part: Part = "whole"
    tile: str | None = "29RKH"
    platform: str | None = "sentinel-2a"
    baseline: str | None = "02.14"
    made: str | None = None
    flag: bool | None = None
    """What the item says of the offset of 1000: applied by the catalogue, or not."""
    stated: float | None = None
    """raster:offset."""
    shift: int = 0
    """What was added to the numbers of the file."""
    is_cloudy: bool = False
    same_as: int | None = None
    """An item that is there before: the very same one, under the same id."""
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def shown(self) -> np.ndarray:
        """What it shows of a chip; NaN where it does not."""
        return np.where(_is_in(self.part), np.float64(self.value) / 10_000, np.nan)

    @property
    def files(self) -> dict[str, str]:
        return {"red": f"{self.value + self.shift}-{self.part}.tif", "scl": f"scl-{self.is_cloudy}.tif"}

    def item(self, name: str, chip: Chip) -> Item:
        """As the catalogue offers it."""
        made = item_of(
            name, outline_over(chip), self.files, datetime=self.at, platform=self.platform,
            grid__code=self.tile and f"MGRS-{self.tile}", s2__processing_baseline=self.baseline, s2__generation_time=self.made,
            earthsearch__boa_offset_applied=self.flag, **self.more,
        )  # fmt: skip
        if self.stated is not None:
            made["assets"]["red"]["raster:bands"] = [{"offset": self.stated, "scale": 0.0001}]
        return made

    def write(self, folder: Path, n_chips: int) -> None:
        """Its files, unless another one has them."""
        red, scl = (folder / name for name in self.files.values())
        if not red.exists():
            pixels = np.where(_is_in(self.part), self.value + self.shift, 0).astype(np.uint16)
            _write(red, pixels, n_chips, nodata=0)
        if not scl.exists():
            classes = CLOUD if self.is_cloudy else CLEAR
            _write(scl, np.full((SIDE_PX, SIDE_PX), classes, np.uint8), n_chips, nodata=0)


@dataclass(frozen=True, slots=True)
class Echo:
    """One delivery of Sentinel-1, in power."""

    value: float
    at: str = "2020-02-03T06:10:00Z"
    part: Part = "whole"
    orbit: str | None = "ascending"
    platform: str | None = "sentinel-1a"
    made: str | None = None
    same_as: int | None = None

    @property
    def shown(self) -> np.ndarray:
        """As of `Sensed`."""
        return np.where(_is_in(self.part), np.float64(np.float32(self.value)), np.nan)

    def item(self, name: str, chip: Chip) -> Item:
        """As of `Sensed`."""
        return item_of(
            name, outline_over(chip), {"vv": f"vv-{self.value}-{self.part}.tif"}, datetime=self.at, platform=self.platform,
            sat__orbit_state=self.orbit, s1__processing_datetime=self.made,
        )  # fmt: skip

    def write(self, folder: Path, n_chips: int) -> None:
        """As of `Sensed`."""
        path = folder / f"vv-{self.value}-{self.part}.tif"
        if not path.exists():
            pixels = np.where(_is_in(self.part), self.value, RADAR_NO_DATA).astype(np.float32)
            _write(path, pixels, n_chips, nodata=RADAR_NO_DATA)


def _is_in(part: Part) -> np.ndarray:
    """Which pixels of a chip the part has (H, W)."""
    is_left = np.indices((SIDE_PX, SIDE_PX))[1] < SIDE_PX // 2
    return {"whole": np.ones_like(is_left), "left": is_left, "right": ~is_left}[part]


def _write(path: Path, of_chip: np.ndarray, n_chips: int, nodata: float) -> None:
    """The same over every chip of the row, and over those between them."""
    west, _, _, north = FIRST.bounds_m
    write_tif(path, np.tile(of_chip, 2 * n_chips), west, north, nodata=nodata)


def offsets_of(items: Sequence[Item], open_plane: OpenPlane) -> dict[str, Offset | str]:
    """What is subtracted from the numbers of each item, or why that cannot be known, as a study finds it."""
    found: dict[str, Offset | str] = {}
    for item in items:
        try:
            found[str(item["id"])] = checked_offset(acquisition_of(item), OPTICAL, open_plane)
        except InputError as error:
            found[str(item["id"])] = str(error)
    return found


def month_of_passes(passes: Sequence[Sequence["Sensed | Echo"]], statistic: str) -> np.ndarray:
    """What passes make together (H, W): each pixel of a pass from the first of its deliveries that has it, once."""
    layers = []
    for deliveries in passes:
        layer = np.full((SIDE_PX, SIDE_PX), np.nan)
        for delivery in deliveries:
            layer = np.where(np.isnan(layer), delivery.shown, layer)
        layers.append(layer)
    own = np.stack(layers)
    made = [
        np.nan if np.isnan(pixel).all() else _one(pixel[~np.isnan(pixel)], statistic)
        for pixel in own.reshape(len(own), -1).T
    ]
    return np.array(made).reshape(SIDE_PX, SIDE_PX)


def _one(values: np.ndarray, statistic: str) -> float:
    return float(values.mean() if statistic == "mean" else np.median(values))
