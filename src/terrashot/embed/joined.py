"""Vectors of a table that is there and of chips that are new or show something else by now, in one order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from terrashot.domain.tables import Embeddings
from terrashot.embed.embed import EmbedJob, RawVectors, chosen_channels, raw_vectors
from terrashot.embed.in_parts import KeptVectors
from terrashot.engine import cut

SAME_SHARE = 1e-6
"""Shares of valid pixels that differ by less are one number before and after it was stored as float32."""


@dataclass(frozen=True, slots=True, eq=False)
class JoinedVectors:
    """Vectors of chips, each from those just made, or else from the table that has it. Both are held in memory."""

    chip_ids: Sequence[str]
    made: KeptVectors
    known: Embeddings

    def groups(self) -> Iterator[tuple[Sequence[str], RawVectors]]:
        """Ids and vectors, group by group in the order of the chips."""
        new_ids = [chip_id for ids, _ in self.made.groups() for chip_id in ids]
        row_of = {chip_id: row for row, chip_id in enumerate((*self.known.chips.ids, *new_ids))}
        all_rows = {
            plan.modality: (self._vectors(plan.modality), self._counts(plan.modality), self._valid(plan.modality))
            for plan in self.made.plans
        }
        for ids in cut(self.chip_ids, self.made.arrays.group_size):
            rows = np.array([row_of[chip_id] for chip_id in ids], dtype=np.int64)
            yield ids, raw_vectors({name: [array[rows] for array in arrays] for name, arrays in all_rows.items()})

    def _vectors(self, name: str) -> np.ndarray:
        made = np.concatenate([raw.parts[name] for _, raw in self.made.groups()])
        if name not in self.known.blocks:
            old = np.full((len(self.known.chips), *made.shape[1:]), np.nan, made.dtype)
        else:
            old = self.known.parts(name).astype(made.dtype)
            if name in self.known.absent:
                old[self.known.absent[name]] = np.nan
        return np.concatenate([old, made])

    def _counts(self, name: str) -> np.ndarray:
        made = np.concatenate([raw.n_channels[name] for _, raw in self.made.groups()])
        return np.concatenate([self.known.n_channels.get(name, np.zeros(len(self.known.chips), np.int16)), made])

    def _valid(self, name: str) -> np.ndarray:
        made = np.concatenate([raw.valid_fraction[name] for _, raw in self.made.groups()])
        nothing = np.full(len(self.known.chips), np.nan, np.float32)
        return np.concatenate([self.known.valid_fraction.get(name, nothing), made])


def unchanged_chips(job: EmbedJob, known: Embeddings) -> set[str]:
    """Chips of the table into whose vectors the same channels would go now: as many of them, as full.

    A file that could not be read when the table was made may have been mended since.
    """
    changed = np.zeros(len(known.chips), dtype=bool)
    for plan in job.plans:
        name = plan.modality
        now = [[stored for _, stored in chosen_channels(job, plan, chip_id)] for chip_id in known.chips.ids]
        changed |= np.array([len(found) for found in now]) != known.n_channels.get(name, 0)
        if name in known.valid_fraction:
            shares = [np.mean([stored.valid_fraction for stored in found]) if found else np.nan for found in now]
            changed |= ~np.isclose(shares, known.valid_fraction[name], rtol=0, atol=SAME_SHARE, equal_nan=True)
    return {chip_id for chip_id, is_changed in zip(known.chips.ids, changed, strict=True) if not is_changed}
