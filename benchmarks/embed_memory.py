"""Whether embedding 100 times as many chips takes more memory: python benchmarks/embed_memory.py [--quick]

Each number of chips in a process of its own: chips of 16 px whose pixels are made when they are read, the `tiny` preset, `each`,
some dates absent so that something stands in, all written to a table with its health card. Prints the peak of each beyond what
the libraries take, and as the ratio that of the smallest against that of the largest: 1 is flat.
"""

import argparse
import multiprocessing
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from interleaved import report

from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.domain.tables import Chips, Presence, make_presence
from terrashot.durable.parts import DiskParts
from terrashot.embed import kept
from terrashot.embed.in_parts import embed_in_parts
from terrashot.model.presets import PRESETS
from terrashot.model.towers import make_towers
from terrashot.steps.embed_health import write_card
from terrashot.steps.embed_tables import KEPT_DTYPE, EmbedChoices, table_job, write_vectors
from terrashot.steps.progress import finish
from terrashot.store.layout import StoredChannel

SIDE_PX, PART_CHIPS = 16, 512
KINDS = ("red", "green", "blue")
ABSENT_EVERY = 7
"""So many chips from one without blue to the next."""


class MadeUp:
    """A chip store whose pixels are drawn from a chip's number when they are asked for."""

    modalities, chip_px = ("s2rgbm",), SIDE_PX

    def __init__(self, n_chips: int) -> None:
        self.chip_ids = tuple(f"c{number:07d}" for number in range(n_chips))

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        there = KINDS[:2] if int(chip_id[1:]) % ABSENT_EVERY == 0 else KINDS
        return tuple(StoredChannel(slot, Channel(kind, kind), 1.0) for slot, kind in enumerate(there))

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> np.ndarray:
        images = [np.random.default_rng([int(chip_id[1:]), slot]).random((SIDE_PX, SIDE_PX)) for chip_id, slot in picks]
        return np.array(images, dtype=np.float32)

    def presence(self) -> Presence:
        return make_presence(())


def chips_of(store: MadeUp) -> Chips:
    """Somewhere on the Earth, every second one to train; no outlines."""
    n = len(store.chip_ids)
    lon, lat = np.random.default_rng(0).uniform((-170, -80), (170, 80), (n, 2)).T
    split = tuple("train" if number % 2 else "test" for number in range(n))
    return Chips(store.chip_ids, ("a",) * n, (None,) * n, split, None, lon, lat)


def work(folder: Path, n_chips: int, with_card: bool, answer: "multiprocessing.Queue[int]") -> None:
    """Puts the bytes that embedding took beyond what was there before."""
    torch.set_num_threads(1)
    kept.PART_PIXELS = PART_CHIPS * SIDE_PX**2
    store = MadeUp(n_chips)
    stats = ChannelStats({"s2rgbm": {kind: KindStats(0.5, 0.3, 1, None) for kind in KINDS}})
    towers = make_towers(PRESETS["tiny"].towers(("s2rgbm",), SIDE_PX), 0)
    # Writing 5 there sets the peak back to what is used now; ru_maxrss would keep the parent's.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    choices = EmbedChoices("each", "ridge", "float16", "float32", 0, 2)
    table = table_job(towers, stats, store, chips_of(store), choices, DiskParts(folder / "parts", str(n_chips)))
    made = finish(embed_in_parts(table.job, table.chips.ids, table.parts, name="x", dtype=KEPT_DTYPE))
    write_vectors(folder / "e.parquet", table, made.groups, "model")
    if with_card:
        finish(write_card(folder / "e.parquet", table, made.groups, None, None))
    answer.put(peak_bytes() - before)


def peak_bytes() -> int:
    """VmHWM of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def peak(n_chips: int, *, with_card: bool) -> int:
    """Of a process of its own."""
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[int] = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=work, args=(Path(folder), n_chips, with_card, answer))
        process.start()
        found = answer.get()
        process.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5,000 chips instead of 100,000")
    numbers = (1000, 5000) if parser.parse_args().quick else (1000, 10_000, 100_000)
    found = {with_card: {n: peak(n, with_card=with_card) for n in numbers} for with_card in (False, True)}
    plain = found[False]
    report(
        "embed_memory",
        [plain[numbers[0]] / plain[numbers[-1]]],
        f"peak memory of embedding {numbers[0]:,} chips against {numbers[-1]:,}; 1 is flat",
        mib={n: round(size / 2**20) for n, size in plain.items()},
        mib_with_health_card={n: round(size / 2**20) for n, size in found[True].items()},
    )


if __name__ == "__main__":
    main()
