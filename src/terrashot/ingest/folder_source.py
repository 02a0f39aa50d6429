"""One modality of a chip folder: its files, and the channels and the size that they share."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.errors import InputError, MissingImageryError
from terrashot.ingest.channel_file import ChannelFile, read_channel_file
from terrashot.ingest.inside import refuse_outside
from terrashot.ingest.skipped import SKIPPED, skipped_reason
from terrashot.ingest.source import ImagerySource
from terrashot.raster.picture import Form, Picture
from terrashot.raster.read import KINDS, read_form, read_picture
from terrashot.raster.regrid import area_mean

VARYING = ("gunw",)
"""Modalities whose files may hold any number of channels."""
SAMPLED = 25
"""Files whose headers tell the size that most have, so that one odd file does not accuse all the others."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Reads the images of one modality. Small, whatever the number of chips: each worker gets a copy."""

    modality: str
    folder: Path
    endings: tuple[str, ...]
    """Of the files in the folder, as they are written."""
    side_px: int
    max_channels: int
    channels: tuple[Channel, ...] | None
    unit: str | None
    about: ChannelFile
    differences: tuple[Difference, ...] = ()

    def read(self, chip_id: str) -> Imagery:
        """The chip's channels in their units; NaN where there is no data.

        Raises:
            MissingImageryError: the chip has no file.
            InputError: the file cannot be read, or has another size, other channels or another unit than the others.
        """
        path = self._file(chip_id)
        refuse_outside(path, self.folder.parent)
        picture = read_picture(path)
        _refuse_shape(path, picture, self)
        try:
            channels = self.about.channels(picture, self.modality)
            values = self.about.values(picture)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        _refuse_channels(path, channels, self)
        values = _without_fill(path, values, channels)
        if picture.fills_chip:
            values = area_mean(values, self.side_px)
        absences = () if channels else (Absence(None, "missing", "the file holds no date pair"),)
        return Imagery(channels, values, absences=absences)

    def _file(self, chip_id: str) -> Path:
        if Path(chip_id).name != chip_id:
            raise InputError(
                f"chip {chip_id}: {self.modality}: an id is no path; make chips.parquet from chips.csv again"
            )
        for ending in self.endings:
            path = self.folder / f"{chip_id}{ending}"
            if path.is_file():
                return path
            if path.is_symlink() or path.exists():
                raise InputError(f"{path}: no plain file, or a link to nothing; put the image there, or remove it")
        raise MissingImageryError(f"chip {chip_id}: {self.modality}: {self._why_none(chip_id)}")

    def _why_none(self, chip_id: str) -> str:
        """What lies beside the images of the others, in its place."""
        path = self.folder / f"{chip_id}{SKIPPED}"
        if not path.is_file():
            return "no file"
        refuse_outside(path, self.folder.parent)
        return f"skipped: {skipped_reason(path)}"


def open_modality(
    folder: Path, modality: str, chip_ids: tuple[str, ...]
) -> tuple[FolderSource | None, tuple[str, ...]]:
    """The source of one sub-folder, None if no chip has a file in it; and what a person must be told.

    Raises:
        InputError: two files of one chip, no readable file, or a wrong channel file.
    """
    files, strangers = _files(folder / modality, set(chip_ids))
    notes = [f"{modality}: {len(strangers)} files are of no chip in chips.csv, as {strangers[0]}"] if strangers else []
    if not files:
        return None, tuple(notes)
    if len(files) < len(chip_ids):
        notes.append(f"{modality}: {len(chip_ids) - len(files)} of {len(chip_ids)} chips have no file")
    refuse_outside(folder / f"{modality}.toml", folder)
    about = read_channel_file(folder / f"{modality}.toml")
    forms = _forms(files, modality)
    picture = _typical(files, forms)
    channels = about.channels(picture, modality)
    unit = channels[0].unit if len({channel.unit for channel in channels}) == 1 else None
    if unit in (None, "dn"):
        notes.append(f"{modality}: no unit is stated; the chips are scaled by their own means and spreads")
    is_fixed = modality not in VARYING
    source = FolderSource(
        modality=modality, folder=folder / modality, endings=tuple(sorted({path.suffix for path in files.values()})),
        side_px=picture.values.shape[1], channels=channels if is_fixed else None, unit=unit, about=about,
        max_channels=len(channels) if is_fixed else max(form.channels for form in forms.values()),
        differences=about.channel_differences(channels) if is_fixed else (),
    )  # fmt: skip
    return source, tuple(notes)


def _files(folder: Path, wanted: set[str]) -> tuple[dict[str, Path], list[str]]:
    """The image of each chip, by id; and the names of files that are of no chip."""
    files: dict[str, Path] = {}
    strangers = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith((".aux.xml", SKIPPED)):
            continue
        if path.suffix.lower() not in KINDS or path.stem not in wanted:
            strangers.append(path.name)
        elif path.stem in files:
            raise InputError(f"{path}: chip '{path.stem}' has {files[path.stem].name} too; keep one of them")
        else:
            files[path.stem] = path
    return files, strangers


def _forms(files: Mapping[str, Path], modality: str) -> dict[Path, Form]:
    """Headers of files: of all where the number of channels varies, else of some spread over the folder."""
    paths = list(files.values())
    step = 1 if modality in VARYING else -(-len(paths) // SAMPLED)
    forms: dict[Path, Form] = {}
    first_error = None
    for path in [*paths[::step], *(path for index, path in enumerate(paths) if index % step)]:
        if len(forms) >= SAMPLED and modality not in VARYING:
            break
        try:
            refuse_outside(path, path.parent.parent)
            forms[path] = read_form(path)
        except InputError as error:  # one bad file among good ones is its own chip's failure
            first_error = first_error or error
    if not forms:
        raise first_error or InputError(f"{paths[0].parent}: no image in it")
    return forms


def _typical(files: Mapping[str, Path], forms: Mapping[Path, Form]) -> Picture:
    """A readable image of the form that most have; of the number of rows that most have, where channels vary."""
    sizes = Counter((form.height_px, form.channels > 0) for form in forms.values())
    counts = Counter(forms.values())
    ranked = sorted(forms, key=lambda path: (
        -sizes[forms[path].height_px, forms[path].channels > 0], -counts[forms[path]], path,
    ))  # fmt: skip
    first_error = None
    for path in ranked:
        try:
            return _square(path, read_picture(path))
        except InputError as error:
            first_error = first_error or error
    raise first_error or InputError(f"{next(iter(files.values())).parent}: no image in it")


def _square(path: Path, picture: Picture) -> Picture:
    height, width = picture.values.shape[1:]
    if height != width and not picture.fills_chip:
        raise InputError(f"{path}: {width} x {height} px is no square image; a chip is square")
    return picture


def _refuse_shape(path: Path, picture: Picture, source: FolderSource) -> None:
    height = _square(path, picture).values.shape[1]
    if not picture.fills_chip and height != source.side_px:
        raise InputError(
            f"{path}: {height} px, the other {source.modality} files have {source.side_px}; cut or resample it to their size"
        )
    if len(picture.values) != source.max_channels and source.channels is not None:
        raise InputError(
            f"{path}: {len(picture.values)} channels, the other {source.modality} files have {source.max_channels}"
        )


def _refuse_channels(path: Path, channels: tuple[Channel, ...], source: FolderSource) -> None:
    """The same names in any order, for the store lays channels by name; and the same units."""
    if source.channels is None:
        odd = [channel for channel in channels if channel.unit != source.unit]
        if odd:
            raise InputError(f"{path}: '{odd[0].name}' is in {odd[0].unit}, the other files are in {source.unit}")
        return
    expected = {channel.name: channel.unit for channel in source.channels}
    for channel in channels:
        if channel.name not in expected:
            raise InputError(
                f"{path}: channel '{channel.name}', the other {source.modality} files have {', '.join(expected)}"
            )
        if channel.unit != expected[channel.name]:
            raise InputError(
                f"{path}: '{channel.name}' is in {channel.unit}, in the other files in {expected[channel.name]}; "
                f"make them alike, or state units in {source.about.path.name}"
            )


def _without_fill(
    path: Path, values: Float32[np.ndarray, "C H W"], channels: tuple[Channel, ...]
) -> Float32[np.ndarray, "C H W"]:
    """Coherence without its fill value: 0 lies around every frame and is no coherence (products often do not say so)."""
    for plane, channel in zip(values, channels, strict=True):
        if channel.unit == "coherence":
            plane[plane == 0] = np.nan
            found = plane[~np.isnan(plane)]
            if found.size and (found.min() < 0 or found.max() > 1):
                raise InputError(
                    f"{path}: coherence '{channel.name}' from {found.min():g} to {found.max():g}; it lies between 0 and 1, "
                    "so state scale and nodata beside the folder"
                )
    return values


_: type[ImagerySource] = FolderSource
