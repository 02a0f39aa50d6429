"""Writes chips in the exact layout of geetiles and sartiles, from real or made numbers: degrees, wrapped decibels, bytes, pairs."""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from affine import Affine

LABEL = "splits_60bands_angle09_60-20-20"
SIDE_PX = 64
GUNW = "gunw-2020-01-01_2020-03-31"
SPLIT_OF = ("train", "train", "train", "test", "val")


@dataclass(frozen=True)
class Area:
    """A published area: the name of its files, its south-western corner, and the number of its first identifier."""

    stem: str
    west_deg: float
    south_deg: float
    first: int = 0x141DCE56D692
    side_deg: tuple[float, float] = (0.0072, 0.00576)
    """Longitude, latitude: 64 px of 10 m at 37 degrees."""
    step_deg: tuple[float, float] = (0.0081, 0.0061)
    across: int = 10

    @property
    def splits(self) -> str:
        return f"{self.stem}_{LABEL}.csv"


CONUS = Area("conus_partitions_aschips_293d95e3ee589", -104.0, 37.0)
OF_PAPER = (
    CONUS,
    Area("southamerica_partitions_aschips_3219aa0f411c2", -60.0, -10.0, 0x2),
    Area("pakin_partitions_aschips_0f26dc7030c75", 75.0, 28.0, 0x3),
    Area("china_partitions_aschips_23489d30a312b", 105.0, 32.0, 0x4),
    Area("middleeast_partitions_aschips_0a596e5469add", 45.0, 30.0, 0x5),
)
"""The sets that recipes/paper-published-data.toml names."""
STEM, SPLITS = CONUS.stem, CONUS.splits


def chip_id(number: int, area: Area = CONUS) -> str:
    return f"{area.first + 7919 * number:013x}"


def bounds_of(number: int, area: Area = CONUS) -> tuple[float, float, float, float]:
    """West, south, east, north; chips are counted eastward, then northward."""
    row, col = divmod(number, area.across)
    west, south = area.west_deg + area.step_deg[0] * col, area.south_deg + area.step_deg[1] * row
    return west, south, west + area.side_deg[0], south + area.side_deg[1]


def split_of(number: int, area: Area = CONUS) -> str:
    """By columns, as the authors' bands go."""
    return SPLIT_OF[number % area.across % len(SPLIT_OF)]


def write_partitions(
    root: Path, count: int, *, area: Area = CONUS, splits: bool = True, extra: dict | None = None
) -> None:
    features = []
    for number in range(count):
        w, s, e, n = bounds_of(number, area)
        own = {name: of(number) for name, of in (extra or {}).items()}
        columns = {"area_km2": 21.97, "identifier": chip_id(number, area), **own}
        if splits:
            columns["split"] = split_of(number, area)
        ring = [[w, s], [e, s], [e, n], [w, n], [w, s]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": columns, "geometry": geometry})
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{area.stem}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    if splits:
        rows = "".join(f"{chip_id(n, area)},{split_of(n, area)}\n" for n in range(count))
        (root / area.splits).write_text(f"identifier,split\n{rows}")


def folder_of(root: Path, data_set: str, area: Area) -> Path:
    folder = root / area.stem / data_set
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_tile(
    root: Path, data_set: str, number: int, stored: np.ndarray, names, *, area: Area = CONUS, bounds=None, **more
) -> Path:
    w, s, e, n = bounds or bounds_of(number, area)
    path = folder_of(root, data_set, area) / f"{chip_id(number, area)}.tif"
    count, height, width = stored.shape
    transform = Affine((e - w) / width, 0, w, 0, (s - n) / height, n)
    how = {"crs": "EPSG:4326", "transform": transform, "compress": "deflate", **more}
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=stored.dtype, **how
    ) as file:
        file.write(stored)
        file.descriptions = names
    return path


def gunw_cells(number: int, area: Area = CONUS) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes from north to south and longitudes of the middles of 3 arc-seconds inside a chip, as whole numbers of cells."""
    w, s, e, n = bounds_of(number, area)
    lat = np.arange(np.ceil(s * 1200), np.floor(n * 1200) + 1)[::-1]
    return lat.astype(int), np.arange(np.ceil(w * 1200), np.floor(e * 1200) + 1).astype(int)


def write_gunw(root: Path, number: int, values: np.ndarray, pairs, *, area: Area = CONUS, data_set=GUNW) -> Path:
    """As sartiles writes it: cells inside the chip, 0 for no data, all planes that a product has, and what it adds of its own."""
    path = folder_of(root, data_set, area) / f"{chip_id(number, area)}.nc"
    lat, lon = gunw_cells(number, area)
    stored = values[:, : len(lat), : len(lon)].astype(np.float32)
    days = [(date.fromisoformat(pair[:8]) - date.fromisoformat(pair[9:])).days for pair in pairs]
    with h5py.File(path, "w") as file:
        group = file.create_group("science/grids/data")
        group["coherence"], group["amplitude"], group["unwrappedPhase"] = stored, stored * 1000, stored * 6
        group["connectedComponents"] = np.where(stored > 0, 1, -1).astype(np.float32)
        group["datepair"] = np.array(list(pairs), dtype=h5py.string_dtype())
        group["latitude"], group["longitude"] = lat / 1200, lon / 1200
        file["science/extraMetaData/deltadays"] = np.array(days, dtype=np.uint8)
        file["science/extraMetaData/direction"] = np.array([b"D"] * len(days))
        file["science/radarMetaData/wavelength"] = 0.05546576
    return path


def optical_names(months=range(1, 13)):
    return tuple(f"{month:02d}_{band}" for month in months for band in ("red", "green", "blue"))


def radar_names(months=range(1, 13)):
    return tuple(f"{month:02d}_{band}" for month in months for band in ("vv", "vh"))


def wrapped(db: np.ndarray) -> np.ndarray:
    """Decibels as the authors store them: cut towards zero, without their sign."""
    return np.trunc(db).astype(np.int16).view(np.uint16)


def write_dataset_def(root: Path, data_set: str, area: Area = CONUS) -> None:
    """Code that must never run."""
    (folder_of(root, "", area) / f"{data_set}.dataset_def.py").write_text("raise SystemExit('this was run')\n")


def write_all(root: Path, count: int, *, area: Area = CONUS, seed: int = 0) -> None:
    """Every data set for so many chips of smooth made numbers; some chips lack some."""
    rng = np.random.default_rng(seed)
    write_partitions(root, count, area=area)
    write_dataset_def(root, "s2rgbm-2020", area)
    pairs = ("20200115_20200103", "20200217_20200205", "20200217_20191219", "20200412_20200331")
    for number in range(count):
        level = rng.uniform(0.1, 0.9)
        ramp = np.linspace(0, 1, SIDE_PX)[None, :, None] * rng.uniform(0.2, 1, (36, 1, SIDE_PX))
        write_tile(root, "s2rgbm-2020", number, (1 + 254 * level * ramp).astype(np.uint8), optical_names(), area=area)
        db = -18 + 12 * level * np.ones((24, SIDE_PX, SIDE_PX)) + rng.normal(0, 2, (24, SIDE_PX, SIDE_PX))
        write_tile(root, "s1grdm-2020-asc", number, wrapped(db), radar_names(), area=area)
        if number % 7 == 3:
            (folder_of(root, GUNW, area) / f"{chip_id(number, area)}.skipped").write_text("NO_GRANULES_FOUND")
        else:
            write_gunw(root, number, np.clip(level + rng.normal(0, 0.05, (4, 12, 12)), 0.01, 1), pairs, area=area)
        cover = np.where(rng.uniform(size=(1, SIDE_PX, SIDE_PX)) < level, 40, 80).astype(np.uint8)
        write_tile(root, "esaworldcover-2020", number, cover, ("Map",), area=area)
        trees = np.full((5, SIDE_PX, SIDE_PX), round(80 * level), np.uint8)
        names = tuple(f"Percent_Tree_Cover_{year}" for year in range(2016, 2021))
        write_tile(root, "modis44b006veg", number, trees, names, area=area)
        built = np.full((1, SIDE_PX, SIDE_PX), 3000 * (1 - level), np.float32)
        write_tile(root, "ghsbuilts-2020", number, built, ("built_surface",), area=area)


def as_parquet(root: Path, area: Area = CONUS) -> None:
    """M3LEO's form of it: the tiles of an area in rows of one file, which a second splits file names."""
    tiles = sorted(path for path in (root / area.stem).rglob("*") if path.suffix in (".tif", ".nc"))
    rows = {
        "path": [f"{area.stem.partition('_')[0]}/{path.relative_to(root)}" for path in tiles],
        "ds": [path.parent.name for path in tiles],
        "content": [path.read_bytes() for path in tiles],
    }
    shutil.rmtree(root / area.stem)
    (root / area.stem).mkdir()
    pq.write_table(pa.table(rows), root / area.stem / "a1b2.zstd.parquet")
    first, *others = (root / area.splits).read_text().splitlines()
    lines = [f"{first},parquet_identifier", *(f"{line},a1b2" for line in others)]
    (root / area.splits.replace(".csv", "_parquet.csv")).write_text("\n".join(lines) + "\n")
