"""A rehearsal of the paper's training: three ViT-B/16, chips of 448 px, two steps in two processes with gradient caching.

python benchmarks/rehearsal.py [--preset paper] [--batch 8] [--chips-at-once 1] [--keep-patches 1.0] [--out FOLDER]

Prints one JSON line: seconds a step, peak memory of each process, beside what `model/cost.py` and `model/memory.py` foretell.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch
from interleaved import matmul_probe

from terrashot.model.cost import StepShape, step_flops
from terrashot.model.presets import PRESETS

STUDY = """[source]
kind = "simulated"
[grid]
chip_px = 448
[areas.here]
bbox = [9.40, 45.10, 9.685, 45.302]
[split]
scheme = "random"
[pretrain]
preset = "{preset}"
epochs = 1
batch_size = {batch}
chips_at_once = {at_once}
keep_patches = {keep}
"""


def peaks(study: Path, found: dict[int, int], is_over: threading.Event) -> None:
    """`found` holds the peak resident memory of each training process, by its number, until `is_over`."""
    while not is_over.wait(0.5):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"--only" in words and str(study).encode() in words and b"torch.distributed.run" not in words:
                    lines = (process / "status").read_text().splitlines()
                    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
                    found[int(process.name)] = max(peak, found.get(int(process.name), 0))
            except (OSError, StopIteration):
                continue  # ended meanwhile


def rehearse(study: Path) -> tuple[float, list[int]]:
    """Seconds and peaks of the training, two processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    found: dict[int, int] = {}
    is_over = threading.Event()
    watcher = threading.Thread(target=peaks, args=(study, found, is_over))
    watcher.start()
    started = time.perf_counter()
    try:
        command = [sys.executable, *launcher, "-m", "terrashot", "run", str(study), "--only", "pretrain"]
        subprocess.run(command, check=True)
    finally:
        is_over.set()
        watcher.join()
    return time.perf_counter() - started, sorted(found.values(), reverse=True)[:2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="paper", choices=list(PRESETS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--chips-at-once", type=int, default=1)
    parser.add_argument("--keep-patches", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = asked.out or Path(folder) / "study"
        study.mkdir(parents=True, exist_ok=True)
        text = STUDY.format(
            preset=asked.preset, batch=asked.batch, at_once=asked.chips_at_once, keep=asked.keep_patches
        )
        (study / "study.toml").write_text(text)
        prepare = [sys.executable, "-m", "terrashot", "run", str(study), "--only", "chips", "--only", "ingest"]
        subprocess.run(prepare, check=True)
        seconds, memory = rehearse(study)
        metrics = json.loads((study / "metrics.jsonl").read_text().splitlines()[-1])
        summary = json.loads((study / "model" / "model.json").read_text())["summary"]
    n_steps = -(-summary["train_chips"] // asked.batch)
    towers = PRESETS[asked.preset].towers(("s2rgbm", "s1grdm", "gunw"), 448)
    shape = StepShape(towers, asked.batch, 2, asked.chips_at_once, keep_patches=asked.keep_patches)
    probe, flops = matmul_probe()
    probe()
    started = time.perf_counter()
    for _ in range(5):
        probe()
    peak = 5 * flops / (time.perf_counter() - started)
    rate = n_steps * step_flops(shape) / metrics["seconds"]
    answer = {
        "name": "rehearsal", "preset": asked.preset, "parameters": summary["parameters"], "processes": 2,
        "precision": summary["precision"], "train_chips": summary["train_chips"], "steps": n_steps, "batch": asked.batch,
        "chips_at_once": asked.chips_at_once, "seconds": round(seconds, 1), "seconds_epoch": metrics["seconds"],
        "waiting_share": metrics["waiting_share"], "train_loss": metrics["train_loss"], "val_loss": metrics["val_loss"],
        "peak_gb_a_process": [round(value / 1e9, 2) for value in memory],
        "ratio": round(rate / peak, 3), "against": "fp32 matrix-multiply rate of two threads, validation in the time",
        "better": "higher", "low": round(rate / peak, 3), "high": round(rate / peak, 3), "repeats": 1,
        "threads": torch.get_num_threads(),
    }  # fmt: skip
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
