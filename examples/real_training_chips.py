"""Makes one chip folder to train on without labels: python examples/real_training_chips.py ../shared/data OUT

All unlabelled real chips of 64 px that the measure on real labels (benchmarks/real_labels.py) does not test on: the 20 optical
and radar pairs (17 pairs train, 3 validate), OMBRIA outside France (before and after the flood are chips of their own;
places 9:1), and the training chips of EuroSAT (9:1). Each of the three is an area and scaled by means and spreads of its own
training pixels, for their makers stretched them to 8 bits each in another way. A channel that an area lacks is without data.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CHIP_PX = 64
CHANNELS = {"s2rgbm": ("swir", "nir", "red", "green", "blue"), "s1grdm": ("vv", "vh")}
TEST_COUNTRY = "FRANCE"
EUROSAT_SEED, EUROSAT_TRAIN = 1234, 1800
"""As benchmarks/real_chips.py draws them: its other chips choose and test."""
TIMES = {"before": "BEFORE/imbefore", "after": "AFTER/imafter"}


@dataclass(frozen=True)
class Chip:
    """One chip of 8-bit planes (H, W), by kind."""

    id: str
    group: str
    is_train: bool
    planes: dict[str, np.ndarray]


def planes_of(path: Path, kinds: Sequence[str]) -> dict[str, np.ndarray]:
    """The bands of an image, (H, W) uint8 each."""
    bands = np.atleast_3d(np.asarray(Image.open(path)))
    return {kind: bands[:, :, number] for number, kind in enumerate(kinds)}


def cut(planes: dict[str, np.ndarray], name: str, group: str, is_train: bool) -> Iterator[Chip]:
    """The chips of one place."""
    height, width = next(iter(planes.values())).shape
    for row, col in np.ndindex(height // CHIP_PX, width // CHIP_PX):
        window = np.s_[row * CHIP_PX : (row + 1) * CHIP_PX, col * CHIP_PX : (col + 1) * CHIP_PX]
        own = {kind: plane[window] for kind, plane in planes.items()}
        yield Chip(f"{name}_r{row:02d}_c{col:02d}", group, is_train, own)


def pairs(src: Path) -> Iterator[Chip]:
    """Of twenty pairs by name the fourth, the eleventh and the eighteenth validate."""
    for number, name in enumerate(sorted(pair["name"] for pair in json.loads((src / "selected.json").read_text()))):
        planes = planes_of(src / "opt" / name, ("red", "green", "blue")) | planes_of(src / "sar" / name, ("vh",))
        group = f"pair{Path(name).stem}"
        yield from cut(planes, group, group, number % 7 != 3)


def ombria(src: Path) -> Iterator[Chip]:
    """Of the places by country and number every tenth validates."""
    masks = sorted(src.glob("2021/*/Sentinel2/MASK/gt_*.png"))
    places = [mask for mask in masks if mask.parents[2].name != TEST_COUNTRY]
    for position, mask in enumerate(places):
        country, number = mask.parents[2], mask.stem.removeprefix("gt_")
        group = f"{country.name.lower()}_{int(number):02d}"
        for time, image in TIMES.items():
            planes = planes_of(country / "Sentinel2" / f"{image}_{number}.png", ("swir", "nir", "green"))
            planes |= planes_of(country / "Sentinel1" / f"{image}_{number}.png", ("vv",))
            yield from cut(planes, f"{group}_{time}", group, position % 10 != 9)


def eurosat(src: Path) -> Iterator[Chip]:
    """The last tenth of the shuffled training chips validates."""
    images = sorted(src.glob("*/*.jpg"), key=lambda path: path.stem)
    order = np.random.default_rng(EUROSAT_SEED).permutation(len(images))[:EUROSAT_TRAIN]
    for position, number in enumerate(order):
        planes = planes_of(images[number], ("red", "green", "blue"))
        yield Chip(images[number].stem, images[number].stem, position < 0.9 * len(order), planes)


SETS = {
    "pairs": (pairs, "optical_sar_pairs_socal_texas"),
    "ombria": (ombria, "ombria_2021_events"),
    "eurosat": (eurosat, "eurosat_rgb_subset"),
}


def moments(chips: Sequence[Chip]) -> dict[str, tuple[float, float]]:
    """Mean and spread of each kind over all pixels of the training chips."""
    found = {}
    for kind in chips[0].planes:
        pixels = np.stack([chip.planes[kind] for chip in chips if chip.is_train])
        found[kind] = float(pixels.mean()), float(pixels.std())
    return found


def write_images(chip: Chip, scales: dict[str, tuple[float, float]], out: Path) -> None:
    """A file a modality that the chip has, all its channels in it, NaN where the chip lacks one."""
    for modality, kinds in CHANNELS.items():
        image = np.full((len(kinds), CHIP_PX, CHIP_PX), np.nan, np.float16)
        for number, kind in enumerate(kinds):
            if kind in chip.planes:
                mean, spread = scales[kind]
                image[number] = (chip.planes[kind] - mean) / spread
        if set(kinds) & set(chip.planes):
            np.save(out / modality / f"{chip.id}.npy", image)


def main(data: Path, out: Path) -> None:
    for modality, kinds in CHANNELS.items():
        (out / modality).mkdir(parents=True)
        (out / f"{modality}.toml").write_text(f'names = {json.dumps(kinds)}\nunits = "spreads"\n')
    rows = [["id", "area", "split", "group"]]
    for area, (read, folder) in SETS.items():
        chips = list(read(data / folder))
        scales = moments(chips)
        for chip in chips:
            write_images(chip, scales, out)
            rows.append([chip.id, area, "train" if chip.is_train else "val", chip.group])
    with (out / "chips.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    print(f"{len(rows) - 1} chips in {out}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
