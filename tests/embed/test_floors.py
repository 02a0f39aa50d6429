import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, RunningMoments
from terrashot.domain.tables import Chips, Embeddings, Presence, make_presence
from terrashot.durable.parts import DiskParts
from terrashot.embed import floors
from terrashot.embed.floors import FloorsProgress, make_floors, make_layout, read_images
from terrashot.embed.image_stats import feature_names, image_stats, mean_and_spread
from terrashot.steps.progress import finish
from terrashot.store.layout import StoredChannel

SIDE = 16


@dataclass
class SmallStore:
    """Chips in memory: {chip: {modality: {channel name: image}}}; channels lie in slots as they come."""

    imagery: dict[str, dict[str, dict[str, np.ndarray]]]
    modalities: tuple[str, ...] = ("s2rgbm", "gunw")
    chip_px: int = SIDE
    asked: list[tuple[str, int]] = field(default_factory=list)

    @property
    def chip_ids(self) -> tuple[str, ...]:
        return tuple(self.imagery)

    def presence(self) -> Presence:
        return make_presence(())

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        images = self.imagery[chip_id].get(modality, {})
        kind = {"gunw": lambda name: "coherence"}.get(modality, lambda name: name.split("_")[-1])
        return tuple(
            StoredChannel(slot, Channel(name, kind(name)), float(np.isfinite(image).mean()))
            for slot, (name, image) in enumerate(images.items())
        )

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> np.ndarray:
        self.asked += picks
        return np.stack([list(self.imagery[chip_id][modality].values())[slot] for chip_id, slot in picks])


OPTICAL = ("2020-01_red", "2020-01_green", "2020-02_red", "2020-02_green")


def small_store(n_chips: int = 24) -> SmallStore:
    """Every chip has all optical channels and one to four coherence pairs of its own."""
    rng = np.random.default_rng(0)

    def image(mean: float) -> np.ndarray:
        pixels = np.cumsum(rng.normal(size=(SIDE, SIDE)), axis=rng.integers(0, 2)) + mean
        return pixels.astype(np.float32)

    return SmallStore(
        {
            f"chip{row:02d}": {
                "s2rgbm": {name: image(50 if name.endswith("red") else -3) for name in OPTICAL},
                "gunw": {f"202001{20 + k}_202001{row:02d}": image(0.5) for k in range(1 + row % 4)},
            }
            for row in range(n_chips)
        }
    )


def chips_of(store: SmallStore) -> Chips:
    n = len(store.imagery)
    return Chips(tuple(store.imagery), ("here",) * n, (None,) * n, ("train",) * n)


def stats_of(store: SmallStore, chip_ids: Sequence[str]) -> ChannelStats:
    moments: dict[str, dict[str, RunningMoments]] = {}
    for chip_id in chip_ids:
        for modality in store.modalities:
            for stored in store.channels(chip_id, modality):
                running = moments.setdefault(modality, {}).setdefault(stored.channel.kind, RunningMoments())
                running.add(store.imagery[chip_id][modality][stored.channel.name])
    return ChannelStats({m: {k: r.stats(None) for k, r in kinds.items()} for m, kinds in moments.items()})


def floors_of(store: SmallStore, chips: Chips, train_rows: Sequence[int], *, seed: int = 0) -> Embeddings:
    stats = stats_of(store, [chips.ids[row] for row in train_rows])
    with tempfile.TemporaryDirectory() as folder:
        train_ids = [chips.ids[row] for row in train_rows]
        parts = DiskParts(Path(folder) / "parts", "floors")
        kept = finish(make_floors(store, chips.ids, stats=stats, train_ids=train_ids, seed=seed, parts=parts))
        made = [blocks for _, blocks in kept.groups()]
    return Embeddings(chips, {name: np.concatenate([blocks[name] for blocks in made]) for name in made[0]})


def test_each_modality_has_both_floors_of_every_chip():
    store = small_store()
    made = floors_of(store, chips_of(store), range(12))
    shapes = {name: block.shape for name, block in made.blocks.items()}
    assert shapes == {
        "image_stats:s2rgbm": (24, 4 * 12 + 6),
        "image_stats:gunw": (24, 2 * 12 + 1),
        "random_conv:s2rgbm": (24, 1024),
        "random_conv:gunw": (24, 1024),
    }
    assert all(np.isfinite(block).all() and block.dtype == np.float32 for block in made.blocks.values())


def test_progress_counts_chips_up_to_all_of_them(monkeypatch, tmp_path):
    monkeypatch.setattr(floors, "MAX_BATCH", 10)
    store = small_store()
    chips = chips_of(store)
    stats, parts = stats_of(store, chips.ids), DiskParts(tmp_path / "parts", "floors")
    work = make_floors(store, chips.ids, stats=stats, train_ids=chips.ids[:12], seed=0, parts=parts)
    assert list(work) == [FloorsProgress(10, 24), FloorsProgress(20, 24), FloorsProgress(24, 24)]


def test_image_statistics_are_in_the_channels_own_units_and_named():
    store = small_store()
    made = floors_of(store, chips_of(store), range(12))
    images = np.stack([store.imagery["chip05"]["s2rgbm"][name] for name in OPTICAL])
    np.testing.assert_array_equal(made.blocks["image_stats:s2rgbm"][5], image_stats(images[None])[0])
    layout = make_layout(store, "s2rgbm", ["chip00", "chip01"], stats=stats_of(store, ["chip00"]))
    assert layout is not None and layout.images == OPTICAL


def test_coherence_gives_the_statistics_of_its_mean_and_spread():
    store = small_store()
    made = floors_of(store, chips_of(store), range(12))
    images = np.stack(list(store.imagery["chip07"]["gunw"].values()))
    np.testing.assert_array_equal(made.blocks["image_stats:gunw"][7], image_stats(mean_and_spread(images[None]))[0])


def test_a_chip_without_a_modality_has_rows_of_nan_in_that_modality_alone():
    store = small_store()
    store.imagery["chip03"]["gunw"] = {}
    for name in OPTICAL:
        store.imagery["chip04"]["s2rgbm"][name][:] = np.nan
    made = floors_of(store, chips_of(store), range(12))
    for floor in ("image_stats", "random_conv"):
        assert np.flatnonzero(~made.present(f"{floor}:gunw")).tolist() == [3]
        assert np.flatnonzero(~made.present(f"{floor}:s2rgbm")).tolist() == [4]
        assert np.isnan(made.blocks[f"{floor}:gunw"][3]).all()


def test_an_absent_channel_takes_the_training_mean_of_its_statistics():
    store = small_store()
    # The channels after the lost one move up a slot: only their names tell which they are.
    del store.imagery["chip20"]["s2rgbm"]["2020-01_green"]
    block = floors_of(store, chips_of(store), range(12)).blocks["image_stats:s2rgbm"]
    names = feature_names(OPTICAL)
    lost = np.array(["2020-01_green" in name for name in names])
    np.testing.assert_allclose(block[20, lost], block[:12, lost].mean(axis=0, dtype=np.float64), rtol=1e-6)
    complete = floors_of(small_store(), chips_of(store), range(12)).blocks["image_stats:s2rgbm"]
    np.testing.assert_array_equal(block[20, ~lost], complete[20, ~lost])


def test_nothing_is_learnt_from_chips_outside_training():
    store, changed = small_store(), small_store()
    for chip_id in chips_of(store).ids[12:]:
        for image in changed.imagery[chip_id]["s2rgbm"].values():
            image *= 100
        changed.imagery[chip_id]["s2rgbm"]["2020-03_blue"] = np.ones((SIDE, SIDE), np.float32)
    before, after = (floors_of(each, chips_of(each), range(12)) for each in (store, changed))
    for name in before.blocks:
        np.testing.assert_array_equal(before.blocks[name][:12], after.blocks[name][:12])


def test_the_order_of_the_chips_and_the_size_of_a_batch_change_nothing(monkeypatch):
    store = small_store()
    chips = chips_of(store)
    made = floors_of(store, chips, range(12))
    order = np.random.default_rng(1).permutation(24)
    monkeypatch.setattr(floors, "MAX_BATCH", 24)
    shuffled = floors_of(store, chips.take(order), np.flatnonzero(order < 12).tolist())
    for name in made.blocks:
        np.testing.assert_array_equal(made.blocks[name][order], shuffled.blocks[name])


def test_the_number_of_threads_changes_nothing_and_is_left_as_it_was():
    store = small_store()
    before, made = torch.get_num_threads(), []
    try:
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            made.append(floors_of(store, chips_of(store), range(12)))
            assert torch.get_num_threads() == n_threads
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(torch.get_num_threads).result() == n_threads
    finally:
        torch.set_num_threads(before)
    assert all(made[0].blocks[name].tobytes() == made[1].blocks[name].tobytes() for name in made[0].blocks)


def test_another_seed_draws_other_filters_and_the_same_statistics():
    store = small_store()
    first, second = (floors_of(store, chips_of(store), range(12), seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(first.blocks["image_stats:gunw"], second.blocks["image_stats:gunw"])
    assert not np.array_equal(first.blocks["random_conv:gunw"], second.blocks["random_conv:gunw"])


def test_gaps_look_to_the_filters_as_the_mean_of_their_kind():
    store, filled = small_store(), small_store()
    stats = stats_of(store, chips_of(store).ids[:12])
    for name in OPTICAL:
        store.imagery["chip15"]["s2rgbm"][name][:5] = np.nan
        filled.imagery["chip15"]["s2rgbm"][name][:5] = stats.of("s2rgbm", name.split("_")[1]).mean
    gaps, means = (floors_of(each, chips_of(each), range(12)).blocks["random_conv:s2rgbm"] for each in (store, filled))
    np.testing.assert_allclose(gaps[15], means[15], rtol=1e-4, atol=1e-6)


def test_patches_come_from_the_training_chips_with_the_fewest_gaps(monkeypatch):
    monkeypatch.setattr(floors, "N_FILTERS", 4)
    store = small_store()
    for row in (0, 2, 5, 7, 8, 9, 10, 11):
        store.imagery[f"chip{row:02d}"]["s2rgbm"]["2020-01_red"][0, 0] = np.nan
    chips = chips_of(store)
    layout = make_layout(store, "s2rgbm", chips.ids[:12], stats=stats_of(store, chips.ids))
    assert layout is not None
    store.asked.clear()
    floors.learn_floors(store, layout, chips.ids[:12], stats=stats_of(store, chips.ids), seed=0)
    assert {chip_id for chip_id, _ in store.asked} == {"chip01", "chip03", "chip04", "chip06"}


def test_channels_with_other_names_in_every_chip_vary_whatever_the_modality_is_called():
    store = small_store()
    for row, modalities in enumerate(store.imagery.values()):
        modalities["s2rgbm"] = {f"scene{row}-{k}_red": image for k, image in enumerate(modalities["s2rgbm"].values())}
    ids = chips_of(store).ids
    layout = make_layout(store, "s2rgbm", ids, stats=stats_of(store, ids))
    assert layout is not None and layout.channels == () and layout.images == ("mean", "spread")


def test_a_modality_that_no_training_chip_has_gives_no_floor():
    store = small_store()
    for row in range(12):
        del store.imagery[f"chip{row:02d}"]["gunw"]
    assert set(floors_of(store, chips_of(store), range(12)).blocks) == {"image_stats:s2rgbm", "random_conv:s2rgbm"}


@pytest.mark.parametrize("train_rows", [[0], [0, 1]])
def test_one_or_two_training_chips_are_enough(train_rows):
    store = small_store()
    made = floors_of(store, chips_of(store), train_rows)
    assert all(made.present(name).all() for name in made.blocks)


def test_images_of_chips_without_any_channel_are_nan():
    store = small_store(2)
    layout = make_layout(store, "gunw", chips_of(store).ids, stats=stats_of(store, chips_of(store).ids))
    store.imagery["chip00"]["gunw"] = {}
    assert layout is not None
    images = read_images(store, layout, ["chip00"])
    assert images.shape == (1, 2, SIDE, SIDE) and np.isnan(images).all()
