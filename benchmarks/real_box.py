"""Puts the model of the measure on real chips into the package, in half precision: python benchmarks/real_box.py FOLDER/model

Before: python benchmarks/real_labels.py --out FOLDER. What it has seen and what it beats stands in CARD.md beside it.
"""

import sys
from pathlib import Path

from terrashot.model.checkpoint import load_model, save_model

NAME = "small"
BOX = Path(__file__).resolve().parents[1] / "src" / "terrashot" / "model" / "boxed"
TOLD = ("preset", "seed", "parameters", "precision", "best_epoch", "best", "train_chips", "seen_chips")
"""What the card keeps of the training: of its epochs the best alone."""


def main(folder: Path) -> None:
    model = load_model(folder)
    summary = {name: model.summary[name] for name in TOLD} | {"source": "real"}
    print(NAME, save_model(BOX / NAME, model.towers, model.stats, summary, dtype="float16"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
