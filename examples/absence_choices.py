"""What else could stand in for an absent part: python examples/absence_choices.py STUDY

For a finished study: other penalties of the ridge than Ledoit's and Wolf's, and foretold parts made unit length. Prints, by
channel policy, the mean change of the score in points over tasks, areas and all that can be left out whole (modalities, one or
two of them; with `each` also kinds), with the study's numbers of labels up to 250, as rows of a Markdown table
(docs/missing-data.md).
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from terrashot.domain.absence import AbsenceModel, fill_absent_parts
from terrashot.domain.channel_vectors import ChannelVectors, side_by_side
from terrashot.domain.tables import Labels
from terrashot.durable.parts import DiskParts
from terrashot.embed.apart import channel_vectors, plan_apart
from terrashot.embed.embed import EmbedJob, shared_modalities
from terrashot.embed.in_parts import embed_in_parts
from terrashot.evaluate.absence.altered import NOTHING, Material
from terrashot.evaluate.absence.cases import Case, cases_of
from terrashot.evaluate.absence.judging import Lot, Version, judged
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.curves import curves_of
from terrashot.evaluate.protocol.comparison import Comparison, DrawSettings, compare_areas, labelled_chips
from terrashot.evaluate.protocol.fitting import FitSettings
from terrashot.model.checkpoint import load_model
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store
from terrashot.store.differences import with_differences
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips, read_own_labels

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
DRAWS = DrawSettings(sizes=(50, 100, 250))
Changes = dict[str, dict[int, list[float]]]
"""By what stands in and number of labels."""


def main(path: Path) -> None:
    study = find_study(path)
    vectors, labels = vectors_of(study.folder), read_own_labels(study.labels)
    for policy in ("mean", "each"):
        found = changes(Material(vectors, policy, "ridge"), labels)
        sizes = sorted(next(iter(found.values())))
        print(f"| {policy} | " + " | ".join(f"{size} labels" for size in sizes) + " |")
        print("|---|" + "---|" * len(sizes))
        for name, means in found.items():
            print(f"| {name} | " + " | ".join(f"{100 * np.mean(means[size]):+.1f}" for size in sizes) + " |")


def vectors_of(folder: Path) -> ChannelVectors:
    """Every channel of the study's chips by its own model."""
    model, store, chips = load_model(folder / "model"), open_chip_store(folder), read_chips(folder / "chips.parquet")
    store = with_differences(store, model.stats)
    plans = plan_apart(store, shared_modalities(model.towers, store), chips.ids, model.stats)
    job = EmbedJob(model.towers, model.stats, store, tuple(plan.block for plan in plans), 0)
    with tempfile.TemporaryDirectory() as scratch:
        kept = finish(embed_in_parts(job, chips.ids, DiskParts(Path(scratch), ""), name="apart", dtype="float16"))
        return channel_vectors(kept, plans, chips)


def changes(material: Material, labels: Labels) -> Changes:
    """Changes of every task, area and case that leaves nothing of a part."""
    found: Changes = defaultdict(lambda: defaultdict(list))
    cases = [case for case in cases_of(material.vectors) if case.kind in ("modality", "kind")]
    cases = [case for case in cases if material.strategies(case) != ("rest",)]
    labelled = labelled_chips(material.vectors.chips, labels, material.complete)
    for one in compare_areas(labelled, DRAWS, "given"):
        curves = curves_of(finish(judged(one, _lot(material, one, cases), FitSettings(("logistic",)), 1)))
        whole = {curve.task: scores(curve) for curve in curves.values() if curve.features == "whole"}
        for curve in curves.values():
            if curve.features != "whole":
                for size, score in scores(curve).items():
                    found[curve.features.partition("/")[0]][size].append(score - whole[curve.task][size])
    return found


def _lot(material: Material, one: Comparison, cases: list[Case]) -> Lot:
    versions = [Version("whole", material.met(NOTHING, one.judge, "rest").vectors)]
    for case in cases:
        left = side_by_side(list(material.parts(case, one.judge).values()))
        size = next(iter(material.whole.values())).shape[2]
        versions += [Version(f"{name}/{case.title}", filled) for name, filled in standing_in(material, left, size)]
    return Lot("whole", material.full(one.learn), tuple(versions))


def standing_in(material: Material, left: np.ndarray, size: int) -> Iterator[tuple[str, np.ndarray]]:
    """What could stand in, by name."""
    yield "training mean", fill_absent_parts(left, material.models["training-mean"], "training-mean")
    ridge = material.models["ridge"]
    for factor in FACTORS:
        yield f"ridge, penalty x {factor:g}", fill_absent_parts(left, shrunk_anew(ridge, factor), "ridge")
    parts = fill_absent_parts(left, ridge, "ridge").reshape(len(left), -1, size)
    is_foretold = np.isnan(left).reshape(parts.shape).any(axis=2)
    lengths = np.where(is_foretold, np.linalg.norm(parts, axis=2), 1)
    yield "ridge, unit length", (parts / lengths[:, :, None]).astype(np.float32).reshape(left.shape)


def shrunk_anew(model: AbsenceModel, factor: float) -> AbsenceModel:
    """The same moments with another share of shrinkage."""
    assert model.covariance is not None
    even = np.eye(len(model.mean)) * np.trace(model.covariance) / len(model.mean)
    plain = (model.covariance - model.shrinkage * even) / (1 - model.shrinkage)
    share = min(factor * model.shrinkage, 1.0)
    return replace(model, covariance=(1 - share) * plain + share * even, shrinkage=share)


def scores(curve: Curve) -> dict[int, float]:
    """Mean accuracy over draws by number of labels."""
    shares = [table.sum(axis=1) / curve.n.sum() for table in curve.sums]
    return {
        size: float(own.mean()) for size, own, full in zip(curve.sizes, shares, curve.is_full, strict=True) if not full
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
