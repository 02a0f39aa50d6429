"""Numbers as the page writes them; a dash for what is not known."""

from terrashot.report.blocks import DASH


def score(value: float | None) -> str:
    """Three digits."""
    return DASH if value is None else f"{value:.3f}"


def between(low: float | None, high: float | None) -> str:
    """An interval of scores."""
    return DASH if low is None or high is None else f"{low:.3f} to {high:.3f}"


def points(value: float | None) -> str:
    """A difference of scores, in hundredths, with its sign."""
    return DASH if value is None else f"{100 * value:+.1f}"


def points_between(low: float | None, high: float | None) -> str:
    """An interval of differences."""
    return DASH if low is None or high is None else f"{100 * low:+.1f} to {100 * high:+.1f}"


def in_brackets(interval: str) -> str:
    """An interval behind its number; nothing for one that is not known."""
    return "" if interval == DASH else f" ({interval})"


def percent(value: float | None) -> str:
    """A share; never 0 % or 100 % for one that is neither."""
    if value is None:
        return DASH
    if 0 < value < 0.01 or 0.99 < value < 1:
        return "< 1 %" if value < 0.5 else "> 99 %"
    return f"{100 * value:.0f} %"


def count(value: float | None) -> str:
    """A number of labels."""
    return DASH if value is None else f"{value:,.0f}"


def count_between(value: float | None, low: float | None, high: float | None) -> str:
    """A number of labels with its interval, which may be open above."""
    if low is None:
        return count(value)
    return f"{count(value)} ({count(low)} {'or more' if high is None else f'to {count(high)}'})"
