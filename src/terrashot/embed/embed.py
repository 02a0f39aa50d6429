"""Towers over a chip store: vectors of each modality of each chip, absent where the modality is."""

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int16

from terrashot.domain.normalize import ChannelStats, KindStats, fill_absent_with_mean, scale
from terrashot.embed.channels import BlockPlan
from terrashot.embed.lone_threads import lone_threads
from terrashot.errors import InputError, IntegrityError
from terrashot.model.towers import Towers
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel

EmbedPrecision = Literal["float32", "bfloat16"]
PIXELS_AT_ONCE = 1 << 22
"""Read and embedded together by one worker: memory does not grow with the chips' size or number."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbedJob:
    """All that the vectors of a chip follow from, and who makes them."""

    towers: Towers
    stats: ChannelStats
    store: ChipStore
    plans: tuple[BlockPlan, ...]
    seed: int
    precision: EmbedPrecision = "float32"
    workers: int = 1
    """Threads, each with images of its own; they change no byte."""


@dataclass(frozen=True, slots=True, eq=False)
class RawVectors:
    """Vectors as the pixels give them: nothing stands in for what is absent."""

    parts: Mapping[str, Float[np.ndarray, "N K D"]]
    """By modality: unit length; NaN where no channel of a part has a valid pixel."""
    n_channels: Mapping[str, Int16[np.ndarray, " N"]]
    """How many channels went into each chip's vector."""
    valid_fraction: Mapping[str, Float32[np.ndarray, " N"]]
    """Share of their pixels that are valid, mean over these channels; NaN where there is none."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One image to embed, and where its vector goes."""

    row: int
    part: int
    chip_id: str
    stored: StoredChannel


@dataclass(frozen=True, slots=True)
class EmbedDone:
    """So many images of one modality have been embedded."""

    modality: str
    done: int
    total: int


def shared_modalities(towers: Towers, store: ChipStore) -> list[str]:
    """The modalities that both have, in the model's order.

    Raises:
        IntegrityError: there is none.
    """
    shared = [modality for modality in towers.config.modalities if modality in store.modalities]
    if not shared:
        raise IntegrityError(
            f"the model knows {', '.join(towers.config.modalities)}, the chips have {', '.join(store.modalities)}; "
            "name the chips' modalities as the model does, or choose another model"
        )
    return shared


def shown_modalities(store: ChipStore, modalities: Sequence[str], chip_ids: Sequence[str]) -> list[str]:
    """Those of the modalities of which any of the chips has a valid pixel: of others there is nothing to embed.

    Raises:
        InputError: none.
    """
    shown = [
        modality
        for modality in modalities
        if any(stored.valid_fraction > 0 for chip_id in chip_ids for stored in store.channels(chip_id, modality))
    ]
    if not shown:
        raise InputError(
            f"no chip has a valid pixel of {', '.join(modalities)}; presence.parquet tells why: look at the files, and at "
            "the numbers that are stated to mean no data"
        )
    return shown


def embed_chips(job: EmbedJob, chip_ids: Sequence[str]) -> Generator[EmbedDone, None, RawVectors]:
    """Unit-length vectors of the parts of each chip, as the job's plans say.

    Of several channels of a part the unit-length vectors are averaged and made unit length again (of one random channel:
    Allen et al. 2023, arXiv:2310.00119, section 4.1). A channel without a valid pixel does not count as present. The same
    chips in any order, with any number of workers, give the same bytes; other chips beside them change the last bits of a
    float32 only (below 1e-5, tested).

    Raises:
        IntegrityError: a channel of a kind without statistics.
    """
    job.towers.eval()
    found: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    with lone_threads(job.workers) as pool:
        for plan in job.plans:
            found[plan.modality] = yield from _modality(job, plan, chip_ids, pool)
    return raw_vectors(found)


def raw_vectors(found: Mapping[str, Sequence[np.ndarray]]) -> RawVectors:
    """Vectors, counts and valid fractions by modality, each under its name."""
    parts, n_channels, valid_fraction = ({name: own[number] for name, own in found.items()} for number in range(3))
    return RawVectors(parts, n_channels, valid_fraction)


def _modality(
    job: EmbedJob, plan: BlockPlan, chip_ids: Sequence[str], pool: ThreadPoolExecutor
) -> Generator[
    EmbedDone, None, tuple[Float32[np.ndarray, "N K D"], Int16[np.ndarray, " N"], Float32[np.ndarray, " N"]]
]:
    picks = _picks(job, plan, chip_ids)
    vectors = np.zeros((len(chip_ids), len(plan.parts), job.towers.config.embedding), dtype=np.float32)
    counts, valid = np.zeros(vectors.shape[:2], dtype=np.int16), np.zeros(len(chip_ids), dtype=np.float64)
    done = 0
    for batch, embedded, has_pixels in _embedded(job, plan.modality, picks, pool):
        where = tuple(np.array([(pick.row, pick.part) for pick in batch], dtype=np.int64)[has_pixels].T)
        np.add.at(vectors, where, embedded[has_pixels])
        np.add.at(counts, where, 1)
        np.add.at(valid, where[0], np.array([pick.stored.valid_fraction for pick in batch])[has_pixels])
        done += len(batch)
        yield EmbedDone(plan.modality, done, len(picks))
    lengths = np.linalg.norm(vectors, axis=2, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    vectors[counts == 0] = np.nan
    n_channels = counts.sum(axis=1, dtype=np.int16)
    mean = np.divide(valid, n_channels, out=np.full(len(valid), np.nan), where=n_channels > 0)
    return vectors, n_channels, mean.astype(np.float32)


def _picks(job: EmbedJob, plan: BlockPlan, chip_ids: Sequence[str]) -> list[Pick]:
    """The images to embed, by chip id, so that the chips' order does not decide which share a matrix product."""
    return [
        Pick(row, part, chip_ids[row], stored)
        for row in sorted(range(len(chip_ids)), key=chip_ids.__getitem__)
        for part, stored in chosen_channels(job, plan, chip_ids[row])
    ]


def chosen_channels(job: EmbedJob, plan: BlockPlan, chip_id: str) -> list[tuple[int, StoredChannel]]:
    """Part and channel of every image of a chip that goes into its vector; no pixel is read."""
    return plan.chosen(job.store.channels(chip_id, plan.modality), f"{job.seed}/{chip_id}/{plan.modality}")


Embedded = tuple[Sequence[Pick], Float32[np.ndarray, "B D"], Bool[np.ndarray, " B"]]


def _embedded(job: EmbedJob, modality: str, picks: Sequence[Pick], pool: ThreadPoolExecutor) -> Iterator[Embedded]:
    """Batches in their order, with a vector of each image, and which images have a valid pixel at all.

    Pixels are read here and embedded by the workers, of which each has one batch before it: memory holds few.
    """
    at_once = max(1, PIXELS_AT_ONCE // job.store.chip_px**2)
    begun: deque[tuple[Sequence[Pick], Future[tuple[np.ndarray, np.ndarray]]]] = deque()
    for start in range(0, len(picks), at_once):
        batch = picks[start : start + at_once]
        raw = job.store.read(modality, [(pick.chip_id, pick.stored.slot) for pick in batch])
        begun.append((batch, pool.submit(_embed, job, modality, batch, raw)))
        if len(begun) > job.workers:
            done, future = begun.popleft()
            yield done, *future.result()
    for done, future in begun:
        yield done, *future.result()


def _embed(
    job: EmbedJob, modality: str, picks: Sequence[Pick], raw: Float32[np.ndarray, "B H W"]
) -> tuple[Float32[np.ndarray, "B D"], Bool[np.ndarray, " B"]]:
    for image, pick in zip(raw, picks, strict=True):
        image[:] = scale(image, _moments(job.stats, modality, pick))
    has_pixels = ~np.isnan(raw).all(axis=(1, 2))
    pixels = torch.from_numpy(fill_absent_with_mean(raw))
    kinds = torch.tensor([job.towers.kind_number(modality, pick.stored.channel.kind) for pick in picks])
    device = job.towers.log_scale.device.type
    with torch.autocast(device, torch.bfloat16, enabled=job.precision == "bfloat16"):
        return job.towers.embed_all(pixels[:, None], modality, kinds).numpy(), has_pixels


def _moments(stats: ChannelStats, modality: str, pick: Pick) -> KindStats:
    kind = pick.stored.channel.kind
    if kind not in stats.kinds.get(modality, {}):
        raise IntegrityError(
            f"chip {pick.chip_id}, {modality}: the model has no statistics for channel '{kind}'; "
            "name channels as its training chips do, or add --statistics chips"
        )
    return stats.of(modality, kind)
