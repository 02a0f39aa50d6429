"""Writes chips in the exact layout of geetiles and sartiles, from real or made numbers: degrees, wrapped decibels, bytes, pairs."""

import json
from pathlib import Path

import h5py
import numpy as np
import rasterio
from affine import Affine

STEM = "conus_partitions_aschips_293d95e3ee589"
SPLITS = f"{STEM}_splits_60bands_angle09_60-20-20.csv"
SIDE_DEG = (0.0072, 0.00576)
"""Longitude, latitude: 64 px of 10 m at 37 degrees."""
SIDE_PX = 64
SPLIT_OF = ("train", "train", "train", "test", "val")


def chip_id(number: int) -> str:
    return f"{0x141DCE56D692 + 7919 * number:013x}"


def bounds_of(number: int) -> tuple[float, float, float, float]:
    west, south = -104.0 + 0.0081 * (number % 10), 37.0 + 0.0061 * (number // 10)
    return west, south, west + SIDE_DEG[0], south + SIDE_DEG[1]


def write_partitions(root: Path, count: int, *, splits: bool = True, extra: dict | None = None) -> None:
    features = []
    for number in range(count):
        w, s, e, n = bounds_of(number)
        columns = {"area_km2": 21.97, "identifier": chip_id(number), **{k: v(number) for k, v in (extra or {}).items()}}
        if splits:
            columns["split"] = SPLIT_OF[number % 5]
        ring = [[w, s], [e, s], [e, n], [w, n], [w, s]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": columns, "geometry": geometry})
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{STEM}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    if splits:
        rows = "".join(f"{chip_id(n)},{SPLIT_OF[n % 5]}\n" for n in range(count))
        (root / SPLITS).write_text(f"identifier,split\n{rows}")


def write_tile(root: Path, data_set: str, number: int, stored: np.ndarray, names, *, bounds=None, **more) -> Path:
    folder = root / STEM / data_set
    folder.mkdir(parents=True, exist_ok=True)
    w, s, e, n = bounds or bounds_of(number)
    path = folder / f"{chip_id(number)}.tif"
    count, height, width = stored.shape
    transform = Affine((e - w) / width, 0, w, 0, (s - n) / height, n)
    how = {"crs": "EPSG:4326", "transform": transform, "compress": "deflate", **more}
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=stored.dtype, **how
    ) as file:
        file.write(stored)
        file.descriptions = names
    return path


def write_gunw(root: Path, number: int, values: np.ndarray, pairs, *, data_set="gunw-2020-01-01_2020-03-31") -> Path:
    """As sartiles writes it: middles of cells of 3 arc-seconds inside the chip, latitude from north to south, 0 for no data."""
    folder = root / STEM / data_set
    folder.mkdir(parents=True, exist_ok=True)
    w, s, e, n = bounds_of(number)
    lat = np.arange(np.ceil(s * 1200), np.floor(n * 1200) + 1)[::-1] / 1200
    lon = np.arange(np.ceil(w * 1200), np.floor(e * 1200) + 1) / 1200
    path = folder / f"{chip_id(number)}.nc"
    with h5py.File(path, "w") as file:
        group = file.create_group("science/grids/data")
        group["coherence"] = values[:, : len(lat), : len(lon)].astype(np.float32)
        group["datepair"] = np.array(list(pairs), dtype=h5py.string_dtype())
        group["latitude"], group["longitude"] = lat, lon
    return path


def optical_names(months=range(1, 13)):
    return tuple(f"{month:02d}_{band}" for month in months for band in ("red", "green", "blue"))


def radar_names(months=range(1, 13)):
    return tuple(f"{month:02d}_{band}" for month in months for band in ("vv", "vh"))


def wrapped(db: np.ndarray) -> np.ndarray:
    """Decibels as the authors store them: cut towards zero, without their sign."""
    return np.trunc(db).astype(np.int16).view(np.uint16)


def write_dataset_def(root: Path, data_set: str) -> None:
    """Code that must never run."""
    (root / STEM).mkdir(parents=True, exist_ok=True)
    (root / STEM / f"{data_set}.dataset_def.py").write_text("raise SystemExit('this was run')\n")


def write_all(root: Path, count: int, *, seed: int = 0) -> None:
    """Every data set for so many chips of smooth made numbers; some chips lack some."""
    rng = np.random.default_rng(seed)
    write_partitions(root, count)
    write_dataset_def(root, "s2rgbm-2020")
    pairs = ("20200115_20200103", "20200217_20200205", "20200217_20191219", "20200412_20200331")
    for number in range(count):
        level = rng.uniform(0.1, 0.9)
        ramp = np.linspace(0, 1, SIDE_PX)[None, :, None] * rng.uniform(0.2, 1, (36, 1, SIDE_PX))
        write_tile(root, "s2rgbm-2020", number, (1 + 254 * level * ramp).astype(np.uint8), optical_names())
        db = -18 + 12 * level * np.ones((24, SIDE_PX, SIDE_PX)) + rng.normal(0, 2, (24, SIDE_PX, SIDE_PX))
        write_tile(root, "s1grdm-2020-asc", number, wrapped(db), radar_names())
        if number % 7 == 3:
            (root / STEM / "gunw-2020-01-01_2020-03-31").mkdir(exist_ok=True)
            (root / STEM / "gunw-2020-01-01_2020-03-31" / f"{chip_id(number)}.skipped").write_text("NO_GRANULES_FOUND")
        else:
            write_gunw(root, number, np.clip(level + rng.normal(0, 0.05, (4, 12, 12)), 0.01, 1), pairs)
        cover = np.where(rng.uniform(size=(1, SIDE_PX, SIDE_PX)) < level, 40, 80).astype(np.uint8)
        write_tile(root, "esaworldcover-2020", number, cover, ("Map",))
        trees = np.full((5, SIDE_PX, SIDE_PX), round(80 * level), np.uint8)
        write_tile(root, "modis44b006veg", number, trees, tuple(f"Percent_Tree_Cover_{y}" for y in range(2016, 2021)))
        built = np.full((1, SIDE_PX, SIDE_PX), 3000 * (1 - level), np.float32)
        write_tile(root, "ghsbuilts-2020", number, built, ("built_surface",))
