"""What a server says of waiting: seconds, a date, or nothing that can be read."""

from datetime import UTC, datetime
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.remote.retry_after import retry_after_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def said(text: str) -> Message:
    headers = Message()
    headers["Retry-After"] = text
    return headers


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0), (" 7 ", 7.0), ("0", 0.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0), ("Thu, 01 Jan 2026 02:01:00 +0200", 60.0),
        ("Thu, 01 Jan 2026 00:01:00", 60.0), ("Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 0.0),
        ("soon", None), ("-5", None), ("", None), ("1e9", None), ("9" * 40, None), ("Mon, 99 Foo 2020", None),
        ("Thu, 01 Jan 99999999999999999999 00:00:00 GMT", None), ("Thu, 01 Jan 2026 00:00:00 +99999999999999", None),
    ],
)  # fmt: skip
def test_seconds_and_dates_are_read_and_nonsense_is_not(text, seconds):
    assert retry_after_s(said(text), NOW) == seconds


def test_an_answer_that_says_nothing_of_waiting_asks_for_none():
    assert retry_after_s(Message(), NOW) is None


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_any_text_is_a_wait_that_is_not_negative_or_none(text):
    seconds = retry_after_s(said(text), NOW)
    assert seconds is None or seconds >= 0
