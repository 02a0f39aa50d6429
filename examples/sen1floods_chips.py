"""Makes a chip folder of Sen1Floods11: python examples/sen1floods_chips.py ../shared/data OUT

Eight places of 512 px in seven countries (Bonafilia et al. 2020), each cut into 64 chips of 64 px. Radar (VV, VH in dB); label:
share of the labelled pixels that are water. A chip with a pixel that radar did not see, or with less than half of its pixels
labelled, is left out. Countries are groups. SRC holds the folders sen1floods11_s1_samples and sen1floods11-spain.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import rasterio

CHIP_PX = 64
S1_TOML = """names = ["vv", "vh"]
units = "dB"
"""
WATER, LEAST_LABELLED = 1, 0.5


def read(path: Path) -> np.ndarray:
    """The bands of a raster: (C, H, W)."""
    with rasterio.open(path, driver="GTiff") as raster:
        return raster.read()


def main(src: Path, out: Path) -> None:
    (out / "s1grdm").mkdir(parents=True)
    (out / "s1grdm.toml").write_text(S1_TOML)
    chips, labels = [["id", "area", "group"]], [["id", "water"]]
    for path in sorted(src.glob("sen1floods11*/**/*_S1Hand.tif"), key=lambda path: path.name):
        place = path.name.removesuffix("_S1Hand.tif")
        (masks,) = src.glob(f"sen1floods11*/**/{place}_LabelHand.tif")
        radar, mask = read(path), read(masks)[0]
        for row, col in np.ndindex(mask.shape[0] // CHIP_PX, mask.shape[1] // CHIP_PX):
            window = np.s_[..., row * CHIP_PX : (row + 1) * CHIP_PX, col * CHIP_PX : (col + 1) * CHIP_PX]
            pixels, known = radar[window], mask[window][mask[window] >= 0]
            if np.isfinite(pixels).all() and known.size >= LEAST_LABELLED * CHIP_PX**2:
                chip_id = f"{place}_r{row}_c{col}"
                np.save(out / "s1grdm" / f"{chip_id}.npy", pixels)
                chips.append([chip_id, "sen1floods", place.partition("_")[0]])
                labels.append([chip_id, f"{(known == WATER).mean():.6f}"])
    for name, rows in (("chips.csv", chips), ("labels.csv", labels)):
        with (out / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    print(f"{len(chips) - 1} chips in {out}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
