"""A user's chips on disk: `chips.csv`, a sub-folder a modality, `labels.csv` (docs/files.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from terrashot.domain.modality import MODALITIES
from terrashot.domain.tables import Chips, Labels
from terrashot.errors import InputError
from terrashot.ingest.channel_file import nearest
from terrashot.ingest.folder_chips import read_chips_csv
from terrashot.ingest.folder_source import FolderSource, open_modality
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.label_file import read_labels_of
from terrashot.ingest.source import ImagerySource


@dataclass(frozen=True, slots=True, eq=False)
class ChipFolder:
    """An opened chip folder; no pixel has been read yet but those of one file a modality."""

    path: Path
    chips: Chips
    sources: tuple[ImagerySource, ...]
    notes: tuple[str, ...]
    """What a person must be told."""

    def labels(self) -> Labels:
        """As `read_folder_labels`, for the chips of this folder."""
        return read_folder_labels(self.path, self.chips.ids)


def read_folder_labels(folder: Path, chip_ids: Sequence[str]) -> Labels:
    """The labels of a folder's labels.csv, in the order of these chips; no image is looked at.

    Raises:
        InputError: no such file, bad rows, or rows of chips that are not in chips.csv.
    """
    path = folder / "labels.csv"
    refuse_outside(path, folder)
    return read_labels_of(path, chip_ids, "chips.csv")


def open_chip_folder(path: Path, listed: tuple[Chips, tuple[str, ...]] | None = None) -> ChipFolder:
    """The folder's chips and sources.

    Args:
        listed: the chips, in place of those of chips.csv, and what is said of them.

    Raises:
        InputError: no chips.csv, a bad row in it, no image of any chip, a modality whose files are all unreadable, or a
            wrong channel file.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such chip folder")
    chips, notes = listed or _chips_of(path)
    if listed and (path / "chips.csv").exists():
        notes = (*notes, "chips.csv is not read: the chips are those of the study file's partitions")
    sources: list[FolderSource] = []
    for modality in MODALITIES:
        if (path / modality).is_dir():
            source, told = open_modality(path, modality, chips.ids)
            notes += told
            sources += [source] if source else []
    notes += _unknown_names(path)
    if not sources:
        raise InputError(
            f"{path}: no image of any chip in chips.csv; expected {' or '.join(f'{name}/ID.tif' for name in MODALITIES)}"
            f"{'; ' if notes else ''}{'; '.join(notes[-2:])}"
        )
    return ChipFolder(path, chips, tuple(sources), notes)


def _chips_of(path: Path) -> tuple[Chips, tuple[str, ...]]:
    refuse_outside(path / "chips.csv", path)
    return read_chips_csv(path / "chips.csv")


def read_chip_table(path: Path) -> Chips:
    """The chips of a table in the form of chips.csv.

    Raises:
        InputError: a bad column or row; names the line.
    """
    return read_chips_csv(path)[0]


def _unknown_names(path: Path) -> tuple[str, ...]:
    """What is said of sub-folders and channel files that belong to no modality: a slip of the pen, most likely."""
    found = sorted(p for p in path.iterdir() if (p.is_dir() or p.suffix == ".toml") and not p.name.startswith("."))
    return tuple(
        f"'{p.name}' is not read, for its name is no modality; {nearest(p.stem, list(MODALITIES))}".rstrip("; ")
        for p in found
        if p.stem not in MODALITIES and p.name != "study.toml"
    )
