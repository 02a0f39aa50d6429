"""How near a training step comes to the matrix-multiply rate of the same machine, loader, loss and optimiser included.

python benchmarks/pretrain.py [--quick] [--preset tiny w192d8 ...] [--threads N]
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import torch
from interleaved import matmul_probe, report, seconds_a_call
from simulated_store import simulated_store

from terrashot.model.cost import forward_flops
from terrashot.model.presets import PRESETS
from terrashot.model.towers import make_towers
from terrashot.pretrain.dataset import ChannelDraws, make_draws
from terrashot.pretrain.train import TrainSettings, _optimiser, _step
from terrashot.store.chips import ZarrChipStore
from terrashot.store.statistics import measure_channels

SHAPES = {"tiny": (64, 64), "w192d8": (448, 4), "w384d12": (448, 2), "paper": (448, 1)}
"""Side in pixels and chips a step, by preset. A step of one chip has no negatives; its products cost the same."""


def measure(preset: str, store: ZarrChipStore, batch: int, rounds: int) -> dict[str, list[float]]:
    """By part of the step: its share of the probe's rate (reading: its share of the step's time), one a round."""
    ids = store.chip_ids[:batch]
    draws = make_draws(store, measure_channels(store, ids, 0), ids, seed=0)
    config = PRESETS[preset].towers(store.modalities, store.chip_px)
    towers = make_towers(config, 0)
    optimiser = _optimiser(towers, TrainSettings(1, batch, 1e-4, 0.05, 0.0, True, 0))
    pixels = torch.randn(len(ids), 1, store.chip_px, store.chip_px)
    probe, probe_flops = matmul_probe()
    times = seconds_a_call(
        {
            "probe": probe,
            "step": lambda: _step(towers, optimiser, _views(draws), "benchmark"),
            "read": lambda: _views(draws),
            "forward": lambda: [towers.embed_all(pixels, name) for name in config.modalities],
        },
        rounds=rounds,
    )
    flops = len(draws.chip_ids) * len(config.modalities) * forward_flops(config)
    peak = [probe_flops / seconds for seconds in times["probe"]]
    return {
        "step": [3 * flops / s / p for s, p in zip(times["step"], peak, strict=True)],
        "forward": [
            len(ids) * len(config.modalities) * forward_flops(config) / s / p
            for s, p in zip(times["forward"], peak, strict=True)
        ],
        "read": [r / s for r, s in zip(times["read"], times["step"], strict=True)],
        "step_ms": [1e3 * s for s in times["step"]],
        "probe_gflops": [p / 1e9 for p in peak],
    }


def _views(draws: ChannelDraws):
    _views.epoch += 1
    return draws.views(draws.chip_ids, f"epoch {_views.epoch}", augment=True)


_views.epoch = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--preset", nargs="+", choices=list(SHAPES), default=["tiny", "w192d8", "w384d12", "paper"])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    presets = ["tiny"] if asked.quick else asked.preset
    found = {}
    for preset in presets:
        side, batch = SHAPES[preset]
        with tempfile.TemporaryDirectory() as folder:
            store = simulated_store(Path(folder), chip_px=side, n_chips=max(2, batch))
            found[preset] = measure(preset, store, max(2, batch), 5 if preset == "tiny" else 3)
        middle = {part: round(statistics.median(values), 4) for part, values in found[preset].items()}
        print(preset, middle, flush=True)
    detail = {
        preset: {part: round(statistics.median(values), 4) for part, values in parts.items()}
        for preset, parts in found.items()
    }
    first = presets[0]
    report(
        "pretrain",
        found[first]["step"],
        f"fp32 matrix-multiply rate of the same round; a whole training step of '{first}', loader included",
        presets=detail,
    )


if __name__ == "__main__":
    main()
