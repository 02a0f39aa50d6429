"""The training half of `real_labels.py`: a model of unlabelled real chips, none of which the measure tests on."""

import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from terrashot.durable.files import make_folder, remove, write_bytes

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "real-labels.toml"
CHIPS, STUDY = "training-chips", "training"
STEPS = ("chips", "ingest", "pretrain")
PROCESSES = 2
"""With a core each they take 0.7 of the time of one process with two threads. Their number is part of what comes out."""


def trained(data: Path, out: Path, changes: Sequence[str] = (), seed: int = 0) -> Path:
    """The folder of the model, trained as the recipe says; a run that was stopped goes on, a finished one is kept.

    Args:
        data: the folder of real sample data.
        changes: of the recipe's [pretrain], as `epochs = 8`.
        seed: of the study: first weights, order of chips and crops.
    """
    make_folder(out)
    chips, study = out / CHIPS, out / f"{STUDY}.toml"
    if not (chips / "chips.csv").is_file():
        remove(chips)  # half of one, left by a run that was stopped
        runpy.run_path(str(ROOT / "examples" / "real_training_chips.py"))["main"](data, chips)
    recipe = (
        RECIPE.read_text().replace("../real/training-chips", CHIPS).replace("[study]\n", f"[study]\nseed = {seed}\n")
    )
    write_bytes(study, changed(recipe, changes).encode())
    only = [word for step in STEPS for word in ("--only", step)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(PROCESSES)]
    subprocess.run([*torchrun, "-m", "terrashot", "run", str(study), *only], check=True)
    remove(out / "model")
    shutil.copytree(out / STUDY / "model", out / "model")
    return out / "model"


def changed(recipe: str, changes: Sequence[str]) -> str:
    """The recipe with these keys of its last section, [pretrain], in place of its own."""
    for change in changes:
        key = change.partition("=")[0].strip()
        recipe = re.sub(rf"(?m)^{re.escape(key)} =.*\n", "", recipe) + change + "\n"
    return recipe
