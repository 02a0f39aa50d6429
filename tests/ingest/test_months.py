"""Moments and their months: ends of months, leap days, time zones; how many months, and in which order."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.errors import ConfigError, InputError
from terrashot.ingest.months import first_day, in_calendar_order, last_day, month_of, window_utc


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_in_the_window_of_its_month_whatever_zone_it_is_written_in(moment, offset_minutes):
    moment = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset_minutes)))
    start, end = window_utc(month_of(moment))
    assert start <= moment < end


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("2020-02-29T23:59:59.999+00:00", "2020-02"),
        ("2020-03-01T00:00:00+00:00", "2020-03"),
        ("2020-03-01T00:30:00+02:00", "2020-02"),
        ("2019-12-31T23:30:00-01:00", "2020-01"),
        ("2019-02-28T12:00:00+00:00", "2019-02"),
    ],
)
def test_the_month_is_that_of_utc(written, month):
    assert month_of(datetime.fromisoformat(written)) == month


@pytest.mark.parametrize(
    ("month", "last"),
    [("2020-02", 29), ("2019-02", 28), ("2000-02", 29), ("2100-02", 28), ("2020-12", 31), ("2020-04", 30)],
)
def test_months_end_on_their_last_day(month, last):
    assert last_day(month).day == last
    assert first_day(month).day == 1


def test_windows_of_following_months_meet_without_a_gap():
    assert window_utc("2019-12")[1] == window_utc("2020-01")[0] == datetime(2020, 1, 1, tzinfo=UTC)
    assert window_utc("2020-02")[1] == window_utc("2020-03")[0]
    assert first_day("2020-03") - last_day("2020-02") == timedelta(days=1)
    assert last_day("2020-02") == date(2020, 2, 29)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(InputError, match="without a zone"):
        month_of(datetime(2020, 3, 1))


@pytest.mark.parametrize(
    ("months", "words"),
    [([], "0 of them"), ([f"{2000 + n}-01" for n in range(25)], "25 of them"), (["2020-13"], "no month"), (["2020-1"], "no month"),
     (["2020-01-01"], "no month"), (["0000-01"], "no month"), (["2020-01", "2020-02", "2020-01"], "twice")],
)  # fmt: skip
def test_what_is_no_list_of_one_to_24_months_is_refused(months, words):
    with pytest.raises(ConfigError, match=words):
        in_calendar_order(months)


def test_up_to_24_months_are_put_in_the_order_of_the_calendar():
    months = [f"{year}-{month:02d}" for year in (2019, 2020) for month in range(1, 13)]
    assert in_calendar_order(months[::-1]) == tuple(months)
    assert in_calendar_order(["2020-03"]) == ("2020-03",)
