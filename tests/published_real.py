"""The layout of geetiles and sartiles filled from real samples: 64 chips of 64 px over a flooded plain in Spain.

Radar, optical and water are of one place and lie where they lie: Sen1Floods11, on the grid of degrees of the authors' own source
(optical is at the top of the atmosphere). No sample holds all that they publish, so that the rest is real, but of elsewhere: coherence of
Mexico City, land cover of Sao Tome, built-up land of Havana. One date is one month; the other months are without data, as theirs may be.
"""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from published_layout import (
    SIDE_PX,
    Area,
    gunw_cells,
    optical_names,
    radar_names,
    wrapped,
    write_dataset_def,
    write_gunw,
    write_partitions,
    write_tile,
)

ACROSS, COUNT = 8, 64
PIXEL_DEG = 8.983152841195215e-05
SIDE_DEG = SIDE_PX * PIXEL_DEG
SPAIN = Area(
    "spain_partitions_aschips_5f3d1c2b7a9e0", -0.7818936232976315, 38.08281882884935, 0x57A1, (SIDE_DEG, SIDE_DEG),
    (SIDE_DEG, SIDE_DEG), ACROSS,
)  # fmt: skip
WATER, GRASS = 80, 30
SAO_TOME, HAVANA = Window(5400 + 2048, 30_960, 512, 512), Window(2900, 60, 52, 52)
"""Of their maps: some of each kind of land, and the middle of the town."""


def read(path: Path, bands, window: Window | None = None) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(bands, window=window)


def of_chip(pixels: np.ndarray, number: int) -> np.ndarray:
    """The chip's part of a raster over all of them, whose first row is the northernmost."""
    row, col = divmod(number, ACROSS)
    south = pixels.shape[-2] - SIDE_PX * row
    return pixels[..., south - SIDE_PX : south, SIDE_PX * col : SIDE_PX * (col + 1)]


def spain(data: Path) -> dict[str, np.ndarray]:
    """Decibels (2, H, W), reflectance (3, H, W), and a hand's map of water: 1 water, 0 none, -1 not told."""
    folder, name = data / "sen1floods11-spain", "Spain_7370579"
    return {
        "db": read(folder / "S1" / f"{name}_S1Hand.tif", [1, 2]),
        "rgb": read(folder / "S2" / f"{name}_S2Hand.tif", [4, 3, 2]) * np.float32(1e-4),
        "water": read(folder / "Labels" / f"{name}_LabelHand.tif", 1),
    }


def pairs_of_mexico(data: Path) -> dict[str, np.ndarray]:
    """Coherence (60, 60) of each pair by sartiles' label, later date first; 0 is no data."""
    found = {}
    for path in sorted((data / "pyrate-cropA-s1-coherence" / "geotiffs").glob("*_cc.tif")):
        earlier, later = path.name.split("_")[1].split("-")
        found[f"{later}_{earlier}"] = read(path, 1)[:60, :60]
    return found


def land_cover(data: Path, water: np.ndarray) -> np.ndarray:
    """WorldCover's codes, with the water of the plain in place of its own."""
    path = data / "worldcover-2020-N00E006" / "ESA_WorldCover_10m_2020_v100_N00E006_Map.tif"
    dry = read(path, 1, SAO_TOME)
    dry[dry == WATER] = GRASS
    return np.where(water == 1, WATER, np.where(water < 0, 0, dry)).astype(np.uint8)


def built_up(data: Path) -> np.ndarray:
    """Square metres of each cell of 100 m, in pixels of 10 m."""
    path = data / "ghs-built-s-2020-cuba" / "GHS_BUILT_S_E2020_R2023A_54009_100_V1_0_CUB.tif"
    return read(path, 1, HAVANA).repeat(10, 0).repeat(10, 1)[:512, :512]


def cells_of(number: int) -> tuple[np.ndarray, ...]:
    """Rows and columns of Mexico's raster that stand for the cells of a chip: one lattice under all chips."""
    lat, lon = gunw_cells(number, SPAIN)
    return np.ix_(gunw_cells(COUNT - 1, SPAIN)[0].max() - lat, lon - gunw_cells(0, SPAIN)[1].min())


def in_bytes(reflectance: np.ndarray) -> np.ndarray:
    """As Earth Engine shows 0 to 0.3."""
    return np.clip(reflectance / 0.3 * 255, 0, 255).astype(np.uint8)


def one_month(stored: np.ndarray) -> np.ndarray:
    """Twelve months of bands, all but the first without data."""
    return np.concatenate([stored, np.zeros((11 * len(stored), *stored.shape[1:]), stored.dtype)])


def write_real(root: Path, data: Path, numbers=range(COUNT)) -> None:
    """Every data set of these chips but tree cover, of which there is no sample."""
    place, pairs = spain(data), pairs_of_mexico(data)
    cover, built = land_cover(data, place["water"]), built_up(data)
    write_partitions(root, COUNT, area=SPAIN)
    write_dataset_def(root, "s2rgbm-2018", SPAIN)
    for number in numbers:
        rgb, db = (of_chip(place[name], number) for name in ("rgb", "db"))
        write_tile(root, "s2rgbm-2018", number, one_month(in_bytes(rgb)), optical_names(), area=SPAIN)
        write_tile(root, "s1grdm-2018-asc", number, one_month(wrapped(db)), radar_names(), area=SPAIN)
        values = np.stack([plane[cells_of(number)] for plane in pairs.values()])
        write_gunw(root, number, values, pairs, area=SPAIN, data_set="gunw-2018-01-01_2018-07-31")
        write_tile(root, "esaworldcover-2020", number, of_chip(cover, number)[None], ("Map",), area=SPAIN)
        write_tile(root, "ghsbuilts-2020", number, of_chip(built, number)[None], ("built_surface",), area=SPAIN)
