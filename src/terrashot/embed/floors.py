"""The simple features of every chip that an encoder must beat: image statistics and random convolutions.

Axis letters: F filters, S statistics, h w rows and columns of a filter.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, KindStats, RunningMoments, fill_absent_with_mean, scale
from terrashot.durable.parts import Parts
from terrashot.embed.image_stats import (
    ColumnMeans,
    feature_names,
    fill_absent_with_training_mean,
    image_stats,
    mean_and_spread,
)
from terrashot.embed.kept import KeptArrays, chips_a_part
from terrashot.embed.lone_threads import lone_threads
from terrashot.embed.random_conv import N_FILTERS, cut_patches, random_conv, standardise
from terrashot.store.chips import ChipStore
from terrashot.store.layout import StoredChannel

VARYING = frozenset({"gunw"})
"""Modalities whose channels are other date pairs in every chip, even where the pairs of a study happen to agree."""
CANDIDATES = 4 * N_FILTERS
"""Training chips looked at for those with the fewest gaps; all of a continent need not be."""
BATCH_BYTES = 32 << 20
MAX_BATCH = 64


@dataclass(frozen=True, slots=True)
class FloorsProgress:
    """So many chips have their floors."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Which images of one modality the features are made from, the same for every chip."""

    modality: str
    channels: tuple[Channel, ...]
    """By position; empty where channels vary from chip to chip, which gives the images `mean` and `spread` instead."""
    max_channels: int
    """The most channels that any training chip has."""

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images, for `feature_names`."""
        return tuple(channel.name for channel in self.channels) or ("mean", "spread")


@dataclass(frozen=True, slots=True, eq=False)
class ModalityFloors:
    """What the training chips taught about one modality: enough to give any chip its features."""

    layout: Layout
    scales: tuple[KindStats, ...]
    """One an image."""
    filters: Float32[np.ndarray, "F C h w"]

    def features(
        self, images: Float32[np.ndarray, "B C H W"]
    ) -> tuple[Float32[np.ndarray, "B S"], Float32[np.ndarray, "B twice_F"]]:
        """Image statistics and random convolutional features; rows of NaN for a chip without a valid pixel."""
        is_there = np.isfinite(images).any(axis=(1, 2, 3))
        responses = np.full((len(images), 2 * len(self.filters)), np.nan, dtype=np.float32)
        responses[is_there] = random_conv(_scale_and_fill(images[is_there], self.scales), self.filters)
        return image_stats(images), responses


@dataclass(frozen=True, slots=True, eq=False)
class KeptFloors:
    """Simple features of many chips, group by group, with the training mean where an image statistic is absent."""

    arrays: KeptArrays
    """Of each name in turn."""
    means: Mapping[str, ColumnMeans]
    """By name of a block; a block that is not here is kept as it is."""
    names: tuple[str, ...]

    def groups(self) -> Iterator[tuple[Sequence[str], dict[str, Float32[np.ndarray, "N _"]]]]:
        """Ids and blocks, group by group in the order of the chips."""
        for ids, arrays in self.arrays.groups():
            blocks = dict(zip(self.names, arrays, strict=True))
            yield (
                ids,
                {
                    name: fill_absent_with_training_mean(block, self.means[name]) if name in self.means else block
                    for name, block in blocks.items()
                },
            )


def make_floors(
    store: ChipStore,
    chip_ids: Sequence[str],
    *,
    stats: ChannelStats,
    train_ids: Sequence[str],
    seed: int,
    parts: Parts,
) -> Generator[FloorsProgress, None, KeptFloors]:
    """Blocks `image_stats:<modality>` and `random_conv:<modality>` of all chips, in the end; progress on the way.

    Scales, filters and what stands in for an absent channel come from the training chips alone, whatever the order of
    the chips. A chip without a modality has a row of NaN; a modality that no training chip has gives no block, and a
    channel that none has counts for nothing. Memory holds one group of chips, whatever their number.

    Args:
        stats: of the store's own channels, from the training chips.
        parts: keeps every group; `NO_PARTS` cannot.
    """
    train_ids = sorted(train_ids)
    layouts = [layout for name in store.modalities if (layout := make_layout(store, name, train_ids, stats=stats))]
    learnt = [learn_floors(store, layout, train_ids, stats=stats, seed=seed) for layout in layouts]
    names = tuple(sorted(_block_sizes(layouts)))
    kept = KeptArrays(chip_ids, chips_a_part(store.chip_px), parts, "floors")
    for number, ids in kept.begun():
        before = number * kept.group_size
        if not kept.has(number):
            blocks = {name: np.full((len(ids), n), np.nan, np.float32) for name, n in _block_sizes(layouts).items()}
            for done in _compute(store, ids, learnt, blocks):
                yield FloorsProgress(before + done, len(chip_ids))
            kept.put(number, [blocks[name] for name in names])
        else:
            yield FloorsProgress(before + len(ids), len(chip_ids))
    return KeptFloors(kept, _means(kept, names, frozenset(train_ids)), names)


def _means(kept: KeptArrays, names: Sequence[str], train_ids: frozenset[str]) -> dict[str, ColumnMeans]:
    """Of the training chips' image statistics, by block."""
    means = {name: ColumnMeans() for name in names if name.startswith("image_stats:")}
    for ids, arrays in kept.groups():
        is_train = np.array([chip_id in train_ids for chip_id in ids], dtype=bool)
        for name, block in zip(names, arrays, strict=True):
            if name in means:
                means[name].add(block[is_train])
    return means


def _compute(
    store: ChipStore, chip_ids: Sequence[str], learnt: Sequence[ModalityFloors], blocks: Mapping[str, np.ndarray]
) -> Iterator[int]:
    """Fills the rows of `blocks`, some chips at a time; yields how many are done."""
    n_channels = max((floors.layout.max_channels for floors in learnt), default=1)
    with lone_threads(torch.get_num_threads()) as pool:
        for rows in _batches(len(chip_ids), n_channels, store.chip_px):
            for floors in learnt:
                images = read_images(store, floors.layout, chip_ids[rows])
                pieces = np.array_split(images, min(len(images), torch.get_num_threads()))
                statistics, responses = zip(*pool.map(floors.features, pieces), strict=True)
                blocks[f"image_stats:{floors.layout.modality}"][rows] = np.concatenate(statistics)
                blocks[f"random_conv:{floors.layout.modality}"][rows] = np.concatenate(responses)
            yield min(rows.stop, len(chip_ids))


def make_layout(store: ChipStore, modality: str, train_ids: Sequence[str], *, stats: ChannelStats) -> Layout | None:
    """The channels that the training chips have of a modality and `stats` can scale; None without any.

    Channels vary if the modality is known for it, or if no chip has even half of all the names there are.
    """
    channel_of: dict[str, Channel] = {}
    first_slot: dict[str, int] = {}
    max_channels = 0
    for chip_id in train_ids:
        present = [s for s in store.channels(chip_id, modality) if s.channel.kind in stats.kinds.get(modality, {})]
        max_channels = max(max_channels, len(present))
        for stored in present:
            name = stored.channel.name
            channel_of.setdefault(name, stored.channel)
            first_slot[name] = min(stored.slot, first_slot.get(name, stored.slot))
    if not channel_of:
        return None
    varies = modality in VARYING or len(channel_of) > 2 * max_channels
    names = sorted(channel_of, key=lambda name: (first_slot[name], name))
    return Layout(modality, () if varies else tuple(channel_of[name] for name in names), max_channels)


def read_images(store: ChipStore, layout: Layout, chip_ids: Sequence[str]) -> Float32[np.ndarray, "B C H W"]:
    """The images of a layout for each chip, in the channels' own units; NaN where a chip has no such pixel."""
    wanted = [_wanted(store, layout, chip_id) for chip_id in chip_ids]
    picks = [(chip_id, stored.slot) for chip_id, found in zip(chip_ids, wanted, strict=True) for _, stored in found]
    side = store.chip_px
    pixels = store.read(layout.modality, picks) if picks else np.empty((0, side, side), dtype=np.float32)
    if not layout.channels:
        ends = np.cumsum([len(found) for found in wanted])[:-1]
        return np.concatenate([mean_and_spread(of_chip[None]) for of_chip in np.split(pixels, ends)])
    images = np.full((len(chip_ids), len(layout.channels), side, side), np.nan, dtype=np.float32)
    rows = np.repeat(np.arange(len(chip_ids)), [len(found) for found in wanted])
    images[rows, [position for found in wanted for position, _ in found]] = pixels
    return images


def learn_floors(
    store: ChipStore, layout: Layout, train_ids: Sequence[str], *, stats: ChannelStats, seed: int
) -> ModalityFloors:
    """Scales and filters of one modality from the training chips with the fewest gaps."""
    rng = np.random.default_rng([seed, *layout.modality.encode()])
    chosen = _fullest(store, layout, train_ids, rng)
    moments = [RunningMoments() for _ in layout.images]
    patches = []
    # Twice as many as needed, because those without contrast are dropped.
    per_chip = -(-2 * N_FILTERS // len(chosen))
    for rows in _batches(len(chosen), layout.max_channels, store.chip_px):
        images = read_images(store, layout, chosen[rows])
        patches.append(cut_patches(images, n_patches=per_chip * len(images), rng=rng))
        for position, moment in enumerate(moments):
            moment.add(images[:, position])
    if layout.channels:
        scales = tuple(stats.of(layout.modality, channel.kind) for channel in layout.channels)
    else:
        scales = tuple(moment.stats(None) for moment in moments)
    shuffled = rng.permutation(np.concatenate(patches))
    return ModalityFloors(layout, scales, standardise(_scale_and_fill(shuffled, scales), N_FILTERS))


def _wanted(store: ChipStore, layout: Layout, chip_id: str) -> list[tuple[int, StoredChannel]]:
    """A chip's channels that belong to a layout, with their position in it."""
    present = store.channels(chip_id, layout.modality)
    if not layout.channels:
        return list(enumerate(present))
    position_of = {channel.name: position for position, channel in enumerate(layout.channels)}
    return [(position_of[s.channel.name], s) for s in present if s.channel.name in position_of]


def _fullest(store: ChipStore, layout: Layout, train_ids: Sequence[str], rng: np.random.Generator) -> tuple[str, ...]:
    """At most one chip a filter, those with the largest share of valid pixels among seeded candidates."""
    shares: dict[str, float] = {}
    for row in rng.permutation(len(train_ids)):
        found = _wanted(store, layout, train_ids[row])
        if found:
            shares[train_ids[row]] = sum(s.valid_fraction for _, s in found) / (len(layout.channels) or len(found))
        if len(shares) == CANDIDATES:
            break
    return tuple(sorted(shares, key=lambda chip_id: -shares[chip_id])[:N_FILTERS])


def _scale_and_fill(
    images: Float32[np.ndarray, "B C H W"], scales: Sequence[KindStats]
) -> Float32[np.ndarray, "B C H W"]:
    scaled = [scale(images[:, position], kind) for position, kind in enumerate(scales)]
    return fill_absent_with_mean(np.stack(scaled, axis=1))


def _block_sizes(layouts: Sequence[Layout]) -> dict[str, int]:
    sizes = {f"image_stats:{layout.modality}": len(feature_names(layout.images)) for layout in layouts}
    return {**sizes, **{f"random_conv:{layout.modality}": 2 * N_FILTERS for layout in layouts}}


def _batches(n_chips: int, n_channels: int, side_px: int) -> Iterator[slice]:
    """Runs of chips whose pixels fill about `BATCH_BYTES`."""
    size = min(MAX_BATCH, max(1, BATCH_BYTES // (4 * n_channels * side_px**2)))
    return (slice(start, start + size) for start in range(0, n_chips, size))
