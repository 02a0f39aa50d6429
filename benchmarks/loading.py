"""How fast one loader thread makes batches: against reading alone, and against what eight A100 would ask for.

python benchmarks/loading.py [--quick]

The chips are simulated. `ratio` is the rate of `ChannelDraws.views` (read, scale, fill, turn, lay into the batch) as a
share of the rate of `store.read` alone for the same channels, at 448 px, page cache warm. `of_eight_a100` is the rate of
one thread as a share of the channels a second that one node takes at preset `paper`, 448 px, 40 % of 312 TFLOP/s each;
each of the eight processes there has a loader thread of its own, so that 0.125 is enough.

The order of chips is measured on a store of many small shards, more than a reader holds open. A cold epoch begins with
the shards out of the page cache, as far as the system heeds that wish.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from interleaved import report, seconds_a_call
from simulated_store import simulated_store

from terrashot.domain.grid import Grid
from terrashot.domain.modality import Imagery
from terrashot.errors import MissingImageryError
from terrashot.ingest.harvest import harvest
from terrashot.ingest.source import ImagerySource
from terrashot.ingest.world.sources import World, simulated_sources
from terrashot.model.cost import forward_flops
from terrashot.model.presets import PRESETS
from terrashot.pretrain.dataset import ChannelDraws, make_draws
from terrashot.store.chips import ZarrChipStore, open_chip_store
from terrashot.store.held import hold
from terrashot.store.layout import ZARR
from terrashot.store.statistics import measure_channels

A100_FLOPS, SHARE_OF_PEAK, GPUS = 312e12, 0.4, 8
"""Dense bfloat16 of an A100; the share of it that training is to reach."""
THREADS = (2, 4)
PLENTY = 1 << 40
READ_CHIPS, TEXTURES = 1024, 16
"""Chips of the store of many shards that are read an epoch; and different ones among them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    rounds, found = 3 if quick else 7, {}
    for chip_px, n_chips in ((448, 16 if quick else 64), (64, 128 if quick else 256)):
        with tempfile.TemporaryDirectory() as folder:
            store = simulated_store(Path(folder), chip_px=chip_px, n_chips=n_chips)
            found[chip_px] = rates(store, rounds)
        print(chip_px, "px:", _middle(found[chip_px]), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        store = store_of_many_shards(Path(folder), chip_px=16 if quick else 64, n_chips=6144 if quick else 12288)
        orders = milliseconds_by_order(store, 2 if quick else 3)
    print("order of chips, ms a channel:", orders, flush=True)
    report(
        "loading",
        [views / read for views, read in zip(found[448]["views"], found[448]["read"], strict=True)],
        "store.read alone, the same channels of 448 px",
        channels_a_second={side: _middle(times) for side, times in found.items()},
        of_eight_a100=round(statistics.median(found[448]["views"]) / channels_of_eight_a100(), 4),
        order_ms_a_channel=orders,
    )


def channels_of_eight_a100() -> float:
    """Channels a second: each chip takes one forward and two backward passes of each tower, and a channel a tower."""
    config = PRESETS["paper"].towers(("s2rgbm", "s1grdm", "gunw"), 448)
    return GPUS * A100_FLOPS * SHARE_OF_PEAK / (3 * forward_flops(config))


def rates(store: ZarrChipStore, rounds: int) -> dict[str, list[float]]:
    """Channels a second, one a round, of each way to get them."""
    draws = make_draws(store, measure_channels(store, store.chip_ids, 0), store.chip_ids, seed=0)
    held = replace(draws, store=hold(store, store.chip_ids, PLENTY))
    seen = Noting(store)
    replace(draws, store=seen).views(draws.chip_ids, "benchmark", augment=True)
    calls: dict[str, Callable[[], object]] = {
        "read": lambda: [store.read(modality, picks) for modality, picks in seen.reads],
        "views": lambda: draws.views(draws.chip_ids, "benchmark", augment=True),
        "held read": lambda: [held.store.read(modality, picks) for modality, picks in seen.reads],
        "held views": lambda: held.views(draws.chip_ids, "benchmark", augment=True),
        **{f"views, {n} threads": Threads(draws, n) for n in THREADS},
    }
    n_channels = sum(len(picks) for _, picks in seen.reads)
    return {name: [n_channels / s for s in times] for name, times in seconds_a_call(calls, rounds=rounds).items()}


class Noting:
    """A store that notes what it is asked for."""

    def __init__(self, store: ZarrChipStore) -> None:
        self.store = store
        self.reads: list[tuple[str, Sequence[tuple[str, int]]]] = []

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> np.ndarray:
        self.reads.append((modality, picks))
        return self.store.read(modality, picks)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


class Threads:
    """The same batch in parts, each thread with a store of its own."""

    def __init__(self, draws: ChannelDraws, count: int) -> None:
        self.pool = ThreadPoolExecutor(count)
        self.parts = [
            (replace(draws, store=open_chip_store(draws.store.folder)), draws.chip_ids[first::count])
            for first in range(count)
        ]

    def __call__(self) -> object:
        return list(self.pool.map(lambda part: part[0].views(part[1], "benchmark", augment=True), self.parts))


class Repeated:
    """A source whose many chips show what a few show, so that they are quickly made."""

    def __init__(self, source: ImagerySource, chip_ids: Sequence[str]) -> None:
        self.source = source
        self.shown = [found for found in map(self._or_none, chip_ids) if found]

    def _or_none(self, chip_id: str) -> Imagery | None:
        try:
            return self.source.read(chip_id)
        except MissingImageryError:
            return None

    def read(self, chip_id: str) -> Imagery:
        return self.shown[int(chip_id.rpartition("c")[2]) % len(self.shown)]

    def __getattr__(self, name: str) -> object:
        return getattr(self.source, name)


def store_of_many_shards(folder: Path, *, chip_px: int, n_chips: int) -> ZarrChipStore:
    grid = Grid(32632, chip_px * 10.0)
    middle = grid.chip_at(500_000.0, 5_000_000.0)
    ids = [grid.chip(middle.row + number // 64, middle.col + number % 64).id for number in range(n_chips)]
    sources = [Repeated(source, ids[:TEXTURES]) for source in simulated_sources(World(0, chip_px), 10.0)]
    for _ in harvest(sources, ids, folder, workers=1):
        pass
    return open_chip_store(folder)


def milliseconds_by_order(store: ZarrChipStore, rounds: int) -> dict[str, float]:
    """The least of some rounds, for each order, with the page cache warm and cold."""
    stats = measure_channels(store, store.chip_ids[:256], 0)
    draws = make_draws(store, stats, store.chip_ids, seed=0)
    shards = [path for path in (store.folder / ZARR).rglob("*") if path.is_file()]
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for cache in ("warm", "cold"):
            for shuffle in ("chips", "shards"):
                _epoch(draws, shards, shuffle, is_cold=False)
                seconds = _epoch(draws, shards, shuffle, is_cold=cache == "cold")
                found.setdefault(f"{shuffle}, {cache}", []).append(1e3 * seconds / (3 * READ_CHIPS))
    return {name: round(min(times), 4) for name, times in found.items()} | {"shard files": len(shards)}


def _epoch(draws: ChannelDraws, shards: Sequence[Path], shuffle: str, *, is_cold: bool) -> float:
    """Seconds that the first chips of an epoch take, read by a store that was opened just now."""
    fresh = replace(draws, store=open_chip_store(draws.store.folder))
    order = fresh.order("epoch 0", shuffle)[:READ_CHIPS]
    if is_cold:
        for path in shards:
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    started = time.perf_counter()
    for first in range(0, len(order), 256):
        fresh.views(order[first : first + 256], "epoch 0", augment=True)
    return time.perf_counter() - started


def _middle(times: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: round(statistics.median(values), 1) for name, values in times.items()}


if __name__ == "__main__":
    main()
