"""Makes a chip folder of EuroSAT: python examples/eurosat_chips.py ../shared/data/eurosat_rgb_subset OUT

3,000 optical chips (red, green, blue) of 64 px in ten classes; the JPEG files are copied as they are. Label: class.
"""

import csv
import shutil
import sys
from pathlib import Path


def main(src: Path, out: Path) -> None:
    (out / "s2rgbm").mkdir(parents=True)
    (out / "s2rgbm.toml").write_text('names = ["red", "green", "blue"]\n')
    images = sorted(src.glob("*/*.jpg"))
    for image in images:
        shutil.copyfile(image, out / "s2rgbm" / image.name)
    tables = {
        "chips.csv": [["id", "area"]] + [[image.stem, "eurosat"] for image in images],
        "labels.csv": [["id", "class"]] + [[image.stem, image.parent.name] for image in images],
    }
    for name, rows in tables.items():
        with (out / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    print(f"{len(images)} chips in {out}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
