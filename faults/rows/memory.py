"""A cap on memory: reading ten and a hundred times as many chips takes no more of it, and so does embedding them."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from faults.child import run_child
from faults.outcome import Case, Row, Verdict, crashed, exact, silent
from faults.wide_scene import wide_chips, wide_source, write_wide_scene
from terrashot.domain.modality import Channel, Difference, Imagery
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.domain.tables import Chips
from terrashot.durable.files import make_folder
from terrashot.durable.parts import DiskParts
from terrashot.embed.in_parts import embed_in_parts
from terrashot.engine import available_cores
from terrashot.ingest.harvest import harvest
from terrashot.model.presets import PRESETS
from terrashot.model.towers import make_towers
from terrashot.steps.embed_tables import EmbedChoices, table_job, write_vectors
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store

SIDE_PX, CHIPS = 128, 64
TIMES, TIMES_SOAK = (10, 20), (10, 100)
"""The smaller number already fills a batch of images (256 of 128 px)."""
TIMES_OF_SCENES, TIMES_OF_SCENES_SOAK = (1, 6), (1, 160)
"""Of chips that are cut from a scene, each from four files."""
INGEST_CAP, EMBED_CAP = 2 << 30, 4 << 30
GROWTH = 1.2
CHIP_BYTES = 1024
"""What a chip's id and place may take while its pixels (192 KiB here) come and go."""
SEGMENT_BYTES = 32 << 20
"""What an allocator takes at a time: whether a run begins one more is chance. The pixels of the further chips would be 120 MiB."""
CHANNELS = tuple(Channel(f"c{number}", f"c{number}", "reflectance") for number in range(3))


class Noise:
    """A source of seeded noise, three channels of 128 px."""

    modality, side_px, max_channels, unit = "s2rgbm", SIDE_PX, 3, "reflectance"
    channels: tuple[Channel, ...] | None = CHANNELS
    differences: tuple[Difference, ...] = ()

    def read(self, chip_id: str) -> Imagery:
        rng = np.random.default_rng(int(chip_id[1:]))
        return Imagery(CHANNELS, rng.random((3, SIDE_PX, SIDE_PX), dtype=np.float32))


def cases(soak: bool, seed: int) -> Iterator[Case]:
    times = TIMES_SOAK if soak else TIMES
    yield Case("ingest", functools.partial(_compare, work=_ingest, cap=INGEST_CAP, times=times))
    scenes = TIMES_OF_SCENES_SOAK if soak else TIMES_OF_SCENES
    yield Case("ingest of scenes", functools.partial(_compare, work=_ingest_scenes, cap=INGEST_CAP, times=scenes))
    yield Case("embed", functools.partial(_compare, work=_embed, cap=EMBED_CAP, times=times))


def _compare(folder: Path, work: Callable[[Path, int], None], cap: int, times: tuple[int, int]) -> Verdict:
    peaks, extra = [], []
    for number in times:
        where = folder / str(number)
        PREPARE.get(work, _nothing)(where, CHIPS * number)
        ended = run_child(functools.partial(work, where, CHIPS * number), folder / f"notes-{number}")
        if ended.code != 0:
            return crashed(ended.last_line)
        peaks.append(ended.peak_bytes)
        extra.append(ended.extra_bytes)
    found = zip(times, extra, strict=True)
    told = " and ".join(f"{more / 2**20:.0f} MiB for {CHIPS * number} chips" for number, more in found)
    # Of what the work itself takes: what the interpreter and its libraries take would hide a growth.
    bookkeeping = CHIP_BYTES * CHIPS * (times[1] - times[0])
    is_flat = extra[1] <= GROWTH * extra[0] + bookkeeping + SEGMENT_BYTES and max(peaks) <= cap
    return exact() if is_flat else silent(told)


def _ids(number: int) -> list[str]:
    return [f"c{n:06d}" for n in range(number)]


def _ingest(folder: Path, n_chips: int) -> None:
    finish(harvest([Noise()], _ids(n_chips), folder, workers=1))


def _nothing(folder: Path, n_chips: int) -> None:
    pass


def _write_scene(folder: Path, n_chips: int) -> None:
    make_folder(folder)
    write_wide_scene(folder, n_chips)


def _ingest_scenes(folder: Path, n_chips: int) -> None:
    found = finish(harvest([wide_source(folder)], wide_chips(n_chips), folder / "store", workers=1))
    assert found.statuses == {"ok": 3 * n_chips}, found.statuses


def _embed(folder: Path, n_chips: int) -> None:
    assert available_cores() == 1
    ids = tuple(_ids(n_chips))
    stats = ChannelStats({"s2rgbm": {channel.kind: KindStats(0.5, 0.3, 1, "reflectance") for channel in CHANNELS}})
    towers = make_towers(PRESETS["tiny"].towers(("s2rgbm",), SIDE_PX), 0)
    chips = Chips(ids, ("a",) * n_chips, (None,) * n_chips, ("train",) * n_chips)
    choices = EmbedChoices("random", "training-mean", "float16", "float32", 0, 1)
    table = table_job(towers, stats, open_chip_store(folder), chips, choices, DiskParts(folder / "parts", "x"))
    made = finish(embed_in_parts(table.job, table.chips.ids, table.parts, name="x", dtype="float16"))
    write_vectors(folder / "embeddings.parquet", table, made.groups, "model")


PREPARE: dict[Callable[[Path, int], None], Callable[[Path, int], None]] = {
    _embed: _ingest,
    _ingest_scenes: _write_scene,
}
"""What must lie there before, not counted."""
ROW = Row("memory", "memory capped: ten and more times the chips, no more of it", cases)
