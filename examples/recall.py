"""Recall of the matching chip in the other modality, over the test chips: python examples/recall.py STUDY_FOLDER

Among all test chips, how often is a chip's radar vector among the k most similar to its optical one, and back; beside chance,
and beside the same for the untrained towers. Vectors are means over a chip's channels, as embeddings.parquet holds them. Also
draws how pretraining went: STUDY_FOLDER/pretraining.png.
"""

import json
import sys
from pathlib import Path

from terrashot.domain.retrieval import chance_recall, one_vector, recall_at
from terrashot.plots.style import house_style, rendered
from terrashot.plots.training import training_curves
from terrashot.store.vectors import read_embeddings

KS = (1, 5)


def main(folder: Path) -> None:
    embeddings, floors = read_embeddings(folder / "embeddings.parquet"), read_embeddings(folder / "floors.parquet")
    left, right = list(embeddings.blocks)[:2]
    rows = embeddings.chips.rows_in("test")
    both = rows[embeddings.present(left)[rows] & embeddings.present(right)[rows]]
    print(
        f"{len(both)} test chips; chance: " + ", ".join(f"recall at {k} {chance_recall(len(both), k):.4f}" for k in KS)
    )
    for name, table in (("trained", embeddings), ("untrained", floors)):
        prefix = "" if name == "trained" else "untrained:"
        vectors = {modality: one_vector(table.shared_parts(prefix + modality)[both]) for modality in (left, right)}
        for a, b in ((left, right), (right, left)):
            found = recall_at(vectors[a], vectors[b], KS)
            print(f"{name}: {a} -> {b}: " + ", ".join(f"recall at {k} {value:.4f}" for k, value in found.items()))
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    best = min(range(len(metrics)), key=lambda row: metrics[row]["val_loss"])
    with house_style():
        (folder / "pretraining.png").write_bytes(rendered(training_curves(metrics, best), "png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
