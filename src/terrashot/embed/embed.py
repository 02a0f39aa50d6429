"""Towers over a chip store: one vector of each modality of each chip, absent where the modality is."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int16

from terrashot.domain.normalize import ChannelStats, KindStats, fill_absent_with_mean, scale
from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import IntegrityError
from terrashot.model.towers import Towers
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel

ChannelPolicy = Literal["mean", "random"]
PIXELS_AT_ONCE = 1 << 22
"""Read together: memory does not grow with the chips' size or number."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One image to embed, and the row that its vector goes to."""

    row: int
    chip_id: str
    stored: StoredChannel


@dataclass(frozen=True, slots=True)
class EmbedDone:
    """So many images of one modality have been embedded."""

    modality: str
    done: int
    total: int


def embed_chips(
    towers: Towers, stats: ChannelStats, store: ChipStore, chips: Chips, *, channels: ChannelPolicy, seed: int
) -> Generator[EmbedDone, None, Embeddings]:
    """One unit-length vector a chip and modality; NaN where the modality is absent.

    With `mean` the unit-length vectors of all present channels are averaged and made unit length again; with `random`
    one channel is drawn from the seed and the chip's id (Allen et al. 2023, arXiv:2310.00119, section 4.1). A channel
    without a valid pixel does not count as present. The same chips in any order give the same bytes; other chips beside
    them change the last bits of a float32 only (below 1e-5, tested). A modality without a tower is left out, and a
    tower without a modality has no block.

    Raises:
        IntegrityError: the store has no modality that the towers know, or a channel of a kind without statistics.
    """
    shared = [modality for modality in towers.config.modalities if modality in store.modalities]
    if not shared:
        raise IntegrityError(
            f"the model knows {', '.join(towers.config.modalities)}, the chips have {', '.join(store.modalities)}; "
            "name the chips' modalities as the model does, or choose another model"
        )
    blocks: dict[str, np.ndarray] = {}
    n_channels: dict[str, np.ndarray] = {}
    for modality in shared:
        picks = _picks(store, chips.ids, modality, channels, seed)
        blocks[modality], n_channels[modality] = yield from _modality(
            towers, stats, store, modality, picks=picks, n_chips=len(chips)
        )
    return Embeddings(chips, blocks, n_channels)


def statistics_for(
    model: ChannelStats, own: ChannelStats, choice: Literal["model", "chips"]
) -> tuple[ChannelStats, tuple[str, ...]]:
    """The channel moments to scale these chips with, and what must be said about them.

    The model's, where chips and model state the same unit; the chips' own, where either states none or that was asked
    for. A kind that the model does not know is scaled by its own moments too; a modality that it does not know is left
    out.

    Args:
        own: moments of the chips to embed.

    Raises:
        IntegrityError: both state units, and they differ.
    """
    if choice == "chips":
        return own, ("channels are scaled by the chips' own means and spreads, as asked",)
    chosen: dict[str, dict[str, KindStats]] = {}
    unstated: list[str] = []
    for modality, kinds in own.kinds.items():
        theirs = model.kinds.get(modality, {})
        for kind, mine in kinds.items() if theirs else ():
            known = [theirs[kind]] if kind in theirs else list(theirs.values())
            _refuse_another_unit(modality, kind, mine, known)
            is_same = kind in theirs and _stated(mine.unit) and _stated(theirs[kind].unit)
            chosen.setdefault(modality, {})[kind] = theirs[kind] if is_same else mine
            unstated += [] if is_same else [f"{modality} {kind}"]
    note = (
        f"chips and model do not both know and state the unit of {', '.join(unstated)}: "
        "scaled by the chips' own means and spreads"
    )
    return ChannelStats(chosen), (note,) if unstated else ()


def _refuse_another_unit(modality: str, kind: str, mine: KindStats, theirs: Sequence[KindStats]) -> None:
    """Nothing, if one of the model's moments is in the unit of ours, or no unit is stated on one of the sides."""
    units = sorted({str(moments.unit) for moments in theirs if _stated(moments.unit)})
    if units and _stated(mine.unit) and mine.unit not in units:
        raise IntegrityError(
            f"{modality}: channel '{kind}' is in {mine.unit}, the model was trained on {' and '.join(units)}; "
            "convert it, or add --statistics chips to scale by the chips' own means"
        )


def _stated(unit: str | None) -> bool:
    # A file's own integers are no unit: 8-bit images of two makers need not share a scale.
    return unit not in (None, "dn")


def _picks(store: ChipStore, chip_ids: Sequence[str], modality: str, channels: ChannelPolicy, seed: int) -> list[Pick]:
    """The images to embed, by chip id, so that the chips' order does not decide which share a matrix product."""
    return [
        Pick(row, chip_ids[row], stored)
        for row in sorted(range(len(chip_ids)), key=chip_ids.__getitem__)
        for stored in _chosen(store.channels(chip_ids[row], modality), channels, f"{seed}/{chip_ids[row]}/{modality}")
    ]


def _modality(
    towers: Towers, stats: ChannelStats, store: ChipStore, modality: str, *, picks: Sequence[Pick], n_chips: int
) -> Generator[EmbedDone, None, tuple[Float32[np.ndarray, "N D"], Int16[np.ndarray, " N"]]]:
    vectors = np.zeros((n_chips, towers.config.embedding), dtype=np.float32)
    counts = np.zeros(n_chips, dtype=np.int16)
    at_once = max(1, PIXELS_AT_ONCE // store.chip_px**2)
    towers.eval()
    for start in range(0, len(picks), at_once):
        batch = picks[start : start + at_once]
        embedded, has_pixels = _embed(towers, stats, store, modality, batch)
        rows = np.array([pick.row for pick in batch], dtype=np.int64)[has_pixels]
        np.add.at(vectors, rows, embedded[has_pixels])
        np.add.at(counts, rows, 1)
        yield EmbedDone(modality, start + len(batch), len(picks))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    vectors[counts == 0] = np.nan
    return vectors, counts


def _chosen(there: Sequence[StoredChannel], channels: ChannelPolicy, key: str) -> Sequence[StoredChannel]:
    usable = [stored for stored in there if stored.valid_fraction > 0]
    if channels == "mean" or not usable:
        return usable
    number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
    return [usable[number % len(usable)]]


def _embed(
    towers: Towers, stats: ChannelStats, store: ChipStore, modality: str, picks: Sequence[Pick]
) -> tuple[Float32[np.ndarray, "B D"], Bool[np.ndarray, " B"]]:
    """A vector of each image, and which images have a valid pixel at all."""
    raw = store.read(modality, [(pick.chip_id, pick.stored.slot) for pick in picks])
    for image, pick in zip(raw, picks, strict=True):
        image[:] = scale(image, _moments(stats, modality, pick))
    has_pixels = ~np.isnan(raw).all(axis=(1, 2))
    pixels = torch.from_numpy(fill_absent_with_mean(raw))
    return towers.embed_all(pixels[:, None], modality).numpy(), has_pixels


def _moments(stats: ChannelStats, modality: str, pick: Pick) -> KindStats:
    kind = pick.stored.channel.kind
    if kind not in stats.kinds.get(modality, {}):
        raise IntegrityError(
            f"chip {pick.chip_id}, {modality}: the model has no statistics for channel '{kind}'; "
            "name channels as its training chips do, or add --statistics chips"
        )
    return stats.of(modality, kind)
