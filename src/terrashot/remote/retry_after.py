"""How long a server asks us to wait before we ask again."""

import re
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

SECONDS = re.compile(r"[0-9]{1,9}")


def retry_after_s(headers: Message, today: datetime) -> float | None:
    """Seconds that `Retry-After` asks to wait, said as seconds or as a date (in UTC without a zone); None where it says neither."""
    said = str(headers.get("Retry-After", "")).strip()
    if SECONDS.fullmatch(said):
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError, IndexError):  # a stranger's text finds them all
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - today).total_seconds())
