"""Makes a chip folder of WorldCover chips: python examples/worldcover_chips.py ../shared/data/water_worldcover_chips OUT

204 optical chips (red, green, blue, nir) of 128 px, each cut into four quarters of 64 px. Labels: share of the quarter that ESA
WorldCover calls vegetation (tree, shrub, grass), built-up, cropland and water. The four quarters are one group; nothing has
coordinates.
"""

import csv
import sys
from pathlib import Path

import numpy as np

CHIP_PX = 64
S2_TOML = """names = ["red", "green", "blue", "nir"]
units = "reflectance"
scale = 0.0001
"""
STORED_AS_BGRN = [2, 1, 0, 3]
"""Where the channels lie in the file, which holds blue first."""
CODES = {"vegetation": (10, 20, 30), "builtup": (50,), "cropland": (40,), "water": (80,)}


def main(src: Path, out: Path) -> None:
    (out / "s2rgbm").mkdir(parents=True)
    (out / "s2rgbm.toml").write_text(S2_TOML)
    chips, labels = [["id", "area", "group"]], [["id", *CODES]]
    with np.load(src / "chips.npz") as stored:
        sources = zip(stored["id"], stored["reflectance_bgrn"], stored["worldcover"], strict=True)
        for number, pixels, cover in sources:
            for row, col in np.ndindex(cover.shape[0] // CHIP_PX, cover.shape[1] // CHIP_PX):
                window = np.s_[..., row * CHIP_PX : (row + 1) * CHIP_PX, col * CHIP_PX : (col + 1) * CHIP_PX]
                chip_id = f"source{number:03d}_r{row}_c{col}"
                np.save(out / "s2rgbm" / f"{chip_id}.npy", pixels[STORED_AS_BGRN][window])
                chips.append([chip_id, "worldcover", f"source{number:03d}"])
                shares = (np.isin(cover[window], codes).mean() for codes in CODES.values())
                labels.append([chip_id, *(f"{share:.6f}" for share in shares)])
    for name, rows in (("chips.csv", chips), ("labels.csv", labels)):
        with (out / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    print(f"{len(chips) - 1} chips in {out}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
