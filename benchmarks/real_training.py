"""The training half of `real_labels.py`: a model of unlabelled real chips, none of which the measure tests on."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

from terrashot.durable.files import make_folder, remove, write_bytes

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "real-labels.toml"
CHIPS, STUDY = "training-chips", "training"
STEPS = ("chips", "ingest", "pretrain")


def trained(data: Path, out: Path) -> Path:
    """The folder of the model, trained as the recipe says; a run that was stopped goes on, a finished one is kept.

    Args:
        data: the folder of real sample data.
    """
    make_folder(out)
    chips, study = out / CHIPS, out / f"{STUDY}.toml"
    if not (chips / "chips.csv").is_file():
        remove(chips)  # half of one, left by a run that was stopped
        runpy.run_path(str(ROOT / "examples" / "real_training_chips.py"))["main"](data, chips)
    write_bytes(study, RECIPE.read_text().replace("../real/training-chips", CHIPS).encode())
    only = [word for step in STEPS for word in ("--only", step)]
    subprocess.run([sys.executable, "-m", "terrashot", "run", str(study), *only], check=True)
    remove(out / "model")
    shutil.copytree(out / STUDY / "model", out / "model")
    return out / "model"
