"""Memory of a training step, measured, beside what `model/memory.py` foretells.

python benchmarks/training_memory.py [--quick]

Each case is a process of its own: peak resident memory of two steps, less what it had after importing torch and one
product. Once with the allocator as it comes, once with large blocks given back at once (MALLOC_MMAP_THRESHOLD_).
"""

import argparse
import json
import os
import subprocess
import sys

import torch
from interleaved import report
from resident import resident

from terrashot.model.cost import StepShape
from terrashot.model.memory import training_bytes
from terrashot.model.presets import PRESETS
from terrashot.model.towers import make_towers
from terrashot.pretrain.distributed import World
from terrashot.pretrain.pupil import Pupil
from terrashot.pretrain.settings import TrainSettings
from terrashot.pretrain.step import make_learner
from terrashot.pretrain.views import Views

NAMES = ("optical", "radar", "pairs")
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}
CASES = [
    {"preset": "w192d12", "px": 224, "batch": 16, "chips_at_once": at_once, "checkpoint": checkpoint, "precision": precision}
    for at_once in (0, 4) for checkpoint in (False, True) for precision in ("float32", "bfloat16")
]  # fmt: skip


def peak_of(case: dict) -> int:
    """Bytes of two steps, in this process."""
    towers = PRESETS[case["preset"]].towers(NAMES, case["px"])
    torch.randn(512, 512) @ torch.randn(512, 512)
    before = resident("VmRSS")
    settings = TrainSettings(
        1, case["batch"], 1e-4, 0.05, 0.0, True, 0, precision=case["precision"], chips_at_once=case["chips_at_once"],
        checkpoint_activations=case["checkpoint"],
    )  # fmt: skip
    learner = make_learner(Pupil(make_towers(towers, 0)), settings, World(), torch.device("cpu"))
    pixels = {name: torch.randn(case["batch"], 1, case["px"], case["px"]) for name in NAMES}
    present = {name: torch.ones(case["batch"], dtype=torch.bool) for name in NAMES}
    kinds = {name: torch.zeros(case["batch"], dtype=torch.int64) for name in NAMES}
    views = Views(tuple(map(str, range(case["batch"]))), pixels, present, kinds)
    for number in range(2):
        learner.step(views, number, 10)
    return resident("VmHWM") - before


def foretold(case: dict) -> int:
    """The same by formula; one batch only, and no copy of the best weights."""
    towers = PRESETS[case["preset"]].towers(NAMES, case["px"])
    found = training_bytes(
        StepShape(
            towers,
            case["batch"],
            1,
            case["chips_at_once"],
            case["checkpoint"],
            is_bfloat16=case["precision"] == "bfloat16",
        )
    )
    return found.weights + found.activations + found.loss + found.batches // 3


def measured(case: dict, environment: dict[str, str]) -> int:
    command = [sys.executable, __file__, "--case", json.dumps(case)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        print(peak_of(asked.case))
        return
    rows = []
    for case in CASES[:2] if asked.quick else CASES:
        tight, loose = measured(case, GIVE_BACK), measured(case, {})
        rows.append((foretold(case) / tight, loose / tight))
        print(
            case,
            f"foretold {foretold(case) / 1e6:.0f} MB, measured {tight / 1e6:.0f}, as it comes {loose / 1e6:.0f}",
            flush=True,
        )
    report(
        "training_memory",
        [ratio for ratio, _ in rows],
        "measured peak memory of the same step; foretold by formula, 1 is best",
        kept_back_by_the_allocator=[round(ratio, 2) for _, ratio in rows],
    )


if __name__ == "__main__":
    main()
