"""The health card on the page: words beside colours, what is odd in the open."""

import re

from terrashot.domain.health import HealthCard, Measure
from terrashot.report.health import health_section

HOSTILE = "<script>alert(1)</script>"


def card(*verdicts):
    measures = tuple(
        Measure(f"measure_{i}", "s2rgbm", 0.5, verdict, f"sentence {i}") for i, verdict in enumerate(verdicts)
    )
    return HealthCard(measures, 30_000, 20_000, 0, None)


def test_without_a_card_there_is_no_section():
    assert health_section(None) == ""


def test_what_is_odd_stands_in_the_open_and_everything_is_folded_below():
    text = health_section(card("good", "look", "bad", None))
    opened, _, folded = text.partition("<details>")
    rows = re.findall(r"<tr>(.*?)</tr>", opened)[1:]
    assert [re.search(r"sentence \d", row)[0] for row in rows] == ["sentence 2", "sentence 1"]
    assert len(re.findall("<tr>", folded)) == 1 + 4
    assert "1 good, 1 to look at, 1 bad; 1 could not be measured" in text


def test_a_sound_table_shows_no_open_table():
    assert "<table>" not in health_section(card("good", "good")).partition("<details>")[0]


def test_verdicts_are_words_and_not_colours_alone():
    text = health_section(card("good", "look", "bad", None))
    for word in ("✓ good", "? look", "✗ bad", "not measured"):
        assert f">{word}</td>" in text


def test_a_sample_is_said():
    assert "sample of 20,000 chips" in health_section(card("good"))
    assert "sample" not in health_section(HealthCard((), 10, 10, 0, None))


def test_names_from_a_strangers_table_are_text():
    measure = Measure("finite", HOSTILE, 0.0, "bad", f"{HOSTILE} is bad")
    assert HOSTILE not in health_section(HealthCard((measure,), 1, 1, 0, HOSTILE))
