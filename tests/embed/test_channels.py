"""Which channels go into a vector, by policy, and what stands in for those that a chip lacks."""

import numpy as np
import pytest
import torch
from test_embed import CONFIG, IDS, MOMENTS, TOWERS, chips_of, job_of

from fake_chip_store import FakeChipStore
from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, fill_absent_with_mean, scale
from terrashot.durable.parts import DiskParts
from terrashot.embed import stand_in
from terrashot.embed.channels import plan_blocks
from terrashot.embed.embed import embed_chips
from terrashot.embed.in_parts import embed_in_parts
from terrashot.embed.stand_in import possible_strategy, with_stand_ins
from terrashot.errors import InputError, UsageError
from terrashot.steps.progress import finish

STATS = ChannelStats({"optical": {"red": MOMENTS, "blue": MOMENTS}, "gunw": {"coherence": MOMENTS}})
TWO = TOWERS.__class__(CONFIG.__class__(("optical", "gunw"), CONFIG.vit, CONFIG.embedding))
DATES = ("1_red", "1_blue", "2_red", "2_blue")


@pytest.fixture(autouse=True, scope="module")
def weights():
    """The towers of two modalities, with weights of their own."""
    for parameter in TWO.parameters():
        torch.nn.init.normal_(parameter, 0, 0.2, generator=torch.Generator().manual_seed(parameter.numel()))


TRAIN = np.arange(len(IDS)) < 10


def store_of(*, without=()):
    """Two dates of red and blue, and pairs that are others in every chip; `without` names (chip, channel) that are absent."""
    rng = np.random.default_rng(0)

    def image(name, kind):
        return Channel(name, kind, "unit"), rng.normal(size=(8, 8)).astype(np.float32)

    optical, gunw = {}, {}
    for number, chip_id in enumerate(IDS):
        slots = [image(name, name.split("_")[1]) for name in DATES]
        optical[chip_id] = [None if (chip_id, slot[0].name) in without else slot for slot in slots]
        gunw[chip_id] = [image(f"pair{number}_{k}", "coherence") for k in range(2)]
    return FakeChipStore({"optical": optical, "gunw": gunw})


def embedded(store, channels):
    return finish(embed_chips(job_of(store, channels=channels, towers=TWO, stats=STATS), IDS))


def vector(store, modality, chip_id, names):
    """The unit mean of the vectors of the named channels, from the definition."""
    shown = [
        torch.from_numpy(fill_absent_with_mean(scale(pixels, MOMENTS)))
        for channel, pixels in store.images[modality][chip_id] if channel.name in names
    ]  # fmt: skip
    mean = np.mean([TWO.embed(one[None, None], modality)[0].detach().numpy() for one in shown], axis=0)
    return mean / np.linalg.norm(mean)


def plans(channels, store=None):
    return plan_blocks(store or store_of(), ("optical", "gunw"), channels, train_ids=IDS, stats=STATS)


def test_each_makes_a_part_for_each_kind_and_averages_its_dates():
    store = store_of()
    raw = embedded(store, "each")
    assert [plan.kinds for plan in plans("each")] == [("red", "blue"), ("coherence",)]
    for row, chip_id in enumerate(IDS):
        for part, kind in enumerate(("red", "blue")):
            wanted = vector(store, "optical", chip_id, [name for name in DATES if name.endswith(kind)])
            np.testing.assert_allclose(raw.parts["optical"][row, part], wanted, atol=1e-5)
    assert raw.n_channels["optical"].tolist() == [4] * len(IDS)


def test_each_date_makes_a_part_for_each_channel_and_leaves_varying_pairs_together():
    store = store_of()
    raw = embedded(store, "each-date")
    assert [plan.kinds for plan in plans("each-date")] == [DATES, ("coherence",)]
    for part, name in enumerate(DATES):
        np.testing.assert_allclose(raw.parts["optical"][3, part], vector(store, "optical", IDS[3], [name]), atol=1e-5)
    assert raw.parts["gunw"].shape == (len(IDS), 1, 12)


@pytest.mark.parametrize("names", [("blue",), ("1_blue", "2_blue")])
def test_a_subset_named_by_kind_or_by_channel_is_averaged_and_other_modalities_are_left_out(names):
    store = store_of()
    raw = embedded(store, names)
    assert list(raw.parts) == ["optical"]
    np.testing.assert_allclose(
        raw.parts["optical"][2, 0], vector(store, "optical", IDS[2], ("1_blue", "2_blue")), atol=1e-5
    )


def test_a_name_that_no_channel_has_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError, match="--channels nir: no channel of this name or kind; there are 1_blue, 1_red"):
        plans(("red", "nir"))


def test_an_absent_date_moves_the_part_of_its_kind_and_no_other():
    store = store_of(without={(IDS[0], "2_red")})
    raw = embedded(store, "each")
    assert raw.n_channels["optical"][0] == 3
    assert np.isfinite(raw.parts["optical"][0]).all(), "one date of each kind is left"
    both = embedded(store_of(), "each")
    np.testing.assert_array_equal(raw.parts["optical"][0, 1], both.parts["optical"][0, 1])
    assert np.abs(raw.parts["optical"][0, 0] - both.parts["optical"][0, 0]).max() > 1e-3


def table(store, tmp_path, strategy, channels="each"):
    job = job_of(store, channels=channels, towers=TWO, stats=STATS)
    kept = finish(embed_in_parts(job, IDS, DiskParts(tmp_path / strategy, "x"), name="x", dtype="float32"))
    return next(with_stand_ins(kept.groups, job.plans, chips_of(IDS), TRAIN, strategy)), kept


@pytest.mark.parametrize("strategy", ["training-mean", "ridge"])
def test_an_absent_kind_is_never_nan_and_never_zero_and_is_told(tmp_path, strategy):
    gone = {(IDS[12], "1_blue"), (IDS[12], "2_blue")}
    made, kept = table(store_of(without=gone), tmp_path, strategy)
    (_, raw), *_ = kept.groups()
    blue = made.parts("optical")[12, 1]
    assert np.isnan(raw.parts["optical"][12, 1]).all() and np.isfinite(blue).all() and np.abs(blue).max() > 0
    assert made.absent["optical"][12].tolist() == [False, True] and made.absent["optical"].sum() == 1
    there = np.ones(len(IDS), bool)
    there[12] = False
    np.testing.assert_array_equal(made.parts("optical")[there], raw.parts["optical"][there])
    if strategy == "training-mean":
        np.testing.assert_allclose(blue, raw.parts["optical"][:10, 1].mean(axis=0), atol=1e-6)


def test_a_modality_that_is_absent_stays_absent_beside_one_whose_parts_are_filled(tmp_path):
    gone = {(IDS[12], "1_blue"), (IDS[12], "2_blue"), *((IDS[13], name) for name in DATES)}
    made, _ = table(store_of(without=gone), tmp_path, "training-mean")
    assert made.present("optical").tolist() == [row != 13 for row in range(len(IDS))]
    assert made.present("gunw").all()


def test_without_a_training_chip_that_shows_the_kind_it_is_said_what_to_do(tmp_path):
    gone = {(chip_id, name) for chip_id in IDS[:10] for name in ("1_blue", "2_blue")}
    with pytest.raises(InputError, match="no training chip has some of the parts"):
        table(store_of(without=gone), tmp_path, "training-mean", channels="each")


def test_nothing_is_learnt_or_changed_where_nothing_is_absent(tmp_path):
    made, kept = table(store_of(), tmp_path, "ridge")
    (_, raw), *_ = kept.groups()
    np.testing.assert_array_equal(made.parts("optical"), raw.parts["optical"])
    assert not made.absent["optical"].any()


@pytest.mark.parametrize("channels", ["mean", "each", "random"])
def test_the_number_of_workers_changes_no_byte(channels):
    store, found = store_of(), []
    for workers in (1, 2, 4):
        job = job_of(store, channels=channels, towers=TWO, stats=STATS, workers=workers)
        raw = finish(embed_chips(job, IDS))
        found.append({name: parts.tobytes() for name, parts in raw.parts.items()})
    assert found[0] == found[1] == found[2]


def kept_of(store, tmp_path):
    job = job_of(store, channels="each", towers=TWO, stats=STATS)
    return finish(embed_in_parts(job, IDS, DiskParts(tmp_path / "p", "x"), name="x", dtype="float32"))


def test_where_no_ridge_is_possible_the_training_mean_is_named_and_the_reason_said(tmp_path):
    gone = {(chip_id, name) for chip_id in IDS[:9] for name in ("1_blue", "2_blue")}
    kept = kept_of(store_of(without=gone), tmp_path)
    assert possible_strategy(kept.groups, TRAIN, "ridge") == (
        "training-mean", "only 1 training chips lack nothing; the training mean stands in, not a ridge",
    )  # fmt: skip
    assert possible_strategy(kept.groups, np.ones(len(IDS), bool), "ridge") == ("ridge", None)
    assert possible_strategy(kept.groups, TRAIN, "training-mean") == ("training-mean", None)


def test_vectors_too_long_for_a_ridge_get_the_mean(tmp_path, monkeypatch):
    kept = kept_of(store_of(), tmp_path)
    monkeypatch.setattr(stand_in, "LONGEST", 35)
    strategy, note = possible_strategy(kept.groups, np.ones(len(IDS), bool), "ridge")
    assert strategy == "training-mean" and "vectors of 36 numbers are too long for a ridge" in note
