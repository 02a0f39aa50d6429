"""How near embedding a store comes to the matrix-multiply rate of the same machine, reading included.

python benchmarks/embed.py [--quick] [--preset tiny w192d8 ...] [--threads N]
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import torch
from interleaved import matmul_probe, report, seconds_a_call
from simulated_store import simulated_store

from terrashot.domain.tables import Chips, Embeddings
from terrashot.embed.embed import embed_chips
from terrashot.model.cost import forward_flops
from terrashot.model.presets import PRESETS
from terrashot.model.towers import make_towers
from terrashot.store.chips import ZarrChipStore
from terrashot.store.statistics import measure_channels

SHAPES = {"tiny": (64, 48), "w192d8": (448, 2), "w384d12": (448, 2), "paper": (448, 2)}
"""Side in pixels and number of chips, by preset."""


def measure(preset: str, store: ZarrChipStore, rounds: int) -> dict[str, list[float]]:
    """Share of the probe's rate, images a second, and the share of reading in the time, one a round."""
    ids = store.chip_ids
    nothing = (None,) * len(ids)
    chips, stats = Chips(ids, ("a",) * len(ids), nothing, nothing), measure_channels(store, ids, 0)
    config = PRESETS[preset].towers(store.modalities, store.chip_px)
    towers = make_towers(config, 0)
    picks = {
        m: [(c, s.slot) for c in ids for s in store.channels(c, m) if s.valid_fraction > 0] for m in store.modalities
    }
    n_images = sum(len(found) for found in picks.values())
    probe, probe_flops = matmul_probe()

    def embed() -> Embeddings:
        work = embed_chips(towers, stats, store, chips, channels="mean", seed=0)
        while True:
            try:
                next(work)
            except StopIteration as stop:
                return stop.value

    times = seconds_a_call(
        {"probe": probe, "embed": embed, "read": lambda: [store.read(m, found) for m, found in picks.items()]},
        rounds=rounds,
    )
    return {
        "share": [
            n_images * forward_flops(config) / s / (probe_flops / p)
            for s, p in zip(times["embed"], times["probe"], strict=True)
        ],
        "images_a_second": [n_images / s for s in times["embed"]],
        "read": [r / s for r, s in zip(times["read"], times["embed"], strict=True)],
        "probe_gflops": [probe_flops / p / 1e9 for p in times["probe"]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--preset", nargs="+", choices=list(SHAPES), default=["tiny", "w192d8", "paper"])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    presets = ["tiny"] if asked.quick else asked.preset
    found = {}
    for preset in presets:
        side, n_chips = SHAPES[preset]
        with tempfile.TemporaryDirectory() as folder:
            store = simulated_store(Path(folder), chip_px=side, n_chips=n_chips)
            found[preset] = measure(preset, store, 5 if preset == "tiny" else 3)
        print(preset, {part: round(statistics.median(values), 4) for part, values in found[preset].items()}, flush=True)
    first = presets[0]
    detail = {
        preset: {part: round(statistics.median(values), 4) for part, values in parts.items()}
        for preset, parts in found.items()
    }
    report(
        "embed",
        found[first]["share"],
        f"fp32 matrix-multiply rate of the same round; all channels of a store with '{first}', reading included",
        presets=detail,
    )


if __name__ == "__main__":
    main()
