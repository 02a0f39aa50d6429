"""Long embedding in groups of chips, each kept once it is embedded, so that a killed run goes on from there."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from terrashot.durable.parts import Parts
from terrashot.embed.channels import BlockPlan
from terrashot.embed.embed import EmbedDone, EmbedJob, RawVectors, embed_chips, raw_vectors
from terrashot.embed.kept import KeptArrays, chips_a_part


@dataclass(frozen=True, slots=True, eq=False)
class KeptVectors:
    """Vectors of many chips, group by group."""

    plans: tuple[BlockPlan, ...]
    arrays: KeptArrays
    """Vectors, counts and valid fractions of each plan in turn."""

    def groups(self) -> Iterator[tuple[Sequence[str], RawVectors]]:
        """Ids and vectors, group by group in the order of the chips."""
        names = [plan.modality for plan in self.plans]
        for ids, arrays in self.arrays.groups():
            yield ids, raw_vectors({name: arrays[3 * n : 3 * n + 3] for n, name in enumerate(names)})


def embed_in_parts(
    job: EmbedJob, chip_ids: Sequence[str], parts: Parts, *, name: str, dtype: str
) -> Generator[EmbedDone, None, KeptVectors]:
    """As `embed_chips`, group by group in the order of the ids given; the same bytes whether or not it was interrupted.

    Args:
        parts: keeps every group; `NO_PARTS` cannot.
        name: of these vectors among the parts.
        dtype: `float16` or `float32`, in which they are kept.
    """
    kept = KeptArrays(chip_ids, chips_a_part(job.store.chip_px), parts, name)
    for number, ids in kept.begun():
        if not kept.has(number):
            before = number * kept.group_size
            raw = yield from _counted(embed_chips(job, ids), len(job.plans), before, len(ids), len(chip_ids))
            kept.put(number, _arrays(raw, dtype))
    return KeptVectors(job.plans, kept)


def _counted(
    work: Generator[EmbedDone, None, RawVectors], n_modalities: int, before: int, here: int, total: int
) -> Generator[EmbedDone, None, RawVectors]:
    """The same work, its progress told in chips of the whole."""
    seen: list[str] = []
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            return stop.value
        seen += [] if event.modality in seen else [event.modality]
        share = (len(seen) - 1 + event.done / event.total) / n_modalities
        yield EmbedDone(event.modality, before + int(here * share), total)


def _arrays(raw: RawVectors, dtype: str) -> list[np.ndarray]:
    """Vectors, counts and valid fractions of each modality in turn."""
    return [
        array
        for name in raw.parts
        for array in (raw.parts[name].astype(dtype), raw.n_channels[name], raw.valid_fraction[name])
    ]
