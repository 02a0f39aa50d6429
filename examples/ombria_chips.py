"""Makes a chip folder of the OMBRIA 2021 floods: python examples/ombria_chips.py ../shared/data/ombria_2021_events OUT

150 places of 256 px in four countries, each cut into 16 chips of 64 px. Optical (B11, B8, B3) and radar (VV), before and
after the flood; label: flooded fraction. Places are groups, so that no place is in two splits; nothing has coordinates.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image

CHIP_PX = 64
# Before and after share a kind, and with it mean and spread: what changed between them must not be scaled away.
S2_TOML = """names = ["before_swir", "before_nir", "before_green", "after_swir", "after_nir", "after_green"]
kinds = ["swir", "nir", "green", "swir", "nir", "green"]
"""
S1_TOML = """names = ["before_vv", "after_vv"]
kinds = ["vv", "vv"]
"""


def read(path: Path) -> np.ndarray:
    """The bands of an image: (C, H, W) uint8."""
    return np.atleast_3d(np.asarray(Image.open(path))).transpose(2, 0, 1)


def main(src: Path, out: Path) -> None:
    for modality, toml in (("s2rgbm", S2_TOML), ("s1grdm", S1_TOML)):
        (out / modality).mkdir(parents=True)
        (out / f"{modality}.toml").write_text(toml)
    chips, labels = [["id", "area", "group"]], [["id", "flooded"]]
    for mask in sorted(src.glob("2021/*/Sentinel2/MASK/gt_*.png")):
        country, number = mask.parents[2], mask.stem.removeprefix("gt_")
        times = (f"BEFORE/imbefore_{number}.png", f"AFTER/imafter_{number}.png")
        s2 = np.concatenate([read(country / "Sentinel2" / time) for time in times])
        s1 = np.concatenate([read(country / "Sentinel1" / time) for time in times])
        flooded = read(mask)[0] > 0
        place = f"{country.name.lower()}_{int(number):02d}"
        for row, col in np.ndindex(flooded.shape[0] // CHIP_PX, flooded.shape[1] // CHIP_PX):
            window = np.s_[..., row * CHIP_PX : (row + 1) * CHIP_PX, col * CHIP_PX : (col + 1) * CHIP_PX]
            chip_id = f"{place}_r{row}_c{col}"
            np.save(out / "s2rgbm" / f"{chip_id}.npy", s2[window])
            np.save(out / "s1grdm" / f"{chip_id}.npy", s1[window])
            chips.append([chip_id, country.name.lower(), place])
            labels.append([chip_id, f"{flooded[window].mean():.6f}"])
    for name, rows in (("chips.csv", chips), ("labels.csv", labels)):
        with (out / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    print(f"{len(chips) - 1} chips in {out}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
