"""Makes a chip folder of optical and radar pairs: python examples/pairs_chips.py ../shared/data/optical_sar_pairs_socal_texas OUT

20 pairs of 1024 px in California and Texas, each cut into 256 chips of 64 px. Optical (red, green, blue) and radar (VH),
no labels. The split is by pair: 12 train, 3 val, 5 test, every area in each of them.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

CHIP_PX = 64
AREAS = {"T11SLT": "california", "T11SMT": "california", "T14RNT": "texas"}
SPLITS = ("train", "test", "train", "val", "train", "train", "test")
CHANNELS = {"s2rgbm": ("opt", ["red", "green", "blue"]), "s1grdm": ("sar", ["vh"])}


def main(src: Path, out: Path) -> None:
    for modality, (_, names) in CHANNELS.items():
        (out / modality).mkdir(parents=True)
        (out / f"{modality}.toml").write_text(f"names = {json.dumps(names)}\n")
    rows = [["id", "area", "split", "lon", "lat", "group"]]
    seen: Counter[str] = Counter()
    for pair in sorted(json.loads((src / "selected.json").read_text()), key=lambda pair: pair["name"]):
        name, area = Path(pair["name"]).stem, AREAS[pair["tile"]]
        split = SPLITS[seen[area] % len(SPLITS)]
        seen[area] += 1
        images = {modality: Image.open(src / folder / pair["name"]) for modality, (folder, _) in CHANNELS.items()}
        side = images["s2rgbm"].width
        for row, col in np.ndindex(side // CHIP_PX, side // CHIP_PX):
            chip_id = f"pair{name}_r{row:02d}_c{col:02d}"
            box = (col * CHIP_PX, row * CHIP_PX, (col + 1) * CHIP_PX, (row + 1) * CHIP_PX)
            for modality, image in images.items():
                image.crop(box).save(out / modality / f"{chip_id}.png")
            # Linear in latitude too: over the 0.08 degrees of a pair the projection bends by less than a pixel.
            lon = pair["west"] + (pair["east"] - pair["west"]) * (col + 0.5) * CHIP_PX / side
            lat = pair["north"] - (pair["north"] - pair["south"]) * (row + 0.5) * CHIP_PX / side
            rows.append([chip_id, area, split, f"{lon:.6f}", f"{lat:.6f}", f"pair{name}"])
    with (out / "chips.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    print(f"{len(rows) - 1} chips in {out}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
