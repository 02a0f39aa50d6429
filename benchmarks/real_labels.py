"""Does the embedding earn its keep: few labels on real images, a model beside everything simple.

    python benchmarks/real_labels.py --out FOLDER [--data ../shared/data] [--model MODEL_FOLDER] [--set "epochs = 8" ...] [--seed 0]
        [--split test|val] [--only eurosat,worldcover,ombria,sen1floods] [--floors FOLDER] [--quick]

Without --model it first pretrains one, as recipes/real-labels.toml says: about an hour on two cores, on unlabelled chips of
which none is tested on (`examples/real_training_chips.py`); stopped and started again it goes on. `--set` changes a key of [pretrain].

Leaves in FOLDER: model/ (where it trained one), scores.csv (a row a task, feature set, head and number of labels) and table.md, which
is printed too, before one JSON line. Choices are made with `--split val`, which shows no test score; `--floors` keeps what does not
hang on the model.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import torch
from real_bar import compare
from real_chips import DATA_SETS, real_chips
from real_scores import Draws, Outcome, outcomes
from real_table import as_json, markdown, write_scores
from real_training import trained
from real_vectors import floor_vectors, model_vectors

from terrashot.durable.files import make_folder, write_bytes
from terrashot.durable.kept import SqliteParts
from terrashot.engine import available_cores
from terrashot.model.box import model_folder
from terrashot.model.checkpoint import Model, load_model

QUICK = Draws((100, 250), 5)


def scored(model: Model, data: Path, floors: Path, *, names: Sequence[str], draws: Draws) -> Iterator[Outcome]:
    """Every outcome on these data sets; progress on standard error."""
    make_folder(floors)
    with closing(SqliteParts(floors / "fits.sqlite")) as kept:
        for name in names:
            real = real_chips(name, data, floors)
            vectors = []
            for number, fold in enumerate(real.folds, start=1):
                print(f"{name}: vectors of fold {number} of {len(real.folds)}", file=sys.stderr)
                vectors.append({**model_vectors(model, real, fold), **floor_vectors(real, fold, floors)})
            for outcome in outcomes(real, vectors, draws, kept):
                print(f"{outcome.task}: {outcome.features}", file=sys.stderr)
                yield outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, help="a folder, or a name in the box: only score it")
    parser.add_argument("--set", action="append", default=[], help="a key of [pretrain] to train with")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", choices=("test", "val"), default="test")
    parser.add_argument("--only", default=",".join(DATA_SETS))
    parser.add_argument("--floors", type=Path)
    parser.add_argument("--quick", action="store_true", help="EuroSAT alone, few draws")
    said = parser.parse_args()
    names, draws = (["eurosat"], QUICK) if said.quick else (said.only.split(","), Draws())
    torch.set_num_threads(available_cores())
    floors = said.floors or said.out / "floors"
    model = load_model(model_folder(said.model) if said.model else trained(said.data, said.out, said.set, said.seed))
    found = list(scored(model, said.data, floors, names=names, draws=draws))
    compared = compare(found, said.split)
    make_folder(said.out)
    write_scores(said.out / "scores.csv", found, said.split)
    write_bytes(said.out / "table.md", markdown(compared).encode())
    print(markdown(compared))
    print(as_json(found, compared, said.split))


if __name__ == "__main__":
    main()
