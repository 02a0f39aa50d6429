"""Real pixels by land cover, out of the sample data beside the checkout; `compare_with_real.py` prints them.

What they must not be asked: radar places are few (18, five of them Belgian) and their months those that somebody chose to
publish. TerraMind's backscatter is gamma nought, 0.6 to 1.6 dB above sigma nought; it and Sen1Floods11 are single dates,
with more speckle than a month's mean. Water is floods and muddy rivers more than lakes and sea; Sen1Floods11 counts flooded
crops as water. Cropland of the two composites is what a model took for it. Coherence is a city and a desert, no more.
Licences and units: SOURCE.md in each folder.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

import h5netcdf
import numpy as np
import rasterio

RGB: Final = ("red", "green", "blue")
POLARISATIONS: Final = ("VV", "VH")
WORLDCOVER: Final = {10: "tree", 30: "grass", 40: "crop", 50: "built", 60: "bare", 80: "water"}
"""Shrub, wetland, snow and moss have no cover of ours."""
TERRAMESH: Final = {1: "water", 2: "tree", 4: "crop", 5: "built", 6: "bare", 9: "grass"}
"""Its legend is Esri's without gaps: 3 flooded vegetation, 7 snow, 8 cloud, 9 rangeland. Not published with the chips;
seen in them: 7 is a white January scene, 4 shows fields, 2 has a vegetation index of 0.7 to 0.9."""
WORLDCEREAL: Final = {11: "crop", 13: "grass", 60: "built"}
"""Land cover of the WorldCereal polygons; every 13 has crop type 9120, mown grass; 60 by its bright echoes."""
SEN1FLOODS11: Final = {0: "land", 1: "water"}
SNOW_SCENE, OFFSET_SCENE = "609U_541L_3_0", "433D_629L_3_1"
"""Of TerraMind: one all snow, one whose offset of 1000 was not removed."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one quantity over one kind of ground at one place."""

    quantity: str
    ground: str
    values: np.ndarray


def by_mask(planes: np.ndarray, names: Iterable[str], masks: Mapping[str, np.ndarray]) -> Iterator[Sample]:
    """Samples of planes (quantity, ..., row, column) under the mask (row, column) of each ground."""
    for name, plane in zip(names, planes, strict=True):
        yield from (Sample(name, ground, plane[..., mask].ravel()) for ground, mask in masks.items())


def masks_of(classes: np.ndarray, legend: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Where a map of classes shows each of the grounds of its legend."""
    return {ground: classes == code for code, ground in legend.items()}


def in_days(days: int) -> str:
    """The name of a quantity: coherence so many days apart; sorts by them."""
    return f"{days:3} days"


def real_optical(data: Path) -> Iterator[Sample]:
    """Chips with WorldCover near 30 m; TerraMind and WorldCereal at 10 m, clouds left out by their blue."""
    with np.load(data / "water_worldcover_chips/chips.npz") as chips:
        for bgrn, classes in zip(chips["reflectance_bgrn"] / 1e4, chips["worldcover"], strict=True):
            rgb = np.where(bgrn[0] < 0.25, bgrn[2::-1], np.nan)
            yield from by_mask(rgb, RGB, masks_of(classes, WORLDCOVER))
    for path in terramind(data):
        yield from by_mask(terramind_rgb(path), RGB, _terramind_masks(path))
    for rgb, _, classes in worldcereal(data):
        yield from by_mask(rgb, RGB, masks_of(classes, WORLDCEREAL))


def real_radar(data: Path) -> Iterator[Sample]:
    """TerraMind and Sen1Floods11 by date, WorldCereal by month; `land` is what Sen1Floods11 calls dry."""
    for path in terramind(data):
        yield from by_mask(terramind_db(path), POLARISATIONS, _terramind_masks(path))
    samples, spain = data / "sen1floods11_s1_samples", data / "sen1floods11-spain"
    for path in [*sorted(samples.glob("*_S1Hand.tif")), *spain.glob("S1/*.tif")]:
        label = path.name.replace("S1Hand", "LabelHand")
        classes = _read((spain / "Labels" if path.parent.name == "S1" else samples) / label)[0]
        yield from by_mask(_read(path), POLARISATIONS, masks_of(classes, SEN1FLOODS11))
    for _, db, classes in worldcereal(data):
        coarser = len(classes) // db.shape[2]
        yield from by_mask(db, POLARISATIONS, masks_of(classes[::coarser, ::coarser], WORLDCEREAL))


def real_coherence(data: Path) -> Iterator[Sample]:
    """Pairs over Mexico City at 150 m; one over Morocco, averaged from 15 m to 90 m, by quarters of its amplitude too."""
    for days, pair in mexico(data):
        yield Sample(in_days(days), "town", pair.ravel())
    coherence, amplitude = morocco(data)
    edges = np.nanquantile(amplitude, (0, 0.25, 0.5, 0.75, 1))
    quarters = {f"bare, {n}. quarter of echo": (amplitude >= low) & (amplitude <= high)
                for n, (low, high) in enumerate(pairwise(edges), 1)}  # fmt: skip
    yield from by_mask(coherence[None], [in_days(12)], {"bare": np.isfinite(coherence)} | quarters)


def _read(path: Path) -> np.ndarray:
    """Bands, rows and columns."""
    with rasterio.open(path) as file:
        return file.read()


def _beside(path: Path, kind: str) -> Path:
    return path.parents[1] / kind / path.name


def terramind(data: Path) -> list[Path]:
    """Maps of the scenes without snow; the other layers lie beside them."""
    paths = sorted((data / "terramind-s1rtc-s2l2a-lulc/LULC").glob("*.tif"))
    return [path for path in paths if path.stem != SNOW_SCENE]


def terramind_rgb(path: Path) -> np.ndarray:
    """Reflectance."""
    offset = 1000 if path.stem == OFFSET_SCENE else 0
    return (_read(_beside(path, "S2L2A"))[[3, 2, 1]] - offset) / 1e4


def terramind_db(path: Path) -> np.ndarray:
    """VV and VH."""
    return _read(_beside(path, "S1RTC"))


def _terramind_masks(path: Path) -> dict[str, np.ndarray]:
    """By the map of a year; water only where that day's near infrared is no brighter than red."""
    masks, bands = masks_of(_read(path)[0], TERRAMESH), _read(_beside(path, "S2L2A"))
    return masks | {"water": masks["water"] & (bands[7] <= bands[3])}


def worldcereal(data: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Reflectance and dB (quantity, time, row, column) of each place and its classes on the grid of 10 m."""
    folder = data / "worldcereal_s1s2_timeseries"
    for path in sorted(folder.glob("OUTPUT_POLY*.nc")):
        site = path.name.removeprefix("OUTPUT_POLY-110_10m")
        radar, optical = folder / f"S1_GRD-ASCENDING_20m{site}", folder / f"S2_L2A_10m{site}"
        rgb = _scaled(optical, ("B04", "B03", "B02")) if optical.exists() else np.full((3, 1, 64, 64), np.nan)
        yield _clear(rgb), _by_month(_scaled(radar, POLARISATIONS)), _variables(path, ["LC"])[0]
    path = next(folder.glob("WORLDCEREAL-INPUTS*.nc"))
    is_crop = _variables(path, ["WORLDCEREAL_TEMPORARYCROPS_2021"])[0] == 100
    yield _clear(_composites(path, ("B4", "B3", "B2")) / 1e4), _dn_to_db(_composites(path, POLARISATIONS)), 11 * is_crop
    path = folder / "worldcereal_preprocessed_inputs.nc"
    with h5netcdf.File(folder / "worldcereal_cropland_classification.nc") as file:
        is_crop = file["__xarray_dataarray_variable__"][0] == 1
    rgb = _composites(path, [f"S2-L2A-{band}" for band in ("B04", "B03", "B02")]) / 1e4
    yield _clear(rgb), _dn_to_db(_composites(path, [f"S1-SIGMA0-{name}" for name in POLARISATIONS])), 11 * is_crop


def _variables(path: Path, names: Iterable[str]) -> np.ndarray:
    with h5netcdf.File(path) as file:
        return np.stack([file[name][:] for name in names])


def _scaled(path: Path, names: Iterable[str]) -> np.ndarray:
    """Integers of single dates in their unit; their no-data is 0."""
    stored = _variables(path, names)
    return np.where(stored == 0, np.nan, stored * 1e-4)


def _composites(path: Path, names: Iterable[str]) -> np.ndarray:
    """Unsigned integers that the file declares signed; their no-data is 65535."""
    stored = _variables(path, names).astype(np.uint16)
    return np.where((stored == 0) | (stored == 65535), np.nan, stored)


def _dn_to_db(dn: np.ndarray) -> np.ndarray:
    return 20 * np.log10(dn) - 83


def _by_month(db: np.ndarray) -> np.ndarray:
    """Means in power of five dates at a time: a simulated month holds three to six."""
    whole = db.shape[1] // 5 * 5
    power = 10 ** (db[:, :whole] / 10)
    return 10 * np.log10(power.reshape(len(db), -1, 5, *db.shape[2:]).mean(axis=2))


def _clear(rgb: np.ndarray) -> np.ndarray:
    """Without the dates whose blue betrays clouds or that miss a pixel in twenty; nobody masked them."""
    blue = rgb[2].reshape(rgb.shape[1], -1)
    there = np.isfinite(blue).mean(axis=1) > 0.95
    dark = (np.nanmean(blue[there], axis=1) < 0.08) & (np.nanquantile(blue[there], 0.9, axis=1) < 0.11)
    return rgb[:, there][:, dark]


def mexico(data: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Days and coherence of every pair."""
    for path in sorted((data / "pyrate-cropA-s1-coherence/geotiffs").glob("*_cc.tif")):
        earlier, later = (date.fromisoformat(day) for day in path.name.split("_")[1].split("-"))
        coherence = _read(path)[0]
        yield (later - earlier).days, np.where(coherence > 0, coherence, np.nan)


def morocco(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Coherence and amplitude, means of 6 x 6 pixels that are all there."""
    planes = np.stack([_read(data / f"eotools-s1-coherence-morocco/{name}_vv.tif")[0] for name in ("coh", "amp_prm")])
    planes = np.where((planes > 0).all(axis=0), planes, np.nan)[:, :552, :672]
    coherence, amplitude = planes.reshape(2, 92, 6, 112, 6).mean(axis=(2, 4))
    return coherence, amplitude
