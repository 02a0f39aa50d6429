"""Monthly composites beside plain numpy: order, duplicates, overlaps, absences and hostile pixels.

Divisions by nothing and means of nothing would warn: here every warning is an error.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.errors import InputError, NetworkError
from terrashot.ingest.composite import STATISTICS, MeanStack, Seen, make_composite, see
from terrashot.ingest.decibels import from_db, to_db
from terrashot.ingest.each_once import Delivery, each_once
from terrashot.ingest.monthly import imagery_of, optical_channels, radar_channels, radar_differences

pytestmark = pytest.mark.filterwarnings("error")

START = datetime(2020, 3, 1, 10, tzinfo=UTC)
SIDE = 3
PIXELS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -0.1, 1e-40, 3e38, -3e38, 65535.0, 0.1, 0.2, 0.3]
stacks = st.lists(st.lists(st.sampled_from(PIXELS), min_size=2 * SIDE * SIDE, max_size=2 * SIDE * SIDE), max_size=7)


def scene(day, **changed):
    return replace(Delivery(f"d{day:02d}", "s2a", START + timedelta(days=day)), **changed)


def shown(layers, **how):
    """The composite of layers sensed on following days."""
    by_id = {scene(day).id: np.array(layer, np.float32).reshape(-1, SIDE, SIDE) for day, layer in enumerate(layers)}
    passes = each_once(scene(day) for day in range(len(layers)))
    made = how.pop("order", lambda passes: passes)(passes)
    return make_composite(made, lambda delivery: see(by_id[delivery.id]), n_channels=2, side_px=SIDE, **how)


def naive(layers, statistic):
    """A pixel at a time, in float64."""
    values = np.array(layers, np.float64).reshape(-1, 2, SIDE, SIDE)
    result, counts = np.full((2, SIDE, SIDE), np.nan), np.zeros((2, SIDE, SIDE), int)
    for place in np.ndindex(2, SIDE, SIDE):
        column = values[(slice(None), *place)]
        column = column[np.isfinite(column)]
        counts[place] = len(column)
        if len(column):
            result[place] = getattr(np, statistic)(column)
    return result, counts


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=60)
@given(layers=stacks)
def test_every_pixel_is_that_of_plain_numpy(statistic, layers):
    found, (values, counts) = shown(layers, statistic=statistic), naive(layers, statistic)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_array_equal(np.isnan(found.values), counts == 0)
    scale = np.abs(np.where(np.isfinite(layers), layers, 0)).max() if layers else 1
    np.testing.assert_allclose(found.values, values, rtol=2e-7, atol=1e-15 * max(scale, 1e-30))
    assert not np.isinf(found.values).any()


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=40)
@given(layers=stacks, data=st.data())
def test_any_order_of_the_acquisitions_gives_the_same_bytes(statistic, layers, data):
    found = shown(layers, statistic=statistic)
    other = shown(layers, statistic=statistic, order=lambda passes: data.draw(st.permutations(passes)))
    assert found.values.tobytes() == other.values.tobytes()
    assert found.counts.tobytes() == other.counts.tobytes()
    assert found.tallies == other.tallies


def test_order_would_decide_the_last_bit_if_sums_were_not_taken_in_one_order():
    layers = np.random.default_rng(1).lognormal(0, 9, (9, 2, SIDE, SIDE)).astype(np.float32)
    sums = {
        layers[order].astype(np.float64).cumsum(axis=0)[-1].tobytes()
        for order in np.random.default_rng(2).permuted(np.tile(np.arange(9), (40, 1)), axis=1)
    }
    assert len(sums) > 1
    assert (
        len(
            {
                shown(layers, statistic="mean", order=order).values.tobytes()
                for order in (tuple, lambda p: p[::-1], lambda p: p[4:] + p[:4])
            }
        )
        == 1
    )


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_scene_that_is_offered_again_changes_nothing(statistic):
    layers = {f"d{day:02d}": np.random.default_rng(day).random((1, SIDE, SIDE), np.float32) for day in range(3)}
    once = [scene(day, tile="T1", strip="s", baseline="02.14") for day in range(3)]
    older = [
        replace(delivery, id=f"old{n}", baseline="02.07", sensed_at=delivery.sensed_at + timedelta(milliseconds=7))
        for n, delivery in enumerate(once)
    ]
    made = []
    for offered in (once, once + once[::-1], older + once, once[1:] + older + once):

        def read(delivery, of=layers):
            assert not delivery.id.startswith("old"), "a replaced delivery is not even read"
            return see(of[delivery.id])

        made.append(make_composite(each_once(offered), read, statistic=statistic, n_channels=1, side_px=SIDE))
    assert len({found.values.tobytes() for found in made}) == 1
    assert all(found.tallies == made[0].tallies for found in made)
    assert made[0].counts.tolist() == np.full((1, SIDE, SIDE), 3).tolist()


def test_where_two_tiles_of_a_pass_overlap_a_pixel_is_taken_from_the_first_and_counted_once():
    nan = np.nan
    by_tile = {"T1": [[[1.0, 2.0, nan]] * 3], "T2": [[[nan, 20.0, 30.0]] * 3]}
    passes = each_once(scene(0, id=tile, tile=tile) for tile in ("T2", "T1"))
    found = make_composite(
        passes, lambda d: see(np.array(by_tile[d.tile], np.float32)), statistic="mean", n_channels=1, side_px=3
    )
    assert found.values[0].tolist() == [[1, 2, 30]] * 3
    assert (found.counts == 1).all()
    assert found.tallies[0].n_acquisitions == 1


def test_a_tally_tells_passes_pixels_and_days():
    nan = np.nan
    layers = [
        [[[1, nan, nan]] * 3, [[nan] * 3] * 3],
        [[[nan] * 3] * 3, [[nan] * 3] * 3],
        [[[3, 3, nan]] * 3, [[nan] * 3] * 3],
    ]
    there, absent = shown(layers, statistic="mean").tallies
    assert (there.n_acquisitions, there.valid_fraction, there.mean_count) == (2, 2 / 3, 1.5)
    assert (there.first_date, there.last_date, there.reason) == (date(2020, 3, 1), date(2020, 3, 3), None)
    assert (absent.n_acquisitions, absent.valid_fraction, absent.mean_count, absent.first_date) == (0, 0.0, 0.0, None)
    assert absent.reason == "outside the swath"


FULL, EMPTY = np.ones((1, SIDE, SIDE), np.float32), np.full((1, SIDE, SIDE), np.nan, np.float32)
CLEAR, CLOUDY = np.ones((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool)


def reason_of(*seen):
    passes = each_once(scene(day) for day in range(len(seen)))
    by_id = {f"d{day:02d}": own for day, own in enumerate(seen)}
    return make_composite(passes, lambda d: by_id[d.id], statistic="mean", n_channels=1, side_px=SIDE).tallies[0].reason


def test_each_absence_has_its_reason_and_cloud_tells_more_than_a_swath_that_ends():
    assert reason_of() == "no acquisition in the month"
    assert reason_of(see(FULL, CLOUDY)) == "all clouded"
    assert reason_of(see(EMPTY, CLEAR)) == reason_of(see(EMPTY)) == "outside the swath"
    assert reason_of(see(EMPTY, CLOUDY), see(FULL, CLOUDY)) == "all clouded"
    assert reason_of(Seen(EMPTY, ("polarisation not acquired",))) == "polarisation not acquired"
    assert reason_of(see(EMPTY), see(FULL, CLEAR)) is None


def test_one_valid_pixel_is_kept_and_nothing_else_appears():
    one = EMPTY.copy()
    one[0, 1, 2] = 0.25
    for statistic in STATISTICS:
        found = make_composite(
            each_once([scene(0), scene(1)]),
            lambda d: see(one if d.id == "d00" else EMPTY),
            statistic=statistic,
            n_channels=1,
            side_px=SIDE,
        )
        np.testing.assert_array_equal(found.values, one)
        assert found.tallies[0].valid_fraction == pytest.approx(1 / SIDE**2)


def test_a_month_of_which_one_delivery_cannot_be_read_is_absent_and_says_what_failed():
    def read(delivery):
        if delivery.id == "d01":
            raise InputError("scene d01: band B04 is cut short\nat byte 7")
        return see(FULL)

    found = make_composite(
        each_once(scene(day) for day in range(3)), read, statistic="mean", n_channels=1, side_px=SIDE
    )
    assert np.isnan(found.values).all() and not found.counts.any()
    imagery = imagery_of(found.values, [found], optical_channels(["2020-03"], ["red"]))
    assert imagery.absences[0].status == "failed"
    assert imagery.absences[0].reason == "failed to read: scene d01: band B04 is cut short at byte 7"


def test_a_network_that_gives_up_ends_the_work():
    def read(delivery):
        raise NetworkError("gave up after 5 attempts")

    with pytest.raises(NetworkError):
        make_composite(each_once([scene(0)]), read, statistic="mean", n_channels=1, side_px=SIDE)


def test_a_mean_holds_one_acquisition_at_a_time():
    alive = 0

    class Counted(np.ndarray):
        def __del__(self):
            nonlocal alive
            alive -= 1

    most, stack = 0, MeanStack((1, SIDE, SIDE))
    for _ in range(5):
        layer = FULL.copy().view(Counted)
        alive += 1
        most = max(most, alive)
        stack.add(np.asarray(layer))
        del layer
    assert most == 1
    assert stack.result_into(np.empty((1, SIDE, SIDE), np.float32)).max() == 5


def test_radar_is_averaged_in_power_and_its_ratio_is_that_of_the_means():
    db = {"d00": [[[-5.0] * 3] * 3, [[-10.0] * 3] * 3], "d01": [[[-15.0] * 3] * 3, [[-30.0] * 3] * 3]}
    power = make_composite(
        each_once([scene(0), scene(1)]),
        lambda d: see(from_db(np.array(db[d.id], np.float32))),
        statistic="mean",
        n_channels=2,
        side_px=SIDE,
    )
    vv, vh = to_db(power.values)[:, 0, 0]
    assert vv == pytest.approx(10 * np.log10((10**-0.5 + 10**-1.5) / 2), abs=1e-5)
    assert vv > (-5 - 15) / 2 + 2, "a mean of decibels would be lower"
    assert vv - vh == pytest.approx(10 * np.log10((10**-0.5 + 10**-1.5) / (10**-1 + 10**-3)), abs=1e-5)


def test_negative_power_is_left_out_of_mean_and_count():
    layers = {"d00": [[[0.2, -0.1, 0.0]] * 3], "d01": [[[0.4, 0.4, -32768.0]] * 3]}

    def read(delivery):
        power = np.array(layers[delivery.id], np.float32)
        return see(np.where(power > 0, power, np.float32(np.nan)))

    found = make_composite(each_once([scene(0), scene(1)]), read, statistic="mean", n_channels=1, side_px=SIDE)
    np.testing.assert_allclose(found.values[0, 0], [0.3, 0.4, np.nan], rtol=1e-6)
    assert found.counts[0, 0].tolist() == [2, 1, 0]


def test_channels_are_named_by_month_and_kind_and_directions_kept_apart_are_kinds():
    assert [channel.name for channel in optical_channels(["2020-01", "2020-02"])] == [
        f"2020-0{month}_{band}" for month in (1, 2) for band in ("red", "green", "blue")
    ]
    apart = radar_channels(["2020-02"], ["asc_", "des_"])
    assert [(channel.name, channel.kind) for channel in apart] == [
        (f"2020-02_{kind}", kind) for kind in ("asc_vv", "asc_vh", "des_vv", "des_vh")
    ]
    assert {(channel.unit, channel.first_date, channel.second_date) for channel in apart} == {
        ("dB", "2020-02-01", None)
    }
    difference = radar_differences(["2020-02"], ["des_"])[0]
    assert (difference.channel.name, difference.minuend, difference.subtrahend) == (
        "2020-02_des_vv-vh",
        "2020-02_des_vv",
        "2020-02_des_vh",
    )


def test_imagery_has_the_channels_with_a_pixel_and_says_why_the_others_have_none():
    months = [shown([[[[1.0] * 3] * 3, [[np.nan] * 3] * 3]], statistic="mean"), shown([], statistic="mean")]
    channels = optical_channels(["2020-03", "2020-04"], ["red", "green"])
    imagery = imagery_of(np.concatenate([month.values for month in months]), months, channels)
    assert [channel.name for channel in imagery.channels] == ["2020-03_red"]
    assert imagery.values.shape == (1, SIDE, SIDE) and imagery.n_acquisitions == (1,)
    assert [(absence.channel.name, absence.status, absence.reason) for absence in imagery.absences] == [
        ("2020-03_green", "empty", "outside the swath"),
        ("2020-04_red", "missing", "no acquisition in the month"),
        ("2020-04_green", "missing", "no acquisition in the month"),
    ]
    assert imagery_of(months[1].values, months[1:], channels[2:]).values.shape == (0, SIDE, SIDE)
