"""What stands in for the parts that a chip lacks, so that a vector is whole; a modality that is absent stays absent."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float

from terrashot.domain.absence import LONGEST, AbsenceModel, AbsenceStrategy, fill_absent_parts, learn_absence
from terrashot.domain.tables import Chips, Embeddings
from terrashot.embed.channels import BlockPlan
from terrashot.embed.embed import RawVectors

Groups = Callable[[], Iterator[tuple[Sequence[str], RawVectors]]]
"""Vectors of consecutive chips, group by group; may be asked for more than once."""
LEAST_WHOLE = 2
"""Training chips without a gap that a ridge needs."""


def with_stand_ins(
    groups: Groups,
    plans: Sequence[BlockPlan],
    chips: Chips,
    is_train: Bool[np.ndarray, " N"],
    strategy: AbsenceStrategy,
) -> Iterator[Embeddings]:
    """Tables of consecutive chips in which a vector is whole, or NaN where the chip lacks the modality.

    What stands in is learnt from the training chips, of all modalities together.

    Args:
        chips: of all groups, in their order, as is `is_train`.

    Raises:
        InputError: a part is absent somewhere, and no training chip shows what could stand in.
    """
    model = None
    if has_gaps(groups):
        model = learn_absence(lambda: _training(groups, is_train), strategy)
    start = 0
    for ids, raw in groups():
        yield _table(raw, plans, chips.take(range(start, start + len(ids))), model, strategy)
        start += len(ids)


def has_gaps(groups: Groups) -> bool:
    """Whether any chip has some parts of a modality and lacks others."""
    return any(_has_gap(raw) for _, raw in groups())


def possible_strategy(
    groups: Groups, is_train: Bool[np.ndarray, " N"], asked: AbsenceStrategy
) -> tuple[AbsenceStrategy, str | None]:
    """What can stand in on these chips, and what must be said where that is not what was asked for."""
    if asked != "ridge":
        return asked, None
    n_whole, length = 0, 0
    for rows in _training(groups, is_train):
        n_whole += int((~np.isnan(rows).any(axis=1)).sum())
        length = rows.shape[1]
    if length > LONGEST:
        return "training-mean", f"vectors of {length} numbers are too long for a ridge; the training mean stands in"
    if n_whole < LEAST_WHOLE:
        return "training-mean", f"only {n_whole} training chips lack nothing; the training mean stands in, not a ridge"
    return asked, None


def _has_gap(raw: RawVectors) -> bool:
    """Whether a chip has some parts of a modality and lacks others."""
    absent = [np.isnan(parts[:, :, 0]) for parts in raw.parts.values()]
    return any(bool((mask.any(axis=1) & ~mask.all(axis=1)).any()) for mask in absent)


def _training(groups: Groups, is_train: Bool[np.ndarray, " N"]) -> Iterator[Float[np.ndarray, "n P"]]:
    start = 0
    for ids, raw in groups():
        yield _side_by_side(raw)[is_train[start : start + len(ids)]]
        start += len(ids)


def _side_by_side(raw: RawVectors) -> Float[np.ndarray, "n P"]:
    """The parts of all modalities as one vector."""
    return np.concatenate([parts.reshape(len(parts), -1) for parts in raw.parts.values()], axis=1)


def _table(
    raw: RawVectors, plans: Sequence[BlockPlan], chips: Chips, model: AbsenceModel | None, strategy: AbsenceStrategy
) -> Embeddings:
    absent = {name: np.isnan(parts[:, :, 0]) for name, parts in raw.parts.items()}
    vectors = _side_by_side(raw)
    if model is not None:
        vectors = fill_absent_parts(vectors, model, strategy)
    ends = np.cumsum([parts.shape[1] * parts.shape[2] for parts in raw.parts.values()])[:-1]
    blocks = dict(zip(raw.parts, np.split(vectors, ends, axis=1), strict=True))
    for name, block in blocks.items():
        block[absent[name].all(axis=1)] = np.nan
    kinds = {plan.modality: plan.kinds for plan in plans if plan.kinds}
    return Embeddings(
        chips, blocks, raw.n_channels, kinds=kinds,
        absent={name: absent[name] for name in kinds}, valid_fraction=raw.valid_fraction,
    )  # fmt: skip
