"""What part of the patches and neighbours as negatives do to learning: validation loss by setting and seed, beside the plain way.

python docs/compare_draws.py STUDY [--seeds 0 1 2] [--out FOLDER]

STUDY is a folder whose chips are read; each setting and seed trains a copy of it (chips linked), preset and all else as there.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

SETTINGS = {"plain": "", "shards": 'shuffle = "shards"\n', "half the patches": "keep_patches = 0.5\n"}


def trained(study: Path, folder: Path, lines: str, seed: int) -> dict:
    """The best epoch of the study trained with these lines and this seed, and the seconds that all epochs took."""
    if not (folder / "metrics.jsonl").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(study / "chips.zarr", folder / "chips.zarr", copy_function=os.link)
        for name in ("chips.parquet", "chips.parquet.sha256", "chips.ledger.sqlite", "chips.ledger.sqlite.sha256"):
            shutil.copy2(study / name, folder / name)
        text = (study / "study.toml").read_text().replace("[pretrain]\n", f"[pretrain]\n{lines}")
        (folder / "study.toml").write_text(text.replace("[study]\n", f"[study]\nseed = {seed}\n"))
        subprocess.run([sys.executable, "-m", "terrashot", "run", str(folder), "--only", "pretrain"], check=True)
    epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return min(epochs, key=lambda epoch: epoch["val_loss"]) | {"seconds": sum(epoch["seconds"] for epoch in epochs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("draws"))
    asked = parser.parse_args()
    print("| setting | lowest validation loss, by seed | recall at 5 | seconds |\n|---|---|---|---|")
    for number, (name, lines) in enumerate(SETTINGS.items()):
        found = [trained(asked.study, asked.out / f"{number}-{seed}", lines, seed) for seed in asked.seeds]
        losses = ", ".join(f"{one['val_loss']:.3f}" for one in found)
        recall = np.mean([pair["5"] for one in found for pair in one["recall"].values()])
        print(f"| {name} | {losses} | {recall:.3f} | {np.mean([one['seconds'] for one in found]):.0f} |", flush=True)


if __name__ == "__main__":
    main()
