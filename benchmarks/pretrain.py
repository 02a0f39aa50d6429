"""How near embedding and training come to the matrix-multiply rate of the same machine, type by type.

python benchmarks/pretrain.py [--quick] [--preset tiny w192d8 ...] [--threads N]

Each round times the products, embedding, and a few training steps one after the other: chips read ahead, augmented and
scaled, forward, loss, backward, clipping, AdamW. Of a round, by preset and type of the products:

forward, step    share of the rate of products of that type
half             the same share of a step that shows half of the patches
dropping         how much faster that step is than one that shows all
waiting          share of a step's time spent on waiting for chips
step_ms          one step, in milliseconds

and `bfloat16_gain`, how much faster a step is than in float32. `ratio` is the step of the first preset in the type that
training picks here. Other work on the same cores lowers every share: compare shares of one quiet machine.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from interleaved import report, seconds_a_call
from simulated_store import simulated_store

from terrashot.model.cost import StepShape, forward_flops, step_flops
from terrashot.model.presets import PRESETS
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.pretrain.dataset import make_draws
from terrashot.pretrain.distributed import ALONE
from terrashot.pretrain.precision import faster_precision
from terrashot.pretrain.pupil import Pupil
from terrashot.pretrain.read_ahead import read_ahead
from terrashot.pretrain.settings import Precision, TrainSettings
from terrashot.pretrain.step import Learner, make_learner
from terrashot.pretrain.train import Training
from terrashot.store.chips import ZarrChipStore
from terrashot.store.statistics import measure_channels

CPU = torch.device("cpu")
PROBE_ROWS, PROBE_WIDTH = 3136, 768
"""The product that shares refer to is one of a ViT-B layer over four chips of 448 px."""
PRECISIONS: dict[Precision, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Shares = dict[str, list[float]]


@dataclass(frozen=True)
class Shape:
    """What is timed of a preset."""

    chip_px: int
    chips: int
    """A step."""
    steps: int
    """Timed together, so that reading ahead is seen as it is: the first batch is waited for, the others rarely."""
    rounds: int


SHAPES = {
    "tiny": Shape(64, 64, 8, 5),
    "w192d8": Shape(448, 4, 4, 3),
    "w192d12": Shape(448, 4, 4, 3),
    "w384d12": Shape(448, 2, 3, 3),
    "w384d18": Shape(448, 2, 3, 3),
    "paper": Shape(448, 2, 2, 3),
}


@dataclass
class Run:
    """A few training steps of one precision and share of patches, on the towers that all runs share."""

    job: Training
    learner: Learner
    steps: int
    waited_s: list[float] = field(default_factory=list)

    def __call__(self) -> None:
        """The steps, loader included."""
        jobs = [(epoch, cut) for epoch in range(self.steps) for cut in self.job.cuts(epoch)]
        self.waited_s.append(0.0)
        with closing(read_ahead(lambda which: self.job.views(*which), jobs)) as batches:
            for views, seconds in batches:
                self.waited_s[-1] += seconds
                if not self.learner.step(views, 0, 1) < float("inf"):
                    raise SystemExit("the loss is not finite")


def measure(shape: Shape, config: TowersConfig, store: ZarrChipStore) -> Shares:
    """What the head of this file lists, one number a round."""
    job, learner = prepared(config, store)
    runs = {(name, keep): run(job, learner, shape, name, keep) for name in PRECISIONS for keep in (1.0, 0.5)}
    calls: dict[str, Callable[[], object]] = {f"{name} step {keep}": run for (name, keep), run in runs.items()}
    for name, dtype in PRECISIONS.items():
        calls |= {f"{name} product": product(dtype), f"{name} forward": forward(learner, shape, dtype)}
    times = seconds_a_call(calls, rounds=shape.rounds, at_least_s=0.2)
    found: Shares = {}
    for name in PRECISIONS:
        found |= {f"{name} {what}": values for what, values in shares(times, name, shape, config).items()}
        whole = runs[name, 1.0]
        waited = sum(whole.waited_s) / len(whole.waited_s)
        found[f"{name} waiting"] = [waited / s for s in times[f"{name} step 1.0"]]
    found["bfloat16_gain"] = quotient(times["float32 step 1.0"], times["bfloat16 step 1.0"])
    return found


def prepared(config: TowersConfig, store: ZarrChipStore) -> tuple[Training, Learner]:
    """Training on all chips of the store, one batch an epoch."""
    draws = make_draws(store, measure_channels(store, store.chip_ids, 0), store.chip_ids, seed=0)
    settings = TrainSettings(1, len(draws.chip_ids), 1e-4, 0.05, 0.0, True, 0)
    # Nothing is saved: steps alone are timed.
    job = Training(config, draws, draws, settings, state=Path())
    return job, make_learner(Pupil(make_towers(config, 0)), settings, ALONE, CPU)


def run(job: Training, learner: Learner, shape: Shape, precision: Precision, keep_patches: float) -> Run:
    """The learner's steps with these two of its settings changed."""
    settings = replace(job.settings, precision=precision, keep_patches=keep_patches)
    return Run(replace(job, settings=settings), replace(learner, settings=settings), shape.steps)


def product(dtype: torch.dtype) -> Callable[[], object]:
    """The product that shares refer to."""
    left, right = (torch.randn(rows, PROBE_WIDTH).to(dtype) for rows in (PROBE_ROWS, PROBE_WIDTH))
    return lambda: torch.nn.functional.linear(left, right)


def forward(learner: Learner, shape: Shape, dtype: torch.dtype) -> Callable[[], object]:
    """Embedding of one channel of each modality of a step's chips."""
    pixels = torch.randn(shape.chips, 1, shape.chip_px, shape.chip_px)

    def embed() -> None:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            for modality in learner.towers.config.modalities:
                learner.towers.embed_all(pixels, modality)

    return embed


def shares(times: Mapping[str, list[float]], name: Precision, shape: Shape, config: TowersConfig) -> Shares:
    """What the rounds' seconds say of one precision."""
    peak = [2 * PROBE_ROWS * PROBE_WIDTH**2 / seconds for seconds in times[f"{name} product"]]
    whole, half = times[f"{name} step 1.0"], times[f"{name} step 0.5"]
    work = {keep: shape.steps * step_flops(StepShape(config, shape.chips, keep_patches=keep)) for keep in (1.0, 0.5)}
    images = shape.chips * len(config.modalities)
    return {
        "forward": quotient([images * forward_flops(config) / p for p in peak], times[f"{name} forward"]),
        "step": quotient([work[1.0] / p for p in peak], whole),
        "half": quotient([work[0.5] / p for p in peak], half),
        "dropping": quotient(whole, half),
        "step_ms": [1e3 * seconds / shape.steps for seconds in whole],
        "product_gflops": [p / 1e9 for p in peak],
    }


def quotient(above: list[float], below: list[float]) -> list[float]:
    """Round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--preset", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    presets = ["tiny"] if asked.quick else asked.preset
    found, picked = {}, {}
    for preset in presets:
        shape = replace(SHAPES[preset], rounds=3) if asked.quick else SHAPES[preset]
        with tempfile.TemporaryDirectory() as folder:
            store = simulated_store(Path(folder), chip_px=shape.chip_px, n_chips=shape.chips)
            config = PRESETS[preset].towers(store.modalities, store.chip_px)
            picked[preset] = faster_precision(config, CPU)
            found[preset] = measure(shape, config, store)
        show(preset, shape, medians(found[preset]), picked[preset])
    first = presets[0]
    report(
        "pretrain",
        found[first][f"{picked[first]} step"],
        f"{picked[first]} matrix-multiply rate of the same round; a whole training step of '{first}', loader included",
        presets={preset: medians(parts) for preset, parts in found.items()},
    )


def medians(parts: Shares) -> dict[str, float]:
    """One number a part, for reading."""
    return {part: round(statistics.median(values), 4) for part, values in parts.items()}


def show(preset: str, shape: Shape, middle: Mapping[str, float], picked: Precision) -> None:
    """Prints the medians for a person."""
    print(f"{preset}, {shape.chips} chips of {shape.chip_px} px a step, training picks {picked}")
    for name in PRECISIONS:
        of_type = {
            what.removeprefix(f"{name} "): value for what, value in middle.items() if what.startswith(f"{name} ")
        }
        print(f"  {name:9s}", "  ".join(f"{what} {value:.4g}" for what, value in of_type.items()))
    print(f"  bfloat16 step {middle['bfloat16_gain']:.2f} x as fast as float32", flush=True)


if __name__ == "__main__":
    main()
