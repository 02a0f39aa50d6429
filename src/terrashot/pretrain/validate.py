"""How well the towers agree about chips they do not learn from."""

import math
import sys
from collections.abc import Sequence
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from terrashot.domain import spectrum
from terrashot.domain.retrieval import recall_at
from terrashot.model.towers import Towers, modality_of
from terrashot.pretrain.dataset import ChannelDraws, batches
from terrashot.pretrain.distributed import ALONE, World
from terrashot.pretrain.loss import pairwise_clip_loss
from terrashot.pretrain.read_ahead import read_ahead
from terrashot.pretrain.settings import Precision
from terrashot.pretrain.views import Views

RECALLS = (1, 5, 10)
MOST_IN_RECALL = 5000
"""Recall is among so many chips at most: exact search grows with their square."""
VALIDATION_BATCH = 256
"""Validation scores each chip among so many others, whatever the training batch, so that losses compare."""
LEAST_VALIDATED, MOST_VALIDATED_SHARE = 1024, 0.25


def validated_at_most(n_train: int) -> int:
    """By how many chips to choose an epoch of so many: a share of them, so that choosing takes a small part of the time, and
    where they are few as many as it takes to tell epochs apart."""
    return max(LEAST_VALIDATED, round(MOST_VALIDATED_SHARE * n_train))


def validate(
    towers: Towers,
    draws: ChannelDraws,
    most: int = sys.maxsize,
    *,
    world: World = ALONE,
    precision: Precision = "float32",
) -> dict[str, Any]:
    """Loss of the contrast over batches of 256 chips; recall of each modality's partner; effective rank by modality; the temperature.

    The views of training, whole and unturned, in batches that are the same in every epoch, so that losses compare. Each rank
    scores its share of the batches, and all come to the same numbers.

    Args:
        most: so many chips at most, drawn once for all epochs.
        precision: of the towers' products, as in training: on a GPU float32 would take longer than the epoch.
    """
    towers.eval()
    cuts = list(batches(draws.order("validation")[:most], VALIDATION_BATCH))
    starts = np.cumsum([0, *map(len, cuts)])
    n_recalled = min(MOST_IN_RECALL, int(starts[-1]))
    losses = torch.zeros(len(cuts), dtype=torch.float64)
    vectors = {name: torch.zeros(n_recalled, towers.config.shared) for name in draws.modalities}
    present = {name: torch.zeros(n_recalled) for name in draws.modalities}
    mine = range(world.rank, len(cuts), world.size)
    for number, (views, _) in zip(mine, read_ahead(partial(_views, draws, cuts), mine), strict=True):
        found = _embedded(towers, views, precision)
        losses[number] = pairwise_clip_loss(found, views.present, scale=towers.scale.detach().cpu()).loss
        rows = slice(starts[number], min(starts[number + 1], n_recalled))
        for name in vectors if rows.start < n_recalled else ():
            vectors[name][rows] = found[name][: rows.stop - rows.start]
            present[name][rows] = views.present[name][: rows.stop - rows.start].float()
    joined = {name: world.total(part).numpy() for name, part in vectors.items()}
    there = {name: world.total(part).bool().numpy() for name, part in present.items()}
    return {
        "val_loss": float(np.average(world.total(losses).numpy(), weights=[len(cut) for cut in cuts])),
        "recall": _recalls(joined, there),
        "effective_rank": {name: effective_rank(joined[name][there[name]]) for name in joined},
        "temperature": float(1 / towers.scale.detach()),
    }


def _views(draws: ChannelDraws, cuts: Sequence[Sequence[str]], number: int) -> Views:
    return draws.views(cuts[number], "validation", augment=False)


def _embedded(towers: Towers, views: Views, precision: Precision) -> dict[str, Float[Tensor, "B D"]]:
    with torch.autocast(towers.log_scale.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        return {
            view: towers.agree_all(views.pixels[view], modality_of(view), views.kinds[view]) for view in views.pixels
        }


def _recalls(
    vectors: dict[str, Float32[np.ndarray, "N D"]], present: dict[str, Bool[np.ndarray, " N"]]
) -> dict[str, dict[str, float]]:
    recalls: dict[str, dict[str, float]] = {}
    for left, right in permutations(vectors, 2):
        both = present[left] & present[right]
        if both.sum() >= 2:
            found = recall_at(vectors[left][both], vectors[right][both], RECALLS)
            recalls[f"{left}>{right}"] = {str(k): value for k, value in found.items()} | {"n": int(both.sum())}
    return recalls


def effective_rank(vectors: Float32[np.ndarray, "N D"]) -> float:
    """How many directions the vectors really use: 1 where all lie on a line or in one point, at most D.

    That of the singular values of the centred vectors (`domain/spectrum.py`).
    """
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64) if len(vectors) else np.zeros((1, 1))
    values = np.sqrt(np.clip(np.linalg.eigvalsh(centred.T @ centred), 0, None))
    # Vectors that differ by rounding only use no direction.
    if values.max() <= 1e-5 * math.sqrt(len(vectors) or 1):
        return 1.0
    return spectrum.effective_rank(values)
