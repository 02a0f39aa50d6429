"""Chips of which the next is begun before it is wanted, where the source allows it (two at once: `test_harvest.py`)."""

import pytest

from terrashot.errors import MissingImageryError
from terrashot.ingest.chips_ahead import ChipsAhead


class Source:
    """Answers with the chip's id, and remembers what it was asked."""

    def __init__(self, *, is_begun_ahead: bool | None) -> None:
        if is_begun_ahead is not None:
            self.is_begun_ahead = is_begun_ahead
        self.asked: list[str] = []

    def read(self, chip_id):
        self.asked.append(chip_id)
        if chip_id == "bad":
            raise MissingImageryError("chip bad: nothing there")
        return chip_id


@pytest.mark.parametrize("is_begun_ahead", [None, False])
def test_a_source_that_does_not_allow_it_is_asked_for_what_is_wanted_and_no_more(is_begun_ahead):
    sources = [Source(is_begun_ahead=is_begun_ahead), Source(is_begun_ahead=is_begun_ahead)]
    with ChipsAhead(sources, [(0, "a"), (1, "a"), (0, "b"), (1, "b")]) as imagery:
        assert imagery(0, "a") == "a"
    assert [source.asked for source in sources] == [["a"], []]


def test_what_reading_raised_comes_when_the_chip_is_wanted():
    sources = [Source(is_begun_ahead=True), Source(is_begun_ahead=True)]
    with ChipsAhead(sources, [(0, "a"), (1, "bad"), (0, "b")]) as imagery:
        assert imagery(0, "a") == "a"
        with pytest.raises(MissingImageryError, match="nothing there"):
            imagery(1, "bad")
        assert imagery(0, "b") == "b"
    assert [source.asked for source in sources] == [["a", "b"], ["bad"]]
