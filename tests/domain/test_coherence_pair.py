"""Names of GUNW products say which passes were paired, in both of their forms."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.domain.coherence_pair import evenly, product_name
from terrashot.errors import InputError

OLD = "S1-GUNW-D-R-014-tops-20210723_20210711-161540-42666N_40796N-PP-7a85-v2_0_4"
NEW = "S1-GUNW-A-R-078-tops-20251230_20251218-004749-00101W_00018N-PP-f839-v3_0_1"


def test_the_later_date_stands_first_and_the_channel_tells_both_days_track_and_direction():
    found = product_name(f"{OLD}.nc")
    assert (found.pair.later, found.pair.earlier) == (date(2021, 7, 23), date(2021, 7, 11))
    assert (found.pair.days, found.pair.track, found.pair.direction) == (12, 14, "descending")
    assert found.version == (2, 0, 4) and found.text == OLD
    channel = found.pair.channel
    assert (channel.name, channel.kind) == ("20210723_20210711_D014", "coherence")
    assert (channel.first_date, channel.second_date) == ("2021-07-11", "2021-07-23")


def test_the_form_with_longitudes_and_a_product_of_special_order_are_read_too():
    assert product_name(NEW).pair.name == "20251230_20251218_A078"
    assert product_name(NEW.replace("GUNW", "GUNW_CUSTOM")).pair.track == 78


def test_the_place_is_two_latitudes_or_the_south_western_corner():
    assert (product_name(OLD).lat_deg, product_name(OLD).west_deg) == ((40.796, 42.666), None)
    assert (product_name(NEW).lat_deg, product_name(NEW).west_deg) == ((18, 18), -101)
    south = product_name(OLD.replace("42666N_40796N", "00100N_01000S"))
    assert south.lat_deg == (-1.0, 0.1)


@pytest.mark.parametrize(
    "name",
    ["", "a.nc", OLD[:-2], OLD + "/../x", OLD.replace("20210711", "20210732"), OLD.replace("20210723_20210711", "20210711_20210723"),
     OLD.replace("20210711", "20210723"), OLD.replace("-D-", "-X-"), OLD.replace("42666N", "42666X"), OLD.replace("014", "０14"),
     OLD.replace("014", "000"), OLD.replace("014", "176")],
)  # fmt: skip
def test_what_is_no_such_name_is_refused(name):
    with pytest.raises(InputError):
        product_name(name)


def test_of_one_pair_the_newest_version_comes_first():
    names = [product_name(NEW.replace("v3_0_1", version)) for version in ("v2_0_6", "v3_0_0", "v3_0_10", "v3_0_2")]
    assert [found.version for found in sorted(names, key=lambda one: one.rank)] == [
        (3, 0, 10),
        (3, 0, 2),
        (3, 0, 0),
        (2, 0, 6),
    ]


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(1, 40))
def test_of_too_many_pairs_the_first_and_last_stay_in_order_and_steps_are_even(count, most):
    kept = evenly(range(count), most)
    assert len(kept) == min(count, most) and kept == sorted(set(kept))
    if count > most > 1:
        steps = [b - a for a, b in pairwise(kept)]
        assert kept[0] == 0 and kept[-1] == count - 1 and max(steps) - min(steps) <= 1
