"""How near embedding a store comes to the matrix-multiply rate of the same machine, reading included.

python benchmarks/embed.py [--quick] [--preset tiny w192d8 ...] [--workers N]

For each preset and number type: share of the rate that a product of the same number type reaches in the same round; of bfloat16
also how much faster it is than float32, and the least cosine between the two; of several workers, what they add to one.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from interleaved import matmul_probe, report, seconds_a_call
from simulated_store import simulated_store

from terrashot.embed.channels import plan_blocks
from terrashot.embed.embed import EmbedJob, RawVectors, embed_chips
from terrashot.engine import available_cores
from terrashot.model.cost import forward_flops
from terrashot.model.presets import PRESETS
from terrashot.model.towers import make_towers
from terrashot.steps.progress import finish
from terrashot.store.chips import ZarrChipStore
from terrashot.store.statistics import measure_channels

SHAPES = {"tiny": (64, 48), "w192d8": (448, 6), "w384d12": (448, 2), "paper": (448, 2)}
"""Side in pixels and number of chips, by preset."""
TYPES = ("float32", "bfloat16")


def measure(preset: str, store: ZarrChipStore, rounds: int, workers: int) -> dict[str, list[float]]:
    """Shares of the probe's rate and ratios, one a round."""
    jobs = {name: job_of(preset, store, name, workers) for name in TYPES}
    picks = {
        m: [(c, s.slot) for c in store.chip_ids for s in store.channels(c, m) if s.valid_fraction > 0]
        for m in store.modalities
    }
    config = jobs["float32"].towers.config
    flops = sum(map(len, picks.values())) * config.turns * forward_flops(config)
    probes = {name: matmul_probe(dtype=getattr(torch, name)) for name in TYPES}
    calls: dict[str, Callable[[], object]] = {f"probe {name}": probe for name, (probe, _) in probes.items()}
    calls |= {name: lambda job=job: embedded(job, store) for name, job in jobs.items()}
    if workers > 1:
        calls["one worker"] = lambda: embedded(job_of(preset, store, "float32", 1), store)
    calls["read"] = lambda: [store.read(modality, found) for modality, found in picks.items()]
    times = {name: np.array(found) for name, found in seconds_a_call(calls, rounds=rounds).items()}
    shares = {
        f"share {name}": flops / times[name] / (probes[name][1] / times[f"probe {name}"]) for name in TYPES
    }  # fmt: skip
    return {
        **{name: list(found) for name, found in shares.items()},
        "bfloat16 against float32": list(times["float32"] / times["bfloat16"]),
        **({"all workers against one": list(times["one worker"] / times["float32"])} if workers > 1 else {}),
        "reading": list(times["read"] / times["float32"]),
        "images a second": list(sum(map(len, picks.values())) / times["float32"]),
        "least cosine": [least_cosine(*(embedded(job, store) for job in jobs.values()))],
    }


def job_of(preset: str, store: ZarrChipStore, precision: str, workers: int) -> EmbedJob:
    """Towers of a preset over all channels of the store."""
    stats = measure_channels(store, store.chip_ids, 0)
    towers = make_towers(PRESETS[preset].towers(store.modalities, store.chip_px), 0)
    plans = plan_blocks(store, store.modalities, "mean", train_ids=store.chip_ids, stats=stats)
    return EmbedJob(towers, stats, store, plans, 0, precision, workers)  # type: ignore[arg-type]


def embedded(job: EmbedJob, store: ZarrChipStore) -> RawVectors:
    """Vectors of all chips."""
    return finish(embed_chips(job, store.chip_ids))


def least_cosine(left: RawVectors, right: RawVectors) -> float:
    """Between the vectors of the same chip."""
    products = [np.nansum(left.parts[name] * right.parts[name], axis=2) for name in left.parts]
    there = [~np.isnan(left.parts[name][:, :, 0]) for name in left.parts]
    return float(min(found[mask].min() for found, mask in zip(products, there, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--preset", nargs="+", choices=list(SHAPES), default=["tiny", "w192d8", "paper"])
    parser.add_argument("--workers", type=int, default=available_cores())
    asked = parser.parse_args()
    torch.set_num_threads(asked.workers)
    presets = ["tiny"] if asked.quick else asked.preset
    found = {}
    for preset in presets:
        side, n_chips = SHAPES[preset]
        with tempfile.TemporaryDirectory() as folder:
            store = simulated_store(Path(folder), chip_px=side, n_chips=n_chips)
            found[preset] = measure(preset, store, 5 if preset == "tiny" else 3, asked.workers)
        print(preset, medians(found[preset]), flush=True)
    first = presets[0]
    report(
        "embed",
        found[first]["share float32"],
        f"float32 matrix-multiply rate of the same round; all channels of a store with '{first}', reading included",
        workers=asked.workers,
        presets={preset: medians(parts) for preset, parts in found.items()},
    )


def medians(parts: dict[str, list[float]]) -> dict[str, float]:
    """Rounded for people."""
    return {name: round(statistics.median(values), 5) for name, values in parts.items()}


if __name__ == "__main__":
    main()
