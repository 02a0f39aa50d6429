"""Vectors of chips: which channels go in, what absence does, what order and batching do not do."""

import dataclasses

import numpy as np
import pytest
import torch

from fake_chip_store import FakeChipStore, textured_store
from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, KindStats, fill_absent_with_mean, scale
from terrashot.domain.tables import Chips, Embeddings
from terrashot.embed import embed as embed_module
from terrashot.embed.channels import plan_blocks
from terrashot.embed.embed import EmbedJob, embed_chips, shared_modalities, shown_modalities
from terrashot.embed.scaling import statistics_for
from terrashot.errors import InputError, IntegrityError
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.steps.progress import finish

MODALITIES = ("optical", "radar")
MOMENTS = KindStats(0.5, 1.5, 9, "unit")
STATS = ChannelStats({name: {"all": MOMENTS} for name in MODALITIES})
CONFIG = TowersConfig(MODALITIES, VitConfig(width=16, depth=2, heads=2, patch_px=4, chip_px=8), embedding=12)
TOWERS = make_towers(CONFIG, 0)
IDS = tuple(f"chip{number:02d}" for number in range(15))
NOTHING = np.full((8, 8), np.nan, np.float32)
CHANNEL = Channel("c", "all", "unit")


def chips_of(ids):
    return Chips(tuple(ids), ("a",) * len(ids), (None,) * len(ids), (None,) * len(ids))


def job_of(store, *, channels="mean", seed=0, towers=TOWERS, stats=STATS, **more):
    modalities = shared_modalities(towers, store)
    plans = plan_blocks(store, modalities, channels, train_ids=store.chip_ids, stats=stats)
    return EmbedJob(towers, stats, store, plans, seed, **more)


def embedded(store, ids=IDS, **asked):
    """One vector a chip and modality, of policies that make no parts."""
    raw = finish(embed_chips(job_of(store, **asked), ids))
    blocks = {name: parts[:, 0] for name, parts in raw.parts.items()}
    return Embeddings(chips_of(ids), blocks, raw.n_channels, valid_fraction=raw.valid_fraction)


@pytest.fixture
def store():
    return textured_store(IDS, {"optical": 3, "radar": 2})


def one_by_one(store, chip_id, modality):
    """The mean of the vectors of each channel, from the definition."""
    vectors = []
    for _, pixels in store.images[modality][chip_id]:
        shown = torch.from_numpy(fill_absent_with_mean(scale(pixels, MOMENTS)))
        vectors.append(TOWERS.embed(shown[None, None], modality)[0].detach().numpy())
    mean = np.mean(vectors, axis=0)
    return mean / np.linalg.norm(mean)


def test_a_vector_is_the_mean_over_the_channels_made_unit_length(store):
    table = embedded(store)
    for name in MODALITIES:
        for row, chip_id in enumerate(IDS):
            np.testing.assert_allclose(table.blocks[name][row], one_by_one(store, chip_id, name), atol=1e-5)
    assert (table.n_channels["optical"] == 3).all() and (table.n_channels["radar"] == 2).all()
    assert table.blocks["optical"].dtype == np.float32 and table.blocks["optical"].shape == (15, 12)


def test_an_absent_modality_is_nan_and_absent_channels_do_not_count(store):
    images = {name: dict(found) for name, found in store.images.items()}
    images["optical"]["chip03"] = [None, images["optical"]["chip03"][1], (CHANNEL, NOTHING)]
    images["optical"]["chip04"] = [None, (CHANNEL, NOTHING)]
    del images["radar"]["chip05"]
    table = embedded(FakeChipStore(images))
    assert table.n_channels["optical"][[2, 3, 4]].tolist() == [3, 1, 0]
    assert np.isnan(table.blocks["optical"][4]).all() and np.isnan(table.blocks["radar"][5]).all()
    assert np.isfinite(table.blocks["optical"][3]).all()
    assert table.present("radar").sum() == 14


def test_a_modality_of_which_no_chip_has_a_pixel_is_not_embedded_and_none_at_all_is_refused(store):
    blind = {chip_id: [(CHANNEL, NOTHING)] for chip_id in IDS}
    shown = FakeChipStore({**store.images, "radar": blind})
    assert shown_modalities(shown, MODALITIES, IDS) == ["optical"]
    with pytest.raises(InputError, match=r"no chip has a valid pixel of optical, radar; presence\.parquet tells why"):
        shown_modalities(FakeChipStore({"optical": blind, "radar": {}}), MODALITIES, IDS)


def test_the_valid_share_of_a_chip_is_the_mean_over_the_channels_that_went_in(store):
    images = {name: dict(found) for name, found in store.images.items()}
    half = images["optical"]["chip03"][1][1].copy()
    half[:4] = np.nan
    images["optical"]["chip03"] = [images["optical"]["chip03"][0], (CHANNEL, half), (CHANNEL, NOTHING)]
    images["optical"]["chip04"] = [(CHANNEL, NOTHING)]
    found = embedded(FakeChipStore(images)).valid_fraction["optical"]
    assert found[[2, 3]].tolist() == [1, 0.75] and np.isnan(found[4])


def test_a_channel_that_turns_out_empty_when_read_does_not_count(store):
    @dataclasses.dataclass(frozen=True)
    class Hopeful(FakeChipStore):
        """Says that a channel has pixels before their difference is taken, as a store may."""

        def channels(self, chip_id, modality):
            return tuple(
                dataclasses.replace(stored, valid_fraction=0.5) for stored in super().channels(chip_id, modality)
            )

    images = {name: dict(found) for name, found in store.images.items()}
    images["optical"]["chip03"] = [images["optical"]["chip03"][0], (CHANNEL, NOTHING)]
    images["optical"]["chip04"] = [(CHANNEL, NOTHING)]
    table = embedded(Hopeful(images))
    assert table.n_channels["optical"][3:5].tolist() == [1, 0]
    np.testing.assert_allclose(table.blocks["optical"][3], one_by_one(FakeChipStore({**images, "optical": {"chip03": images["optical"]["chip03"][:1]}}), "chip03", "optical"), atol=1e-5)  # fmt: skip
    assert np.isnan(table.blocks["optical"][4]).all()


def test_the_order_of_the_chips_changes_no_byte(store):
    forward, backward = embedded(store), embedded(store, IDS[::-1])
    for name in MODALITIES:
        assert forward.blocks[name].tobytes() == backward.blocks[name][::-1].tobytes()
    # Which images share a matrix product is what could change the last bits.
    half = len(store.requests) // 2
    assert store.requests[:half] == store.requests[half:]


@pytest.mark.parametrize("pixels_at_once", [1, 7 * 64, 1 << 20])
def test_batching_changes_less_than_the_stated_tolerance(store, monkeypatch, pixels_at_once):
    whole = embedded(store)
    monkeypatch.setattr(embed_module, "PIXELS_AT_ONCE", pixels_at_once)
    for name, block in embedded(store).blocks.items():
        np.testing.assert_allclose(block, whole.blocks[name], atol=1e-5)


def test_other_chips_beside_a_chip_change_less_than_the_stated_tolerance(store):
    whole, alone = embedded(store), embedded(store, IDS[6:7])
    np.testing.assert_allclose(alone.blocks["radar"][0], whole.blocks["radar"][6], atol=1e-5)


def test_a_random_channel_is_one_of_the_chip_s_own_by_seed_and_id_alone(store):
    table, again = embedded(store, channels="random"), embedded(store, IDS[::-1], channels="random")
    assert (table.n_channels["optical"] == 1).all()
    assert table.blocks["optical"].tobytes() == again.blocks["optical"][::-1].tobytes()
    assert not np.allclose(table.blocks["optical"], embedded(store, channels="random", seed=1).blocks["optical"])
    slots = [slot for name, _, slot in store.requests[: 2 * len(IDS)] if name == "optical"]
    assert set(slots) == {0, 1, 2}


def test_a_model_of_more_modalities_embeds_those_that_are_there(store):
    table = embedded(FakeChipStore({"radar": store.images["radar"]}))
    assert set(table.blocks) == {"radar"}


def test_chips_of_modalities_that_the_model_does_not_know_are_refused(store):
    with pytest.raises(IntegrityError, match="the model knows optical, radar, the chips have lidar"):
        embedded(FakeChipStore({"lidar": store.images["radar"]}))


def test_a_kind_without_statistics_is_named(store):
    nir = Channel("b8", "nir", "unit")
    images = {**store.images, "optical": {"chip00": [(nir, np.zeros((8, 8), np.float32))]}}
    with pytest.raises(IntegrityError, match="chip chip00, optical: the model has no statistics for channel 'nir'"):
        embedded(FakeChipStore(images))


def test_progress_ends_at_the_number_of_images(store):
    events = list(embed_chips(job_of(store), IDS))
    assert [(event.modality, event.done, event.total) for event in events] == [("optical", 45, 45), ("radar", 30, 30)]


def test_chips_of_another_size_than_the_model_s_are_embedded():
    table = embedded(textured_store(IDS[:3], {"optical": 1, "radar": 1}, side_px=16), IDS[:3])
    assert np.isfinite(table.blocks["optical"]).all()


def moments(unit, mean=0.0):
    return KindStats(mean, 1.0, 10, unit)


def of(**kinds):
    return ChannelStats({"optical": kinds})


def test_the_model_s_statistics_serve_chips_in_its_units():
    model, own = of(red=moments("reflectance", 1.0)), of(red=moments("reflectance", 2.0))
    assert statistics_for(model, own, "model") == (model, ())
    chosen, notes = statistics_for(model, own, "chips")
    assert chosen == own and len(notes) == 1


@pytest.mark.parametrize("kind", ["red", "c1"])
def test_another_unit_is_refused_with_the_fix(kind):
    model, own = of(red=moments("reflectance")), of(**{kind: moments("dB")})
    with pytest.raises(IntegrityError, match=r"in dB, the model was trained on reflectance.*--statistics chips"):
        statistics_for(model, own, "model")
    assert statistics_for(model, own, "chips")[0] == own


@pytest.mark.parametrize(
    "model, own",
    [
        (of(red=moments("reflectance")), of(red=moments(None, 5.0))),
        (of(red=moments("reflectance")), of(red=moments("dn", 5.0))),
        (of(red=moments("spreads")), of(red=moments("reflectance", 5.0))),
        (of(red=moments(None)), of(red=moments("reflectance", 5.0))),
        (of(red=moments("reflectance")), of(c1=moments(None, 5.0))),
        (of(red=moments("reflectance")), of(nir=moments("reflectance", 5.0))),
    ],
)
def test_where_no_common_unit_is_stated_the_chips_own_statistics_serve_and_that_is_said(model, own):
    chosen, notes = statistics_for(model, own, "model")
    assert chosen == own
    assert len(notes) == 1 and "own means and spreads" in notes[0]


def test_statistics_of_a_modality_without_a_tower_are_left_out():
    own = ChannelStats({"optical": {"red": moments("reflectance")}, "lidar": {"height": moments("m")}})
    chosen, notes = statistics_for(of(red=moments("reflectance")), own, "model")
    assert set(chosen.kinds) == {"optical"} and notes == ()
