"""Differences beside the channels of a store, beside plain loops over a store in memory, and on the simulated Earth."""

import pickle
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_chip_store import FakeChipStore
from terrashot.domain.grid import Grid
from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, KindStats, scale
from terrashot.ingest.harvest import harvest
from terrashot.ingest.world.sources import World, simulated_sources
from terrashot.store.chips import ChipStore, open_chip_store
from terrashot.store.differences import FIRST_SLOT, differences_of, with_differences, with_every_difference
from terrashot.store.statistics import measure_channels, measure_differences

SIDE = 16
IDS = [Grid(32632, SIDE * 10.0).chip(450_000 // SIDE, 50_000 // SIDE + number).id for number in range(6)]
KINDS = ("nir", "red", "swir", "green", "blue", "edge")


@pytest.fixture(scope="module")
def earth(tmp_path_factory):
    """Three months of each kind of channel, VV - VH derived by the store, and date pairs."""
    found = tmp_path_factory.mktemp("differences")
    for _ in harvest(simulated_sources(World(0, SIDE), 10.0), IDS, found, workers=1):
        pass
    return open_chip_store(found)


@pytest.fixture(scope="module")
def measured(earth):
    return measure_differences(earth, measure_channels(earth, IDS, 0), IDS, 0)


def plain(*channels):
    return [(slot, Channel(*own)) for slot, own in enumerate(channels)]


def kinds_of(channels):
    return [one.channel.kind for one in differences_of(channels)]


def names_of(channels):
    return [one.channel.name for one in differences_of(channels)]


def with_gaps(rng, kinds=KINDS[:3]):
    """One chip of one look, a fifth of its pixels absent."""
    images = rng.normal(5, 3, (len(kinds), 4, 4)).astype(np.float32)
    images[rng.random(images.shape) < 0.2] = np.nan
    found = [(Channel(kind, kind, "dn"), image) for kind, image in zip(kinds, images, strict=True)]
    return FakeChipStore({"s2rgbm": {"a": found}})


def test_each_two_kinds_of_a_look_are_subtracted_the_first_in_the_alphabet_from():
    look = plain(("swir", "swir"), ("nir", "nir"), ("green", "green"))
    assert names_of(look) == ["nir~swir", "green~swir", "green~nir"] == kinds_of(look)


def test_of_more_than_four_kinds_neighbours_alone():
    assert len(kinds_of(plain(*((kind, kind) for kind in KINDS[:4])))) == 6
    assert kinds_of(plain(*((kind, kind) for kind in KINDS))) == [
        "nir~red", "red~swir", "green~swir", "blue~green", "blue~edge",
    ]  # fmt: skip


@given(st.permutations(list(range(4))))
def test_the_order_in_which_channels_are_listed_changes_nothing(order):
    channels = plain(("b_nir", "nir"), ("b_red", "red"), ("a_nir", "nir"), ("a_red", "red"))
    assert differences_of([channels[place] for place in order]) == differences_of(channels)


@given(st.permutations(KINDS[:4]))
def test_a_store_that_orders_its_channels_otherwise_has_the_same_differences(kinds):
    assert set(kinds_of(plain(*((kind, kind) for kind in kinds)))) == {
        "~".join(sorted(pair)) for pair in combinations(KINDS[:4], 2)
    }


def test_without_dates_the_nth_of_each_kind_are_one_look_and_changes_lead_from_look_to_look():
    channels = plain(("b_nir", "nir"), ("b_red", "red"), ("a_nir", "nir"), ("a_red", "red"))
    assert names_of(channels) == ["b_nir~b_red", "a_nir~a_red", "a_nir~b_nir", "a_red~b_red"]
    assert kinds_of(channels) == ["nir~red", "nir~red", "nir~before", "red~before"]


def test_looks_are_told_by_date_whatever_the_slots():
    later, earlier = "2021-02-01", "2021-01-01"
    channels = plain(
        ("2_vv", "vv", "dB", later), ("1_vh", "vh", "dB", earlier), ("2_vh", "vh", "dB", later), ("1_vv", "vv", "dB", earlier)
    )  # fmt: skip
    found = {one.channel.name: one.channel for one in differences_of(channels)}
    assert list(found) == ["1_vh~1_vv", "2_vh~2_vv", "2_vh~1_vh", "2_vv~1_vv"]
    assert found["1_vh~1_vv"].first_date == earlier and found["1_vh~1_vv"].second_date is None
    assert (found["2_vv~1_vv"].first_date, found["2_vv~1_vv"].second_date) == (earlier, later)
    assert {channel.unit for channel in found.values()} == {"spreads"}


def test_a_kind_that_a_look_lacks_leaves_the_other_differences():
    dated = [(f"{day}_{kind}", kind, None, day) for day in ("1", "2") for kind in ("nir", "red")]
    assert names_of(plain(*dated[:3])) == ["1_nir~1_red", "2_nir~1_nir"]


def test_nothing_is_taken_of_date_pairs_nor_changes_of_more_than_three_looks():
    pairs = plain(*((f"p{day}", "coherence", "coherence", f"{day}", f"{day + 1}") for day in range(3)))
    assert names_of(pairs) == []
    assert names_of(plain(*((f"{day}", "vv", "dB", f"{day}") for day in range(4)))) == []
    assert names_of(plain(*((f"{day}", "vv", "dB", f"{day}") for day in range(3)))) == ["1~0", "2~1"]


def test_an_image_is_what_a_plain_subtraction_of_scaled_channels_gives_and_nan_where_either_is():
    store = with_gaps(np.random.default_rng(0))
    stats = measure_channels(store, ["a"], 0)
    found = with_every_difference(store, stats).channels("a", "s2rgbm")
    picks = [("a", stored.slot) for stored in found]
    images = with_every_difference(store, stats).read("s2rgbm", picks[::-1])[::-1]
    own = {stored.channel.kind: image for stored, image in zip(found, images, strict=True)}
    for kind, image in list(own.items())[:3]:
        np.testing.assert_array_equal(image, store.read("s2rgbm", [("a", KINDS.index(kind))])[0])
    for kind, image in list(own.items())[3:]:
        minuend, subtrahend = kind.split("~")
        naive = scale(own[minuend], stats.of("s2rgbm", minuend)) - scale(
            own[subtrahend], stats.of("s2rgbm", subtrahend)
        )
        np.testing.assert_array_equal(image, naive)
        assert np.array_equal(np.isnan(image), np.isnan(own[minuend]) | np.isnan(own[subtrahend]))


def test_each_image_of_the_store_is_read_once_a_call():
    store = with_gaps(np.random.default_rng(1), KINDS[:4])
    stats = measure_channels(store, ["a"], 0)
    wrapped = with_every_difference(store, stats)
    store.requests.clear()
    wrapped.read("s2rgbm", [("a", stored.slot) for stored in wrapped.channels("a", "s2rgbm")] * 2)
    assert sorted(store.requests) == [("s2rgbm", "a", slot) for slot in range(4)]


def test_the_moments_of_differences_are_those_of_their_pixels(earth, measured):
    wrapped = with_differences(earth, measured)
    pixels = {}
    for chip_id in IDS:
        for stored in wrapped.channels(chip_id, "s1grdm"):
            if stored.slot >= FIRST_SLOT:
                pixels.setdefault(stored.channel.kind, []).append(wrapped.read("s1grdm", [(chip_id, stored.slot)]))
    assert set(pixels) == {"vh~vv", "vv~before", "vh~before"}
    for kind, images in pixels.items():
        moments = measured.of("s1grdm", kind)
        assert moments.mean == pytest.approx(np.nanmean(images, dtype=np.float64), abs=1e-6)
        assert moments.std == pytest.approx(np.nanstd(images, dtype=np.float64), rel=1e-6)
        assert moments.unit == "spreads" and moments.count == np.isfinite(images).sum()


def test_channels_keep_their_moments_and_their_images_and_slots(earth, measured):
    before, wrapped = measure_channels(earth, IDS, 0), with_differences(earth, measured)
    assert isinstance(wrapped, ChipStore) and wrapped.chip_ids == earth.chip_ids and wrapped.chip_px == SIDE
    for modality in earth.modalities:
        assert {kind: measured.of(modality, kind) for kind in before.kinds[modality]} == before.kinds[modality]
        for chip_id in IDS:
            own = earth.channels(chip_id, modality)
            picks = [(chip_id, stored.slot) for stored in own]
            assert wrapped.channels(chip_id, modality)[: len(own)] == own
            np.testing.assert_array_equal(wrapped.read(modality, picks), earth.read(modality, picks))


def test_no_difference_is_taken_of_one_that_the_store_derives_nor_of_coherence(earth, measured):
    assert any(stored.is_derived for chip_id in IDS for stored in earth.channels(chip_id, "s1grdm"))
    assert not any("vv-vh" in kind for kind in measured.kinds["s1grdm"] if "~" in kind)
    assert set(measured.kinds["gunw"]) == {"coherence"}


def test_no_more_of_a_difference_counts_as_valid_than_of_the_emptier_of_its_two():
    store = with_gaps(np.random.default_rng(2))
    wrapped = with_every_difference(store, measure_channels(store, ["a"], 0))
    shares = {stored.channel.kind: stored.valid_fraction for stored in wrapped.channels("a", "s2rgbm")}
    for kind in ("nir~red", "nir~swir", "red~swir"):
        assert shares[kind] == min(shares[one] for one in kind.split("~"))


def test_only_differences_with_moments_are_there_and_without_any_the_store_is_itself(earth, measured):
    assert with_differences(earth, measure_channels(earth, IDS, 0)) is earth
    some = {name: {k: s for k, s in kinds.items() if "before" not in k} for name, kinds in measured.kinds.items()}
    kinds = {
        stored.channel.kind
        for chip_id in IDS
        for stored in with_differences(earth, ChannelStats(some)).channels(chip_id, "s1grdm")
    }
    assert kinds == {"vv", "vh", "vv-vh", "vh~vv"}


def test_a_kind_that_the_moments_cannot_scale_has_no_difference():
    store = with_gaps(np.random.default_rng(3))
    stats = ChannelStats({"s2rgbm": {kind: KindStats(0.0, 1.0, 1, "dn") for kind in ("nir", "red")}})
    found = with_every_difference(store, stats).channels("a", "s2rgbm")
    assert [stored.channel.kind for stored in found] == ["nir", "red", "swir", "nir~red"]


def test_changes_are_not_measured_where_a_chip_is_shown_at_many_dates():
    image = np.ones((4, 4), np.float32)
    dated = [(Channel(f"{month}", "vv", "dB", f"{month}"), image) for month in range(5)]
    store = FakeChipStore({"s1grdm": {"many": dated, "few": dated[:2]}})
    stats = measure_channels(store, ["many", "few"], 0)
    assert set(measure_differences(store, stats, ["many", "few"], 0).kinds["s1grdm"]) == {"vv"}
    assert set(measure_differences(store, stats, ["few"], 0).kinds["s1grdm"]) == {"vv", "vv~before"}


def test_another_process_reads_the_same(earth, measured):
    wrapped = with_differences(earth, measured)
    picks = [(IDS[0], stored.slot) for stored in wrapped.channels(IDS[0], "s2rgbm")]
    again = pickle.loads(pickle.dumps(wrapped))  # noqa: S301
    np.testing.assert_array_equal(again.read("s2rgbm", picks), wrapped.read("s2rgbm", picks))
