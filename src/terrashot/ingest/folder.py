"""A user's chips on disk: `chips.csv`, a sub-folder a modality, `labels.csv` (docs/files.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrashot.domain.modality import MODALITIES, Channel, Difference, Imagery
from terrashot.domain.tables import SPLIT_NAMES, Chips, Labels
from terrashot.errors import InputError, MissingImageryError
from terrashot.ingest.channel_file import ChannelFile, read_channel_file
from terrashot.ingest.source import ImagerySource
from terrashot.raster.picture import READERS, Picture, read_picture
from terrashot.store.csvfile import read_csv
from terrashot.store.label_table import read_labels

CHIP_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
COLUMNS = ("id", "area", "split", "lon", "lat", "group")
VARYING = ("gunw",)
"""Modalities whose files may hold any number of channels."""


@dataclass(frozen=True, slots=True, eq=False)
class ChipFolder:
    """An opened chip folder; no pixel has been read yet but those of one file a modality."""

    path: Path
    chips: Chips
    sources: tuple[ImagerySource, ...]
    notes: tuple[str, ...]
    """What a person must be told."""

    def labels(self) -> Labels:
        """The labels of labels.csv.

        Raises:
            InputError: no labels.csv, or a row of a chip that is not in chips.csv.
        """
        path = self.path / "labels.csv"
        labels = read_labels(path)
        strangers = sorted(set(labels.chip_ids) - set(self.chips.ids))
        if strangers:
            raise InputError(f"{path}: {len(strangers)} labels are of no chip in chips.csv, the first '{strangers[0]}'")
        return labels


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The images of one modality."""

    modality: str
    files: Mapping[str, Path]
    """By chip id."""
    side_px: int
    max_channels: int
    channels: tuple[Channel, ...] | None
    unit: str | None
    about: ChannelFile
    differences: tuple[Difference, ...] = ()

    def read(self, chip_id: str) -> Imagery:
        if chip_id not in self.files:
            raise MissingImageryError(f"chip {chip_id}: {self.modality}: no file")
        picture = read_picture(self.files[chip_id])
        path = self.files[chip_id]
        if picture.values.shape[1] != self.side_px:
            raise InputError(
                f"{path}: {picture.values.shape[1]} px, the other {self.modality} files have {self.side_px}; cut it to their size"
            )
        channels = self.channels if self.channels is not None else self.about.channels(picture, self.modality)
        if len(channels) != len(picture.values):
            raise InputError(
                f"{path}: {len(picture.values)} channels, the other {self.modality} files have {len(channels)}"
            )
        return Imagery(channels, self.about.values(picture))


def open_chip_folder(path: Path) -> ChipFolder:
    """The folder's chips and sources.

    Raises:
        InputError: no chips.csv, a bad row in it, no image of any chip, or files that are no images.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such chip folder")
    chips, notes = _read_chips(path / "chips.csv")
    sources = [_open_modality(path, name, chips.ids) for name in MODALITIES if (path / name).is_dir()]
    found = [source for source in sources if source is not None]
    if not found:
        raise InputError(
            f"{path}: no image of any chip; expected {' or '.join(f'{name}/ID.tif' for name in MODALITIES)}"
        )
    for source in found:
        if source.unit in (None, "dn"):
            notes.append(
                f"{source.modality}: no unit is stated; a model that scales these chips uses their own means and spreads"
            )
    return ChipFolder(path, chips, tuple(found), tuple(notes))


def read_chip_table(path: Path) -> Chips:
    """The chips of a chips.csv.

    Raises:
        InputError: a bad row, by its line.
    """
    return _read_chips(path)[0]


def _open_modality(folder: Path, modality: str, chip_ids: tuple[str, ...]) -> FolderSource | None:
    wanted = set(chip_ids)
    files = {
        p.stem: p for p in sorted((folder / modality).iterdir()) if p.suffix.lower() in READERS and p.stem in wanted
    }
    if not files:
        return None
    about = read_channel_file(folder / f"{modality}.toml")
    first = _first_readable(files)
    channels = about.channels(first, modality)
    unit = channels[0].unit if len({channel.unit for channel in channels}) == 1 else None
    side_px = first.values.shape[1]
    if modality in VARYING:
        most = max(len(picture.values) for path in files.values() if (picture := _tried(path)) is not None)
        return FolderSource(modality, files, side_px, most, None, unit, about)
    return FolderSource(modality, files, side_px, len(channels), channels, unit, about)


def _first_readable(files: Mapping[str, Path]) -> Picture:
    """The first image that opens; one bad file among good ones is its own chip's failure."""
    for path in files.values():
        picture = _tried(path)
        if picture is not None:
            return picture
    return read_picture(next(iter(files.values())))


def _tried(path: Path) -> Picture | None:
    try:
        return read_picture(path)
    except InputError:
        return None


def _read_chips(path: Path) -> tuple[Chips, list[str]]:
    names, rows = read_csv(path)
    unknown = [name for name in names if name not in COLUMNS]
    if "id" not in names or unknown:
        raise InputError(f"{path}: columns must be id and any of {', '.join(COLUMNS[1:])}; found {', '.join(names)}")
    if not rows:
        raise InputError(f"{path}: no chip in it")
    column = {name: [row[names.index(name)] or None for row in rows] for name in names}
    notes = [] if "area" in names else ["chips.csv names no area: all chips are in area 'all'"]
    ids = _ids(path, column["id"])
    nothing: list[str | None] = [None] * len(rows)
    lon, lat = _places(path, column.get("lon", nothing), column.get("lat", nothing))
    chips = Chips(
        ids=ids,
        area=tuple(area or "all" for area in column.get("area", nothing)),
        group=tuple(column.get("group", nothing)),
        split=_splits(path, column.get("split", nothing)),
        lon_deg=lon,
        lat_deg=lat,
    )
    return chips, notes


def _ids(path: Path, found: list[str | None]) -> tuple[str, ...]:
    line_of: dict[str, int] = {}
    for number, chip_id in enumerate(found, start=2):
        if chip_id is None or not CHIP_ID.fullmatch(chip_id) or set(chip_id) <= {"."}:
            raise InputError(f"{path}: line {number}: id '{chip_id or ''}' must be 1 to 128 of A-Z a-z 0-9 . _ -")
        if chip_id in line_of:
            raise InputError(
                f"{path}: id '{chip_id}' stands in line {line_of[chip_id]} and in line {number}; each chip has one"
            )
        line_of[chip_id] = number
    return tuple(line_of)


def _splits(path: Path, found: list[str | None]) -> tuple[str | None, ...]:
    for number, name in enumerate(found, start=2):
        if name is not None and name not in SPLIT_NAMES:
            raise InputError(f"{path}: line {number}: split '{name}' is none of {', '.join(SPLIT_NAMES)}")
    if None in found and any(found):
        raise InputError(f"{path}: line {found.index(None) + 2} has no split while others have; fill all or none")
    return tuple(found)


def _places(path: Path, lon: list[str | None], lat: list[str | None]) -> tuple[np.ndarray | None, np.ndarray | None]:
    if not any(lon) and not any(lat):
        return None, None
    places = np.full((len(lon), 2), np.nan)
    for index, pair in enumerate(zip(lon, lat, strict=True)):
        if any(pair):
            places[index] = _place(path, index + 2, pair)
    return places[:, 0].copy(), places[:, 1].copy()


def _place(path: Path, number: int, pair: tuple[str | None, str | None]) -> tuple[float, float]:
    try:
        lon, lat = (float(value or "") for value in pair)
    except ValueError:
        raise InputError(
            f"{path}: line {number}: lon '{pair[0] or ''}' and lat '{pair[1] or ''}' must both be numbers"
        ) from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputError(f"{path}: line {number}: lon {lon:g}, lat {lat:g} are no degrees; longitude comes first")
    return lon, lat
