"""The real data sets of `real_labels.py`: their chips and labels, and who trains, chooses and tests in each fold.

Every choice here was made before any model was trained for the measure: the test country, the folds, the seeds.
"""

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from terrashot.domain.tables import Chips, Labels
from terrashot.durable.files import remove
from terrashot.ingest.folder import open_chip_folder
from terrashot.steps.given_chips import open_chips
from terrashot.steps.progress import finish
from terrashot.store.chips import ZarrChipStore

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SEED = 1234
TEST_COUNTRY = "france"
"""The country of OMBRIA with the most places; no encoder sees it."""
THEMES = {
    "vegetation": ("Forest", "HerbaceousVegetation", "Pasture"),
    "builtup": ("Residential", "Industrial", "Highway"),
    "cropland": ("AnnualCrop", "PermanentCrop"),
    "water": ("River", "SeaLake"),
}
"""Classes of EuroSAT that a two-class task puts together."""
TEN_CLASSES = ("eurosat", "class")
Split = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataSet:
    """Where a data set lies and how it is asked."""

    folder: str
    """Below the data folder."""
    script: str
    """In examples/, makes the chip folder."""
    views: Mapping[str, tuple[str, ...]]
    """Modalities that are looked at together, by the name of the view."""
    channels: str
    """The channel policy of the embedding; floors see every channel apart."""
    folds: Callable[[Chips], list[Split]]
    area: str | None = None
    """Chips of this area alone; None: all."""
    has_bar: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class RealChips:
    """A data set, ready to be embedded and scored."""

    name: str
    asked: DataSet
    store: ZarrChipStore
    chips: Chips
    labels: Labels
    """In the chips' rows."""
    folds: tuple[Chips, ...]
    """The same chips, with the split of each fold."""


def random_split(chips: Chips, n_train: int = 1800, n_val: int = 600) -> list[Split]:
    """Chips one by one, in the order of their ids."""
    order = np.random.default_rng(SEED).permutation(len(chips))
    split = np.full(len(chips), "test", dtype=object)
    split[order[:n_train]], split[order[n_train : n_train + n_val]] = "train", "val"
    return [tuple(split)]


def group_split(chips: Chips, shares: tuple[float, float] = (0.5, 0.1)) -> list[Split]:
    """Whole groups: shares to train and to validate, the rest to test."""
    groups = _shuffled_groups(chips)
    n_train, n_val = (round(share * len(groups)) for share in shares)
    return [_by_group(chips, groups[n_train : n_train + n_val], groups[n_train + n_val :])]


def group_folds(chips: Chips, n_folds: int, val_share: float = 0.2) -> list[Split]:
    """Each group is tested in one fold; in each, a share of the others, those that come next, validate."""
    groups, folds = _shuffled_groups(chips), []
    for test in np.array_split(np.arange(len(groups)), n_folds):
        others = np.roll(groups, -int(test[-1]) - 1)[: len(groups) - len(test)]
        folds.append(_by_group(chips, others[: max(1, round(val_share * len(others)))], groups[test]))
    return folds


def _shuffled_groups(chips: Chips) -> np.ndarray:
    return np.random.default_rng(SEED).permutation(sorted({str(group) for group in chips.group}))


def _by_group(chips: Chips, val: np.ndarray, test: np.ndarray) -> Split:
    name_of = {**dict.fromkeys(val.tolist(), "val"), **dict.fromkeys(test.tolist(), "test")}
    return tuple(name_of.get(str(group), "train") for group in chips.group)


DATA_SETS = {
    "eurosat": DataSet(
        "eurosat_rgb_subset", "eurosat_chips.py", {"optical": ("s2rgbm",)}, "each", random_split
    ),
    "worldcover": DataSet(
        "water_worldcover_chips", "worldcover_chips.py", {"optical": ("s2rgbm",)}, "each", partial(group_folds, n_folds=5)
    ),
    "ombria": DataSet(
        "ombria_2021_events", "ombria_chips.py",
        {"optical": ("s2rgbm",), "radar": ("s1grdm",), "both": ("s2rgbm", "s1grdm")},
        "each-date", group_split, area=TEST_COUNTRY,
    ),
    "sen1floods": DataSet(
        "", "sen1floods_chips.py", {"radar": ("s1grdm",)}, "each", partial(group_folds, n_folds=7), has_bar=False
    ),
}  # fmt: skip


def real_chips(name: str, data: Path, cache: Path) -> RealChips:
    """The data set's chips, cut and read into a store once and kept in the cache.

    Args:
        data: the folder of real sample data.
    """
    asked, folder = DATA_SETS[name], cache / name / "chips"
    if not (folder / "labels.csv").is_file():
        remove(folder)  # half of one, left by a run that was stopped
        runpy.run_path(str(EXAMPLES / asked.script))["main"](data / asked.folder, folder)
    all_chips, store = finish(open_chips(folder, cache / name / "store"))
    chips = all_chips.take([row for row, area in enumerate(all_chips.area) if asked.area in (None, area)])
    # Chips that no neighbour is known of are groups of their own.
    groups = tuple(group or chip_id for group, chip_id in zip(chips.group, chips.ids, strict=True))
    chips = replace(chips, group=groups)
    folds = tuple(replace(chips, split=split) for split in asked.folds(chips))
    return RealChips(name, asked, store, chips, _labels(folder, chips), folds)


def _labels(folder: Path, chips: Chips) -> Labels:
    """The labels in the chips' order; of EuroSAT the four themes too."""
    found = open_chip_folder(folder).labels()
    row_of = {chip_id: row for row, chip_id in enumerate(found.chip_ids)}
    rows = [row_of[chip_id] for chip_id in chips.ids]
    targets = {name: values[rows] for name, values in found.targets.items()}
    if "class" in targets:
        themes = {name: np.isin(targets["class"].astype(str), own) for name, own in THEMES.items()}
        targets |= {name: is_in.astype(np.float64) for name, is_in in themes.items()}
    return Labels(chips.ids, targets)
