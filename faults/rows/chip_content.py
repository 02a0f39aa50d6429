"""What an image may hold that no image should: nothing, gaps, infinities, constants, numbers without measure."""

import csv
import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.scene_contents import scene_cases
from terrashot.domain.tables import Chips, Embeddings, Presence
from terrashot.durable.parts import DiskParts
from terrashot.embed.channels import ChannelPolicy
from terrashot.embed.in_parts import embed_in_parts
from terrashot.errors import InputError
from terrashot.ingest.folder import open_chip_folder
from terrashot.ingest.harvest import harvest
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.steps.embed_tables import KEPT_DTYPE, EmbedChoices, table_job, write_floors, write_vectors
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store
from terrashot.store.statistics import measure_channels
from terrashot.store.vectors import read_embeddings

SIDE_PX, ORDINARY = 16, 12
MODALITIES = {"s2rgbm": "reflectance", "s1grdm": "dB", "gunw": "coherence"}
"""With the unit that is stated of some: it is stored as whole steps then, and coherence is held to lie between 0 and 1."""
NO_DATA = -9999.0
RANDOM_SOAK = 20_000
POLICIES: tuple[ChannelPolicy, ...] = ("mean", "each")
Image = np.ndarray
Where = tuple[int | slice, ...]


def _with(change: Callable[[Image], None]) -> Callable[[Image], Image]:
    def make(image: Image) -> Image:
        changed = image.copy()
        change(changed)
        return changed

    return make


def _set(where: Where, value: float) -> Callable[[Image], Image]:
    return _with(lambda image: image.__setitem__(where, value))


ALL, NAN, INF = (slice(None),) * 3, float("nan"), float("inf")
LEFT, TOP = (slice(None), slice(None), slice(None, 8)), (slice(None), slice(None, 8), slice(None))
PIXEL, CHANNEL, ROW_ = (slice(None), 3, 5), (0,), (slice(None), 7, slice(None))


def _only(where: Where) -> Callable[[Image], Image]:
    def make(image: Image) -> Image:
        kept = np.full_like(image, NAN)
        kept[where] = image[where]
        return kept

    return make


CONTENTS: Mapping[str, Callable[[Image], Image]] = {
    "all NaN": _set(ALL, NAN),
    "all no data": _set(ALL, NO_DATA),
    "constant zero": _set(ALL, 0.0),
    "constant one": _set(ALL, 1.0),
    "each channel constant": lambda image: np.broadcast_to(image[:, :1, :1], image.shape).copy(),
    "all infinite": _set(ALL, INF),
    "all minus infinite": _set(ALL, -INF),
    "one infinite pixel": _set(PIXEL, INF),
    "one minus infinite pixel": _set(PIXEL, -INF),
    "infinite left, NaN top": lambda image: _set(TOP, NAN)(_set(LEFT, INF)(image)),
    "half empty at the left edge": _set(LEFT, NAN),
    "half empty at the top edge": _set(TOP, NO_DATA),
    "one valid pixel": _only(PIXEL),
    "one valid row": _only(ROW_),
    "one valid channel": _only(CHANNEL),
    "one channel without a pixel": _set(CHANNEL, NAN),
    "a NaN pixel": _set(PIXEL, NAN),
    "every second pixel": _with(lambda image: image.__setitem__((slice(None), slice(None), slice(None, None, 2)), NAN)),
    "negative": lambda image: -image - 1,
    "negative radar power": lambda image: -1e-3 * image,
    "saturated": _set(ALL, 65_535.0),
    "saturated left half": _set(LEFT, 65_535.0),
    "smaller than any number should be": lambda image: image * np.float32(1e-38),
    "larger than any number should be": lambda image: image * np.float32(1e38),
    "huge, of both signs": lambda image: np.where(image > 0.5, np.float32(3e38), np.float32(-3e38)),
}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of some chips."""

    tables: Mapping[str, Embeddings]
    """By policy, and the floors."""
    presence: Presence


@dataclass(frozen=True, slots=True)
class Folder:
    """Chips to be written, ingested and embedded together."""

    held: Mapping[str, Mapping[str, Image]]
    """By chip and modality, what the file holds."""
    has_units: bool
    """Whether the channel files state a unit."""

    def valid(self, chip_id: str, modality: str) -> np.ndarray:
        """Which pixels are valid (C, H, W): none of a file that is refused."""
        image = self.held[chip_id][modality]
        valid: np.ndarray = np.isfinite(image) & (image != NO_DATA)
        if self.is_refused(chip_id, modality):
            return np.zeros_like(valid)
        # What lies around every frame of coherence is no coherence.
        return valid & (image != 0) if self.has_units and modality == "gunw" else valid

    def is_refused(self, chip_id: str, modality: str) -> bool:
        """Whether the file holds what cannot be coherence."""
        image = self.held[chip_id][modality]
        values = image[np.isfinite(image) & (image != NO_DATA)]
        return self.has_units and modality == "gunw" and bool(((values < 0) | (values > 1)).any())


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for has_units in (False, True):
        named = dict(_named(soak, seed))
        told = ", units stated" if has_units else ""
        folder = Folder(
            {**_ordinary(ORDINARY, seed), **{_id(*key): images for key, images in named.items()}}, has_units
        )
        outcomes = functools.cache(functools.partial(_outcomes, folder))
        for name, modality in named:
            yield Case(
                f"{modality}: {name}{told}",
                functools.partial(
                    _judged, made=folder, outcomes=outcomes, chip_id=_id(name, modality), modality=modality
                ),
            )
        for name in CONTENTS:
            yield Case(
                f"every image of every chip: {name}{told}",
                functools.partial(_everywhere, name=name, has_units=has_units),
            )
    yield from scene_cases(_tables)


def _named(soak: bool, seed: int) -> Iterator[tuple[tuple[str, str], dict[str, Image]]]:
    """Chips of which one modality shows what it should not."""
    rng = np.random.default_rng([seed, 12])
    for modality in MODALITIES:
        for name in (*CONTENTS, *(f"random {number}" for number in range(RANDOM_SOAK // 6 if soak else 0))):
            images = _images(rng)
            image = images[modality]
            changed = CONTENTS[name](image) if name in CONTENTS else _blotted(image, rng)
            images[modality] = changed.astype(np.float32)
            yield (name, modality), images


def _ordinary(number: int, seed: int) -> dict[str, dict[str, Image]]:
    return {f"good{n:02d}": _images(np.random.default_rng([seed, n])) for n in range(number)}


def _images(rng: np.random.Generator) -> dict[str, Image]:
    return {name: rng.random((2 + (name == "s2rgbm"), SIDE_PX, SIDE_PX)).astype(np.float32) for name in MODALITIES}


def _blotted(image: Image, rng: np.random.Generator) -> Image:
    """Some pixels replaced by numbers that harm."""
    blots = rng.choice(np.array([NAN, INF, -INF, NO_DATA, 0, 3e38, -3e38, 1e-40], dtype=np.float32), image.shape)
    return np.where(rng.random(image.shape) < rng.random(), blots, image)


def _outcomes(made: Folder) -> Outcomes:
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        folder = Path(place)
        _write(folder / "chips", made)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            opened = open_chip_folder(folder / "chips")
            finish(harvest(opened.sources, opened.chips.ids, folder, workers=1))
            ids, area, group = opened.chips.ids, opened.chips.area, opened.chips.group
            split = tuple("train" if chip_id.startswith("good") else "test" for chip_id in ids)
            return Outcomes(_tables(folder, Chips(ids, area, group, split)), open_chip_store(folder).presence())


def _tables(folder: Path, chips: Chips) -> dict[str, Embeddings]:
    """By policy, and the floors; learnt from the training chips alone."""
    store = open_chip_store(folder)
    stats = measure_channels(store, [chips.ids[row] for row in chips.rows_in("train")], 0)
    config = TowersConfig(
        store.modalities, VitConfig(width=16, depth=1, heads=2, patch_px=8, chip_px=SIDE_PX), embedding=8
    )
    made = {}
    for policy in POLICIES:
        choices = EmbedChoices(policy, "training-mean", "float32", "float32", 0, 1)
        parts = DiskParts(folder / f"parts-{policy}", "x")
        table = table_job(make_towers(config, 0), stats, store, chips, choices, parts)
        vectors = finish(embed_in_parts(table.job, table.chips.ids, parts, name="x", dtype=KEPT_DTYPE))
        write_vectors(folder / "e.parquet", table, vectors.groups, "model")
        made[str(policy)] = read_embeddings(folder / "e.parquet")
    finish(write_floors(folder / "f.parquet", table))
    return {**made, "floors": read_embeddings(folder / "f.parquet")}


def _id(name: str, modality: str) -> str:
    return f"{modality}.{''.join(letter if letter.isalnum() else '-' for letter in name)}"


def _write(folder: Path, made: Folder) -> None:
    """The chip folder: every second image as GeoTIFF that states its no data, the others as .npy."""
    for modality, unit in MODALITIES.items():
        (folder / modality).mkdir(parents=True)
        told = f'units = "{unit}"\n' if made.has_units else ""
        (folder / f"{modality}.toml").write_text(f"nodata = {NO_DATA}\n{told}")
    for number, (chip_id, images) in enumerate(made.held.items()):
        for modality, image in images.items():
            write = _write_geotiff if number % 2 else _write_npy
            write(folder / modality / chip_id, image)
    with (folder / "chips.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "area"], *([chip_id, "a"] for chip_id in made.held)])


def _write_npy(path: Path, image: Image) -> None:
    np.save(path.with_name(f"{path.name}.npy"), image)


def _write_geotiff(path: Path, image: Image) -> None:
    form = {
        "driver": "GTiff",
        "dtype": "float32",
        "count": len(image),
        "width": SIDE_PX,
        "height": SIDE_PX,
        "nodata": NO_DATA,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path.with_name(f"{path.name}.tif"), "w", **form) as file:
            file.write(image)


def _judged(folder: Path, made: Folder, outcomes: Callable[[], Outcomes], chip_id: str, modality: str) -> Verdict:
    wrong = list(_wrong(made, outcomes(), chip_id, modality))
    if wrong:
        return silent("; ".join(wrong[:3]))
    return refused() if made.is_refused(chip_id, modality) else exact()


def _everywhere(folder: Path, name: str, has_units: bool) -> Verdict:
    """A folder of which every chip, of training too, shows this in every modality."""
    images = {
        chip_id: {modality: CONTENTS[name](image).astype(np.float32) for modality, image in of_chip.items()}
        for chip_id, of_chip in _ordinary(5, 0).items()
    }
    made = Folder(images, has_units)
    try:
        found = _outcomes(made)
    except InputError as error:
        is_empty = not any(made.valid(chip_id, modality).any() for chip_id in images for modality in MODALITIES)
        return refused() if is_empty and "no chip has a valid pixel" in str(error) else crashed(str(error))
    wrong = [text for chip_id in images for modality in MODALITIES for text in _wrong(made, found, chip_id, modality)]
    return silent("; ".join(wrong[:3])) if wrong else exact()


def _wrong(made: Folder, found: Outcomes, chip_id: str, modality: str) -> Iterator[str]:
    """In what a chip's rows are not what its file holds; the reader refuses vectors that are not finite."""
    valid = made.valid(chip_id, modality)
    n_channels, share = int(valid.any(axis=(1, 2)).sum()), valid.mean(axis=(1, 2))
    there = {"coherence": n_channels > 0, **{f"c{n}": bool(of_one.any()) for n, of_one in enumerate(valid, start=1)}}
    for name, table in found.tables.items():
        row = table.chips.ids.index(chip_id)
        for block in (block for block in table.blocks if block.split(":")[-1] == modality):
            if bool(table.present(block)[row]) != bool(n_channels):
                yield f"{name}, {block}: {'no' if n_channels else 'a'} vector of {n_channels} channels with pixels"
            if block in table.n_channels and table.n_channels[block][row] != n_channels:
                yield f"{name}, {block}: {table.n_channels[block][row]} channels counted of {n_channels}"
            if block in table.absent and n_channels:
                empty = [not there[kind] for kind in table.kinds[block]]
                if table.absent[block][row].tolist() != empty:
                    yield f"{name}, {block}: {table.absent[block][row].tolist()} absent, where {empty} are"
        if n_channels and name != "floors" and modality not in table.blocks:
            yield f"{name}: no column for {modality}"
    rows = (found.presence.chip_id == chip_id) & (found.presence.modality == modality)
    shares = np.nan_to_num(found.presence.valid_fraction[rows])
    if sorted(shares[shares > 0]) != sorted(share[share > 0].astype(np.float32)):
        yield f"valid shares {shares.tolist()}, where the file has {share.tolist()}"
    if made.is_refused(chip_id, modality) and found.presence.status[rows].tolist() != ["failed"]:
        yield f"{found.presence.status[rows].tolist()}, where the file is none"


ROW = Row("chip_content", "image of nothing, gaps, infinities, constants or numbers without measure", cases)
