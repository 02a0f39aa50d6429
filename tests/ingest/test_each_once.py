"""Deliveries and the passes they show: duplicates, reprocessed baselines, overlapping tiles, directions, months."""

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.errors import InputError
from terrashot.ingest.each_once import Delivery, by_direction, by_month, each_once

NOON = datetime(2020, 2, 19, 11, 27, 42, tzinfo=UTC)
SCENE = Delivery("a", "sentinel-2a", NOON, is_ascending=False, tile="29RKH", strip="20200219T112745", baseline="02.14")


def ids(deliveries):
    return [[delivery.id for delivery in passage.deliveries] for passage in each_once(deliveries)]


def test_the_same_scene_twice_is_one_pass_of_one_delivery():
    assert ids([SCENE, SCENE, replace(SCENE)]) == [["a"]]


@pytest.mark.parametrize(
    ("old", "new"), [("02.14", "05.00"), ("N0214", "N0500"), ("02.14", "02.15"), (None, "02.14"), ("9.99", "10.00")]
)
def test_the_newest_baseline_replaces_an_older_one_of_the_same_ground(old, new):
    again = replace(SCENE, id="0", sensed_at=NOON + timedelta(milliseconds=16), baseline=new)
    assert ids([again, replace(SCENE, baseline=old)]) == [["0"]]
    assert ids([replace(SCENE, baseline=new), replace(again, baseline=old)]) == [["a"]]


def test_where_tiles_overlap_pixels_come_from_the_chips_own_zone_first_whatever_is_newer():
    other = replace(SCENE, id="0", tile="30RTN", baseline="05.00", produced_at=NOON + timedelta(days=9))
    assert ids([other, replace(SCENE, is_at_home=True)]) == [["a", "0"]]


def test_of_one_baseline_what_was_produced_last_replaces_the_other():
    early, late = (
        replace(SCENE, id=name, produced_at=NOON + timedelta(days=days)) for name, days in (("x", 1), ("b", 9))
    )
    assert ids([early, late]) == ids([late, early]) == [["b"]]


def test_two_tiles_of_one_pass_are_one_pass_even_where_midnight_lies_between():
    midnight = datetime(2020, 3, 1, tzinfo=UTC)
    first, second = (
        replace(SCENE, id=tile, tile=tile, sensed_at=midnight + timedelta(seconds=s))
        for tile, s in (("55HGA", -4), ("55HGV", 8))
    )
    passes = each_once([second, first])
    assert [len(passage.deliveries) for passage in passes] == [2]
    assert {month: len(own) for month, own in by_month(passes, ("2020-02", "2020-03")).items()} == {
        "2020-02": 1,
        "2020-03": 0,
    }


def test_the_two_halves_of_a_tile_that_lies_across_two_strips_both_stay():
    half = replace(SCENE, id="b", strip="20200219T112930", sensed_at=NOON + timedelta(seconds=20))
    assert ids([half, SCENE]) == [["a", "b"]]
    unknown = [replace(delivery, strip=None) for delivery in (half, SCENE)]
    assert ids(unknown) == [["a", "b"]]
    assert ids([*unknown, replace(unknown[0], id="c", baseline="05.00")]) == [["c"]]


def test_frames_of_radar_along_a_pass_stay_and_a_frame_processed_again_does_not():
    frames = [Delivery(f"f{n}", "Sentinel-1A", NOON + timedelta(seconds=25 * n)) for n in range(2)]
    again = replace(frames[0], id="g0", sensed_at=NOON + timedelta(seconds=1), produced_at=NOON)
    assert ids([*frames, again]) == [["g0", "f1"]]


def test_two_satellites_and_two_orbits_are_passes_of_their_own_and_capitals_make_no_satellite():
    next_orbit = replace(SCENE, id="b", sensed_at=NOON + timedelta(minutes=98))
    other = replace(SCENE, id="c", platform="sentinel-2b")
    shouted = replace(SCENE, id="d", platform="SENTINEL-2A", tile="29RKJ")
    assert ids([next_orbit, other, shouted, SCENE]) == [["a", "d"], ["c"], ["b"]]


names, seconds = st.sampled_from("abcdef"), st.integers(0, 90 * 86400)


@given(
    st.lists(
        st.builds(
            lambda name, s, ms, tile, strip, baseline: Delivery(
                name, "S2A", NOON + timedelta(seconds=s // 86400 * 86400, milliseconds=ms), tile=tile, strip=strip, baseline=baseline
            ),
            names, seconds, st.integers(0, 30_000), st.sampled_from([None, "T1", "T2"]), st.sampled_from([None, "s"]), st.sampled_from([None, "02.00", "05.00"]),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_neither_order_nor_repetition_of_the_deliveries_decides_anything(deliveries, rng: random.Random):
    shuffled = [*deliveries, *deliveries[:3]]
    rng.shuffle(shuffled)
    passes = each_once(deliveries)
    assert each_once(shuffled) == passes
    days = {delivery.sensed_at.date() for delivery in deliveries}
    assert [passage.sensed_at.date() for passage in passes] == sorted(days)
    kept = [delivery for passage in passes for delivery in passage.deliveries]
    assert len(kept) == len(set(kept)) and set(kept) <= set(deliveries)


def test_of_two_that_differ_in_what_does_not_rank_them_the_same_one_is_taken_in_any_order():
    twins = [replace(SCENE, tile=None, strip=strip) for strip in (None, "s", "t", "u")]
    assert len({each_once(order) for order in itertools.permutations(twins)}) == 1


def test_months_without_a_pass_are_there_and_empty():
    passes = each_once([SCENE, replace(SCENE, id="b", sensed_at=NOON + timedelta(days=300))])
    found = by_month(passes, ("2020-01", "2020-02", "2020-03"))
    assert {month: len(own) for month, own in found.items()} == {"2020-01": 0, "2020-02": 1, "2020-03": 0}


def test_directions_are_mixed_kept_apart_or_one_of_them_left_out():
    up, down = replace(SCENE, id="up", is_ascending=True), replace(SCENE, id="down")
    assert by_direction([up, down], "mixed") == {"": (up, down)}
    assert by_direction([up, down], "apart") == {"asc_": (up,), "des_": (down,)}
    assert by_direction([up, down], "ascending") == {"": (up,)}
    assert by_direction([up, down], "descending") == {"": (down,)}


def test_an_unknown_direction_is_refused_where_it_matters():
    unknown = replace(SCENE, is_ascending=None)
    assert by_direction([unknown], "mixed") == {"": (unknown,)}
    with pytest.raises(InputError, match="ascending or descending is unknown"):
        by_direction([unknown], "apart")


def test_times_without_a_zone_are_refused():
    with pytest.raises(InputError, match="without a zone"):
        replace(SCENE, sensed_at=datetime(2020, 2, 19))
    with pytest.raises(InputError, match="without a zone"):
        replace(SCENE, produced_at=datetime(2020, 2, 19))
