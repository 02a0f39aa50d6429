"""Calendar months in UTC, written `2020-03`: their days, their window, and which of them a moment belongs to."""

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from terrashot.errors import ConfigError, InputError

MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
MOST_MONTHS: Final = 24


def in_calendar_order(months: Sequence[str]) -> tuple[str, ...]:
    """The months of a composite, earliest first.

    Raises:
        ConfigError: none, more than 24, one twice, or one that is no month.
    """
    if not 1 <= len(months) <= MOST_MONTHS:
        raise ConfigError(f"months: {len(months)} of them; give 1 to {MOST_MONTHS}")
    for month in months:
        if not MONTH.fullmatch(month) or month.startswith("0000"):
            raise ConfigError(f"months: '{month}' is no month; write it as 2020-03")
    twice = sorted({month for month in months if months.count(month) > 1})
    if twice:
        raise ConfigError(f"months: {twice[0]} is there twice; give each once")
    return tuple(sorted(months))


def first_day(month: str) -> date:
    """2020-02-01 of 2020-02."""
    return date(int(month[:4]), int(month[5:]), 1)


def last_day(month: str) -> date:
    """2020-02-29 of 2020-02."""
    first = first_day(month)
    return first.replace(day=monthrange(first.year, first.month)[1])


def window_utc(month: str) -> tuple[datetime, datetime]:
    """Its first moment, and the first that is no longer of it: the last day counts whole.

    *Deviation:* the authors' code ends at the start of the last day, and in February a day earlier still (`sources.md` A4).
    """
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first_day(month), last_day(month)))
    return start, end + timedelta(days=1)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        InputError: it has no time zone, so that near midnight its month is unknown.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InputError(f"{moment.isoformat()}: a time without a zone; give it in UTC, with a Z or +00:00")
    return moment.astimezone(UTC)


def month_of(moment: datetime) -> str:
    """2020-03 of any moment of March 2020 in UTC.

    Raises:
        InputError: the moment has no time zone.
    """
    return f"{in_utc(moment):%Y-%m}"
