"""What only those can measure of vectors who have the model and the images, on a few chips."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from terrashot.domain.health import EmbeddingProbe
from terrashot.embed.apart import ApartPlan, plan_apart
from terrashot.embed.embed import EmbedJob, RawVectors, embed_chips

PROBED = 24
"""Chips embedded a few times over: as much work as some hundred chips."""
WORKERS = 2


def probe_embedding(job: EmbedJob, chip_ids: Sequence[str]) -> EmbeddingProbe:
    """How far a chip's vectors move with the chips beside it and the number of workers, and which kinds of channel move them.

    Args:
        chip_ids: of which a few, evenly spaced, are embedded again.
    """
    ids = sorted(chip_ids)[:: max(1, len(chip_ids) // PROBED)][:PROBED]
    together = _embedded(replace(job, workers=1), ids)
    apart = [_embedded(replace(job, workers=1), [chip_id]) for chip_id in ids]
    on_gpu = job.towers.log_scale.device.type != "cpu"
    return EmbeddingProbe(
        batch=_difference(together, _joined(apart)),
        workers=None if on_gpu else _difference(together, _embedded(replace(job, workers=WORKERS), ids)),
        without_kind=_without_kind(job, ids),
    )


def _embedded(job: EmbedJob, chip_ids: Sequence[str]) -> RawVectors:
    work = embed_chips(job, chip_ids)
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def _joined(tables: Sequence[RawVectors]) -> RawVectors:
    names = tables[0].parts if tables else ()
    return RawVectors({name: np.concatenate([table.parts[name] for table in tables]) for name in names}, {}, {})


def _difference(left: RawVectors, right: RawVectors) -> float | None:
    """The largest difference of two numbers that should be one; None where there is no vector."""
    found = [np.abs(left.parts[name] - right.parts[name]) for name in right.parts]
    found = [steps[~np.isnan(steps)] for steps in found]
    return max((float(steps.max()) for steps in found if steps.size), default=None)


def _without_kind(job: EmbedJob, chip_ids: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    modalities = [plan.modality for plan in job.plans]
    plans = plan_apart(job.store, modalities, chip_ids, job.stats)
    raw = _embedded(replace(job, plans=tuple(plan.block for plan in plans), workers=1), chip_ids)
    found = {plan.block.modality: leaving_out(_by_kind(plan, raw.parts[plan.block.modality])) for plan in plans}
    return {modality: cosines for modality, cosines in found.items() if cosines}


def _by_kind(plan: ApartPlan, vectors: Float32[np.ndarray, "n C D"]) -> dict[str, Float32[np.ndarray, "_ D"]]:
    """Sums over the channels of each kind, of the chips that have all channels that most of them have."""
    there = ~np.isnan(vectors[:, :, 0])
    usual = there.mean(axis=0) > 0.5
    whole = there[:, usual].all(axis=1)
    kinds = np.array(plan.kinds, dtype=object)
    return {kind: vectors[whole][:, usual & (kinds == kind)].sum(axis=1) for kind in dict.fromkeys(plan.kinds)}


def leaving_out(sums: Mapping[str, Float32[np.ndarray, "n D"]]) -> dict[str, float]:
    """Mean cosine of a chip's vector with its vector without one kind, by kind; both about the mean of the chips.

    About the mean, because a kind that the model does not look at adds the same to every chip, which tells nothing: it has 1.
    Nothing where fewer than two chips, or kinds, can be compared.
    """
    if len(sums) < 2 or len(next(iter(sums.values()))) < 2:
        return {}
    centred = {
        kind: vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64) for kind, vectors in sums.items()
    }
    whole = np.sum(list(centred.values()), axis=0)
    return {kind: _mean_cosine(whole, whole - own) for kind, own in centred.items()}


def _mean_cosine(left: np.ndarray, right: np.ndarray) -> float:
    """0 where one of the two is nothing but rounding."""
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    products = (left * right).sum(axis=1)
    return float(
        np.divide(products, lengths, out=np.zeros_like(products), where=lengths > np.finfo(np.float32).eps).mean()
    )
