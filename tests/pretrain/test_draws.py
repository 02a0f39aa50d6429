"""Which channel of which chip a step sees."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fake_chip_store import FakeChipStore, textured_store
from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, KindStats, fill_absent_with_mean, scale
from terrashot.pretrain.augment import N_SYMMETRIES, PatchShow, turn_into, turned
from terrashot.pretrain.dataset import RUN_CHIPS, WINDOW_RUNS, batches, make_draws
from terrashot.pretrain.schedule import learning_rate_share

IDS = tuple(f"chip{number:02d}" for number in range(20))
STATS = ChannelStats({name: {"all": KindStats(1.0, 2.0, 9, "unit")} for name in ("optical", "radar", "pairs")})
CHANNEL = Channel("c", "all", "unit")


@pytest.fixture
def store():
    return textured_store(IDS, {"optical": 3, "radar": 2, "pairs": 4})


def spelled(modality, chip, slot):
    """Pixels that spell out where they come from, so that a mix-up shows."""
    return np.full((4, 4), 100 * ("optical", "radar", "pairs").index(modality) + 10 * chip + slot, np.float32)


def spelling_store(n_chips=5, n_slots=3):
    return FakeChipStore(
        {
            name: {
                f"c{chip}": [(CHANNEL, spelled(name, chip, slot)) for slot in range(n_slots)] for chip in range(n_chips)
            }
            for name in ("optical", "radar", "pairs")
        }
    )


def test_every_chip_is_shown_once_an_epoch_in_an_order_of_its_own(store):
    draws = make_draws(store, STATS, IDS, seed=0)
    first, second = draws.order("epoch 0"), draws.order("epoch 1")
    assert sorted(first) == sorted(second) == sorted(IDS)
    assert first != second


def test_order_and_channels_depend_on_seed_epoch_and_chip_alone(store):
    forward, backward = make_draws(store, STATS, IDS, seed=0), make_draws(store, STATS, IDS[::-1], seed=0)
    assert forward.order("epoch 3") == backward.order("epoch 3")
    assert make_draws(store, STATS, IDS, seed=1).order("epoch 3") != forward.order("epoch 3")
    together = forward.views(IDS[:4], "epoch 3", augment=True)
    alone = backward.views(IDS[2:3], "epoch 3", augment=True)
    for name in store.modalities:
        assert torch.equal(together.pixels[name][2], alone.pixels[name][0])


def test_the_pixels_of_a_row_are_those_of_its_chip_and_modality():
    store = spelling_store()
    stats = ChannelStats({name: {"all": KindStats(0.0, 1.0, 9, "unit")} for name in store.modalities})
    views = make_draws(store, stats, store.chip_ids, seed=0).views(["c3", "c0", "c4"], "epoch 0", augment=True)
    for number, name in enumerate(store.modalities):
        for row, chip in enumerate((3, 0, 4)):
            assert 0 <= float(views.pixels[name][row].mean()) - 100 * number - 10 * chip <= 2


@pytest.mark.parametrize("side_px", [8, 600], ids=["many images a read", "one image a read"])
def test_each_step_reads_one_channel_of_each_modality_of_each_chip(side_px):
    store = textured_store(IDS[:5], {"optical": 3, "radar": 2, "pairs": 4}, side_px=side_px)
    make_draws(store, STATS, IDS[:5], seed=0).views(IDS[:5], "epoch 0", augment=True, patches=PatchShow(16, 8))
    assert sorted((name, chip) for name, chip, _ in store.requests) == sorted(
        (n, c) for n in store.modalities for c in IDS[:5]
    )


def test_over_epochs_each_channel_is_drawn_as_often_as_the_others(store):
    draws = make_draws(store, STATS, IDS, seed=0)
    for epoch in range(60):
        draws.views(IDS, f"epoch {epoch}", augment=False)
    counts = np.bincount([slot for name, _, slot in store.requests if name == "pairs"])
    # 1,200 draws from 4: five standard deviations of a fair draw.
    assert abs(counts - 300).max() < 5 * (1200 * 0.25 * 0.75) ** 0.5


def test_pixels_are_scaled_and_gaps_become_the_mean():
    holed = spelled("optical", 0, 0)
    holed[1, 2] = np.nan
    store = FakeChipStore({"optical": {"c0": [(CHANNEL, holed + 5)]}, "radar": {"c0": [(CHANNEL, holed + 5)]}})
    shown = make_draws(store, STATS, ["c0"], seed=0).views(["c0"], "epoch 0", augment=False).pixels["optical"][0, 0]
    assert shown[1, 2] == 0
    assert shown[0, 0] == (5 - 1.0) / 2.0


def test_a_tower_is_shown_what_scaling_filling_and_turning_one_by_one_give():
    rng = np.random.default_rng(0)
    image = np.where(rng.random((70, 70)) < 0.3, np.nan, rng.normal(size=(70, 70))).astype(np.float32)
    # Numbers without measure, as of a broken file: they would overflow in a tower.
    image[0, :4] = 3e38, -3e38, 1e30, 1e-40
    store = FakeChipStore({name: {f"c{i}": [(CHANNEL, image)] for i in range(40)} for name in ("optical", "radar")})
    shown = make_draws(store, STATS, store.chip_ids, seed=0).views(store.chip_ids, "epoch 0", augment=True)
    plain = fill_absent_with_mean(scale(image, STATS.of("optical", "all")))
    wanted = {turned(plain, symmetry).tobytes() for symmetry in range(N_SYMMETRIES)}
    assert {pixels.numpy().tobytes() for pixels in shown.pixels["radar"]} == wanted


def test_an_absent_modality_is_masked_and_never_read():
    store = spelling_store()
    images = {name: dict(chips) for name, chips in store.images.items()}
    images["pairs"]["c1"] = [None, None, None]
    del images["pairs"]["c2"]
    images["radar"]["c3"] = [(CHANNEL, np.full((4, 4), np.nan, np.float32))]
    views = make_draws(FakeChipStore(images), STATS, store.chip_ids, seed=0).views(
        store.chip_ids, "epoch 0", augment=True
    )
    assert views.present["pairs"].tolist() == [True, False, False, True, True]
    assert views.present["radar"].tolist() == [True, True, True, False, True]
    assert (views.pixels["pairs"][1:3] == 0).all() and (views.pixels["radar"][3] == 0).all()


def test_a_derived_channel_without_a_valid_pixel_counts_as_absent():
    @dataclasses.dataclass(frozen=True)
    class Hopeful(FakeChipStore):
        """Says that a channel has pixels before their difference is taken, as a store may."""

        def channels(self, chip_id, modality):
            return tuple(
                dataclasses.replace(stored, valid_fraction=0.5) for stored in super().channels(chip_id, modality)
            )

    empty = [(CHANNEL, np.full((4, 4), np.nan, np.float32))]
    store = Hopeful({**spelling_store(2).images, "radar": {"c0": empty, "c1": empty}})
    views = make_draws(store, STATS, store.chip_ids, seed=0).views(["c0", "c1"], "epoch 0", augment=False)
    assert not views.present["radar"].any() and views.present["optical"].all()


def test_a_chip_with_one_modality_is_left_out_and_counted():
    images = {name: dict(chips) for name, chips in spelling_store().images.items()}
    del images["radar"]["c2"], images["pairs"]["c2"], images["pairs"]["c3"]
    draws = make_draws(FakeChipStore(images), STATS, ["c0", "c1", "c2", "c3", "c4"], seed=0)
    assert draws.chip_ids == ("c0", "c1", "c3", "c4") and draws.n_skipped == 1


def test_draws_say_which_modalities_a_chip_has():
    images = {name: dict(chips) for name, chips in spelling_store().images.items()}
    del images["radar"]["c2"]
    images["pairs"]["c3"] = [(CHANNEL, np.full((4, 4), np.nan, np.float32))]
    draws = make_draws(FakeChipStore(images), STATS, ["c1", "c2", "c3"], seed=0)
    has = [[draws.has(chip_id, name) for name in draws.modalities] for chip_id in draws.chip_ids]
    assert has == [[True, True, True], [True, False, True], [True, True, False]]


def test_contents_are_those_of_the_same_channels_of_the_same_chips_in_any_order(store):
    contents = make_draws(store, STATS, IDS, seed=0).contents()
    assert json.loads(json.dumps(contents)) == contents
    assert (
        make_draws(
            textured_store(IDS, {"optical": 3, "radar": 2, "pairs": 4}, seed=9), STATS, IDS[::-1], seed=5
        ).contents()
        == contents
    )
    other = {name: dict(chips) for name, chips in store.images.items()}
    other["radar"]["chip03"] = [(Channel("another name", "all", "unit"), store.images["radar"]["chip03"][0][1])]
    others = [
        make_draws(store, STATS, IDS[:-1], seed=0),
        make_draws(textured_store(IDS, {"optical": 3, "radar": 2, "pairs": 5}), STATS, IDS, seed=0),
        make_draws(FakeChipStore(other), STATS, IDS, seed=0),
    ]
    assert len({str(contents), *(str(draws.contents()) for draws in others)}) == 4


def test_a_chip_that_is_left_out_counts_among_the_contents(store):
    images = {name: dict(chips) for name, chips in store.images.items()}
    del images["radar"]["chip03"], images["pairs"]["chip03"]
    without = make_draws(FakeChipStore(images), STATS, IDS, seed=0)
    del images["optical"]["chip03"]
    assert without.n_skipped == 1
    assert without.contents() != make_draws(FakeChipStore(images), STATS, IDS, seed=0).contents()


def test_chips_with_the_same_channels_share_one_list_of_them(store):
    draws = make_draws(store, STATS, IDS, seed=0)
    assert len({id(slots) for slots in draws.slots.values()}) == 1


def many_chips(count):
    """Chips of one pixel, whose ids sort as they lie in the store."""
    image = [(CHANNEL, np.zeros((1, 1), np.float32))]
    return FakeChipStore({name: {f"c{i:05d}": image for i in range(count)} for name in ("optical", "radar")})


def test_a_shuffle_of_shards_shows_every_chip_once_in_an_order_of_the_epoch_and_the_seed():
    store = many_chips(1500)
    forward, backward = (make_draws(store, STATS, store.chip_ids[::step], seed=0) for step in (1, -1))
    first = forward.order("epoch 0", "shards")
    assert sorted(first) == list(store.chip_ids)
    assert backward.order("epoch 0", "shards") == first
    assert (
        forward.order("epoch 1", "shards")
        != first
        != make_draws(store, STATS, store.chip_ids, seed=1).order("epoch 0", "shards")
    )


def test_a_shuffle_of_shards_reads_from_a_few_runs_at_a_time_and_mixes_them():
    n_runs = 4 * WINDOW_RUNS
    store = many_chips(n_runs * RUN_CHIPS)
    order = make_draws(store, STATS, store.chip_ids, seed=0).order("epoch 0", "shards")
    runs = np.array([int(chip_id[1:]) // RUN_CHIPS for chip_id in order]).reshape(4, -1)
    windows = [set(window.tolist()) for window in runs]
    assert [len(window) for window in windows] == [WINDOW_RUNS] * 4 and set.union(*windows) == set(range(n_runs))
    assert all(len(set(window[:RUN_CHIPS].tolist())) == WINDOW_RUNS for window in runs)
    assert any(window != set(range(min(window), min(window) + WINDOW_RUNS)) for window in windows)


def test_all_modalities_of_a_chip_are_turned_alike():
    corner = np.zeros((4, 4), np.float32)
    corner[0, 1] = 1.0
    store = FakeChipStore({name: {f"c{i}": [(CHANNEL, corner)] for i in range(40)} for name in ("optical", "radar")})
    views = make_draws(store, STATS, store.chip_ids, seed=0).views(store.chip_ids, "epoch 0", augment=True)
    assert torch.equal(views.pixels["optical"], views.pixels["radar"])
    assert len({image.numpy().tobytes() for image in views.pixels["optical"]}) == N_SYMMETRIES
    still = make_draws(store, STATS, store.chip_ids, seed=0).views(store.chip_ids, "epoch 0", augment=False)
    assert len({image.numpy().tobytes() for image in still.pixels["optical"]}) == 1


def test_the_eight_symmetries_are_different_and_lose_no_pixel():
    image = np.arange(9, dtype=np.float32).reshape(3, 3)
    results = [turned(image, symmetry) for symmetry in range(N_SYMMETRIES)]
    assert len({result.tobytes() for result in results}) == 8
    assert all((np.sort(result, axis=None) == np.arange(9)).all() for result in results)
    assert (results[0] == image).all()


@given(st.integers(1, 150), st.integers(0, N_SYMMETRIES - 1))
def test_turning_into_an_array_gives_the_turned_image(side_px, symmetry):
    image = np.arange(side_px**2, dtype=np.float32).reshape(side_px, side_px)
    target = np.empty_like(image)
    turn_into(target, image, symmetry)
    flipped = image[:, ::-1] if symmetry >= 4 else image
    assert (target == np.rot90(flipped, symmetry % 4)).all()


def test_patches_follow_the_published_numbers_of_splitmix64():
    # Its first five numbers for the seed 1234567 are 6457827717110365317, 3203168211198807973, 9817491932198370423,
    # 4593380528125082431 and 16408922859458223821: the second is the smallest, then the fourth.
    seed = np.array([1234567], dtype=np.uint64)
    assert [PatchShow(5, shown).kept(seed).tolist() for shown in (1, 2, 3)] == [[[1]], [[1, 3]], [[0, 1, 3]]]


@given(st.integers(1, 60), st.data())
def test_so_many_different_patches_are_kept_as_are_shown_in_ascending_order(total, data):
    shown = data.draw(st.integers(1, total))
    numbers = np.array(data.draw(st.lists(st.integers(0, 2**64 - 1), max_size=4)), dtype=np.uint64)
    kept = PatchShow(total, shown).kept(numbers)
    assert kept.shape == (len(numbers), shown)
    assert (np.diff(kept, axis=1) > 0).all() and ((kept >= 0) & (kept < total)).all()


def test_each_patch_is_shown_as_often_as_any_other(store):
    draws, counts = make_draws(store, STATS, IDS, seed=0), np.zeros(16)
    for epoch in range(300):
        kept = draws.views(IDS[:4], f"epoch {epoch}", augment=False, patches=PatchShow(16, 4)).kept["optical"]
        counts += np.bincount(kept.flatten(), minlength=16)
    # 1,200 draws of 4 patches out of 16: five standard deviations of a fair draw.
    assert abs(counts - 300).max() < 5 * (1200 * 0.25 * 0.75) ** 0.5


def test_the_patches_of_a_chip_depend_on_seed_draw_and_chip_alone(store):
    draws, show = make_draws(store, STATS, IDS, seed=0), PatchShow(64, 32)
    together = draws.views(IDS, "epoch 3", augment=True, patches=show).kept["optical"]
    alone = (
        make_draws(store, STATS, IDS[5:7], seed=0)
        .views(IDS[5:7], "epoch 3", augment=False, patches=show)
        .kept["optical"]
    )
    assert torch.equal(together[5:7], alone)
    others = [
        draws.views(IDS[:1], "epoch 4", augment=True, patches=show).kept["optical"],
        make_draws(store, STATS, IDS, seed=1).views(IDS[:1], "epoch 3", augment=True, patches=show).kept["optical"],
        together[1:2],
    ]
    assert not any(torch.equal(together[:1], other) for other in others)
    assert all(
        torch.equal(kept, together) for kept in draws.views(IDS, "epoch 3", augment=True, patches=show).kept.values()
    )
    assert draws.views(IDS, "epoch 3", augment=True).kept is None


@pytest.mark.parametrize("patches", [None, PatchShow(16, 4)])
def test_pieces_of_a_batch_put_together_are_the_batch(store, patches):
    views = make_draws(store, STATS, IDS, seed=0).views(IDS[:5], "epoch 0", augment=True, patches=patches)
    pieces = [views.rows(start, start + 2) for start in (0, 2, 4)]
    assert [piece.chip_ids for piece in pieces] == [IDS[0:2], IDS[2:4], IDS[4:5]]
    for name in store.modalities:
        assert torch.equal(torch.cat([piece.pixels[name] for piece in pieces]), views.pixels[name])
        assert torch.equal(torch.cat([piece.present[name] for piece in pieces]), views.present[name])
    if patches is None:
        assert all(piece.kept is None for piece in pieces)
    else:
        assert all(
            torch.equal(torch.cat([piece.kept[name] for piece in pieces]), kept) for name, kept in views.kept.items()
        )


@pytest.mark.parametrize("n_chips", [0, 3])
def test_padding_adds_rows_without_a_modality(store, n_chips):
    draws = make_draws(store, STATS, IDS, seed=0)
    views = draws.views(IDS[:n_chips], "epoch 0", augment=True, patches=PatchShow(16, 4))
    padded = views.padded(5)
    assert padded.chip_ids == IDS[:n_chips]
    for name in store.modalities:
        assert torch.equal(padded.pixels[name][:n_chips], views.pixels[name])
        assert padded.pixels[name].shape[0] == 5 and (padded.pixels[name][n_chips:] == 0).all()
        assert padded.present[name].tolist() == [True] * n_chips + [False] * (5 - n_chips)
    assert padded.kept["optical"][n_chips:].tolist() == [[0, 1, 2, 3]] * (5 - n_chips)
    assert draws.views(IDS[:n_chips], "epoch 0", augment=True).padded(5).kept is None
    assert padded.rows(4, 5).chip_ids == () and padded.padded(5) is padded


@pytest.mark.parametrize(
    "n, size, lengths", [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (8, 4, [4, 4]), (3, 64, [3]), (1, 4, [1])]
)
def test_batches_hold_every_chip_and_none_holds_a_chip_alone(n, size, lengths):
    cut = list(batches(IDS[:n], size))
    assert [len(part) for part in cut] == lengths
    assert [chip for part in cut for chip in part] == list(IDS[:n])


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing():
    shares = [learning_rate_share(step, 100, 10) for step in range(100)]
    assert shares[0] == 0.1 and shares[9] == shares[10] == 1.0 and shares[-1] < 0.001
    assert shares[:10] == sorted(shares[:10]) and shares[10:] == sorted(shares[10:], reverse=True)
    assert learning_rate_share(0, 5, 0) == 1.0
