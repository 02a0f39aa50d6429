"""What an image may hold that no image should: nothing, gaps, infinities, constants, numbers without measure."""

import csv
import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faults.outcome import Case, Row, Verdict, exact, refused, silent
from terrashot.domain.tables import Chips, Embeddings, Presence
from terrashot.durable.parts import DiskParts
from terrashot.embed.channels import ChannelPolicy
from terrashot.embed.in_parts import embed_in_parts
from terrashot.ingest.folder import open_chip_folder
from terrashot.ingest.harvest import harvest
from terrashot.model.towers import TowersConfig, make_towers
from terrashot.model.vit import VitConfig
from terrashot.steps.embed_tables import KEPT_DTYPE, EmbedChoices, table_job, write_floors, write_vectors
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store
from terrashot.store.statistics import measure_channels
from terrashot.store.vectors import read_embeddings

SIDE_PX, ORDINARY, MODALITIES = 16, 12, ("s2rgbm", "s1grdm", "gunw")
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
    """What came of all chips at once."""

    tables: Mapping[str, Embeddings]
    """By policy, and the floors."""
    presence: Presence
    failed: Mapping[str, str]
    held: Mapping[str, Mapping[str, Image]]
    """By chip and modality, what the file held."""


def cases(soak: bool, seed: int) -> Iterator[Case]:
    outcomes = functools.cache(functools.partial(_outcomes, soak, seed))
    for name, modality in _named(soak):
        yield Case(f"{modality}: {name}", functools.partial(_judged, outcomes=outcomes, name=name, modality=modality))


def _named(soak: bool) -> Iterator[tuple[str, str]]:
    for modality in MODALITIES:
        yield from ((name, modality) for name in CONTENTS)
        yield from ((f"random {number}", modality) for number in range(RANDOM_SOAK // 3 if soak else 0))


def _outcomes(soak: bool, seed: int) -> Outcomes:
    with tempfile.TemporaryDirectory(prefix="faults-") as place, warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(place)
        held = dict(_images(soak, seed))
        _write(folder / "chips", held)
        opened = open_chip_folder(folder / "chips")
        harvested = finish(harvest(opened.sources, opened.chips.ids, folder, workers=1))
        there = [row for row, chip_id in enumerate(opened.chips.ids) if chip_id not in harvested.failed]
        tables = _tables(folder, opened.chips.take(there))
        return Outcomes(tables, open_chip_store(folder).presence(), dict(harvested.failed), held)


def _tables(folder: Path, chips: Chips) -> dict[str, Embeddings]:
    split = tuple("train" if chip_id.startswith("good") else "test" for chip_id in chips.ids)
    chips = Chips(chips.ids, chips.area, chips.group, split)
    store = open_chip_store(folder)
    stats = measure_channels(store, [chip_id for chip_id in chips.ids if chip_id.startswith("good")], 0)
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


def _images(soak: bool, seed: int) -> Iterator[tuple[str, dict[str, Image]]]:
    rng = np.random.default_rng(seed)

    def ordinary() -> dict[str, Image]:
        return {name: rng.random((2 + (name == "s2rgbm"), SIDE_PX, SIDE_PX)).astype(np.float32) for name in MODALITIES}

    for number in range(ORDINARY):
        yield f"good{number:02d}", ordinary()
    for name, modality in _named(soak):
        images = ordinary()
        image = images[modality]
        changed = CONTENTS[name](image) if name in CONTENTS else _blotted(image, rng)
        images[modality] = changed.astype(np.float32)
        yield _id(name, modality), images


def _blotted(image: Image, rng: np.random.Generator) -> Image:
    """Some pixels replaced by numbers that harm."""
    blots = rng.choice(np.array([NAN, INF, -INF, NO_DATA, 0, 3e38, -3e38, 1e-40], dtype=np.float32), image.shape)
    return np.where(rng.random(image.shape) < rng.random(), blots, image)


def _id(name: str, modality: str) -> str:
    return f"{modality}.{''.join(letter if letter.isalnum() else '-' for letter in name)}"


def _write(folder: Path, held: Mapping[str, Mapping[str, Image]]) -> None:
    for modality in MODALITIES:
        (folder / modality).mkdir(parents=True)
        (folder / f"{modality}.toml").write_text(f"nodata = {NO_DATA}\n")
    for chip_id, images in held.items():
        for modality, image in images.items():
            np.save(folder / modality / f"{chip_id}.npy", image)
    with (folder / "chips.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "area"], *([chip_id, "a"] for chip_id in held)])


def _judged(folder: Path, outcomes: Callable[[], Outcomes], name: str, modality: str) -> Verdict:
    found, chip_id = outcomes(), _id(name, modality)
    if chip_id in found.failed:
        return (
            refused()
            if chip_id in found.failed[chip_id]
            else silent(f"refused without its name: {found.failed[chip_id]}")
        )
    valid = np.isfinite(image := found.held[chip_id][modality]) & (image != NO_DATA)
    wrong = [
        *_wrong_vectors(found, chip_id, modality, is_there=bool(valid.any())),
        *_wrong_share(found, chip_id, modality, valid),
    ]
    return silent("; ".join(wrong)) if wrong else exact()


def _wrong_vectors(found: Outcomes, chip_id: str, modality: str, *, is_there: bool) -> Iterator[str]:
    """A vector where nothing is valid, none where something is, or one that is not finite (which the reader refuses)."""
    for policy, table in found.tables.items():
        for block in table.blocks:
            if block.split(":")[-1] == modality:
                known = bool(table.present(block)[table.chips.ids.index(chip_id)])
                if known != is_there:
                    yield f"{policy}, {block}: {'a' if known else 'no'} vector of an image {'with' if is_there else 'without'} pixels"


def _wrong_share(found: Outcomes, chip_id: str, modality: str, valid: np.ndarray) -> Iterator[str]:
    rows = (found.presence.chip_id == chip_id) & (found.presence.modality == modality)
    shares = np.nan_to_num(found.presence.valid_fraction[rows])
    wanted = valid.mean(axis=(1, 2))
    if sorted(shares[shares > 0]) != sorted(wanted[wanted > 0].astype(np.float32)):
        yield f"valid shares {shares.tolist()}, where the file has {wanted.tolist()}"


ROW = Row("chip_content", "image of nothing, gaps, infinities, constants or numbers without measure", cases)
