"""Vectors of chips as they are with something left out, and with what stands in for it.

Legend: P numbers of all parts side by side.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64

from terrashot.domain.absence import AbsenceModel, AbsenceStrategy, fill_absent_parts, learn_absence
from terrashot.domain.absence_scores import Standing
from terrashot.domain.channel_vectors import ChannelVectors, PartPolicy, parts_without, side_by_side
from terrashot.errors import InputError, UsageError
from terrashot.evaluate.absence.cases import Case

NOTHING = Case("nothing", (), {})
NONE_GONE = np.zeros((1, 1), dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class Altered:
    """Vectors under one strategy."""

    strategy: Standing
    vectors: Float32[np.ndarray, "n P"]
    """A row of NaN is a chip that cannot be judged."""
    stood_in: Bool[np.ndarray, " n"]
    """Where something that the chip has with nothing left out had to be stood in for."""


@dataclass(frozen=True, slots=True, eq=False)
class Learnable:
    """Vectors of training and test chips that lack the same."""

    learn: Float32[np.ndarray, "N P"]
    judge: Altered


@dataclass(frozen=True, eq=False)
class Material:
    """The study's vectors, and what fills their gaps."""

    vectors: ChannelVectors
    policy: PartPolicy
    strategy: AbsenceStrategy
    """What the study itself puts in the place of a kind of channel that a chip lacks."""

    @cached_property
    def whole(self) -> dict[str, Float32[np.ndarray, "N K D"]]:
        """Parts of every modality with nothing left out; NaN where the chip lacks one."""
        every = np.arange(len(self.vectors.chips))
        return {
            name: parts_without(own, every, NONE_GONE, self.policy) for name, own in self.vectors.modalities.items()
        }

    @cached_property
    def complete(self) -> Bool[np.ndarray, " N"]:
        """Chips that have something of every modality; under `drop`, all of it."""
        every = np.ones(len(self.vectors.chips), dtype=bool)
        for parts in self.whole.values():
            lacks = np.isnan(parts).any(axis=2)
            every &= ~(lacks.any(axis=1) if self.strategy == "drop" else lacks.all(axis=1))
        return every

    @cached_property
    def train(self) -> Int64[np.ndarray, " n"]:
        """Rows of the training chips of all areas."""
        return self.vectors.chips.rows_in("train")

    @cached_property
    def length(self) -> int:
        """Numbers in a whole vector."""
        return sum(parts.shape[1] * parts.shape[2] for parts in self.whole.values())

    @cached_property
    def models(self) -> dict[AbsenceStrategy, AbsenceModel]:
        """What the training chips teach about absent parts; no ridge where the vectors are too long, or too few chips whole."""
        train = side_by_side([parts[self.train] for parts in self.whole.values()])
        models: dict[AbsenceStrategy, AbsenceModel] = {"training-mean": _learn(train, "training-mean")}
        with suppress(InputError, UsageError):
            models["ridge"] = _learn(train, "ridge")
        return models

    def strategies(self, case: Case) -> tuple[Standing, ...]:
        """What may stand in, the same in every area: nothing has to where every test chip keeps something of each of its parts."""
        test = self.vectors.chips.rows_in("test")
        if not self._fallen(case, test[self.complete[test]]).any():
            return ("rest",)
        return (*self.models, "drop")

    def parts(self, case: Case, rows: Int64[np.ndarray, " n"]) -> Mapping[str, Float32[np.ndarray, "n K D"]]:
        """By modality, the parts that are left of these chips; NaN where nothing is."""
        own = self.vectors.modalities
        return {
            name: parts_without(own[name], rows, case.gone[name], self.policy) if name in case.gone else whole[rows]
            for name, whole in self.whole.items()
        }

    def full(self, rows: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n P"]:
        """The vectors that the study itself has of these chips."""
        return self._as_in_study(side_by_side(list(self.parts(NOTHING, rows).values())))

    def met(self, case: Case, rows: Int64[np.ndarray, " n"], strategy: Standing) -> Altered:
        """These chips for a head that has learnt on whole ones, under one of the case's strategies."""
        left, fallen = side_by_side(list(self.parts(case, rows).values())), self._fallen(case, rows)
        if strategy == "training-mean" or strategy == "ridge":
            return Altered(strategy, fill_absent_parts(left, self.models[strategy], strategy), fallen)
        vectors = self._as_in_study(left)
        vectors[fallen] = np.nan
        return Altered(strategy, vectors, fallen)

    def learnt(self, case: Case, learn: Int64[np.ndarray, " n"], judge: Int64[np.ndarray, " m"]) -> Learnable:
        """Training and test chips that both lack it: parts that no training chip has are left out, other gaps are filled by what
        the training chips as they then are teach.

        A training chip of which nothing is left teaches its label alone: it stands at the mean.

        Raises:
            InputError: the training chips do not tell what stands in for a gap.
        """
        whole = side_by_side(list(self.parts(case, np.concatenate([learn, judge])).values()))
        known = ~np.isnan(whole[: len(learn)]).all(axis=0)
        whole = whole[:, known]
        gaps = np.isnan(whole).any(axis=1)
        if not gaps.any():
            return Learnable(whole[: len(learn)], Altered("rest", whole[len(learn) :], gaps[len(learn) :]))
        everywhere = side_by_side(list(self.parts(case, self.train).values()))[:, known]
        filled = fill_absent_parts(whole, _learn(everywhere, self._fills), self._fills)
        empty = np.isnan(filled[: len(learn)]).any(axis=1)
        filled[: len(learn)][empty] = filled[: len(learn)][~empty].mean(axis=0)
        return Learnable(filled[: len(learn)], Altered(self._fills, filled[len(learn) :], gaps[len(learn) :]))

    @property
    def _fills(self) -> AbsenceStrategy:
        """The study's own strategy; where that drops chips, which would leave none to learn from, the ridge."""
        return "ridge" if self.strategy != "training-mean" and "ridge" in self.models else "training-mean"

    def _fallen(self, case: Case, rows: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Chips of which the case takes the whole of a part that they have."""
        lost = [
            (np.isnan(left) & ~np.isnan(whole[rows])).any(axis=(1, 2))
            for left, whole in zip(self.parts(case, rows).values(), self.whole.values(), strict=True)
        ]
        return np.logical_or.reduce(lost)

    def _as_in_study(self, vectors: Float32[np.ndarray, "n P"]) -> Float32[np.ndarray, "n P"]:
        return fill_absent_parts(vectors, self.models[self._fills], self._fills) if np.isnan(vectors).any() else vectors


def _learn(train: Float32[np.ndarray, "n P"], strategy: AbsenceStrategy) -> AbsenceModel:
    try:
        return learn_absence(lambda: [train], strategy)
    except InputError as error:
        raise InputError(f"missing-data report: {error}") from None
