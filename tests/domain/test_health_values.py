"""The card's own arithmetic: the worst verdict, and how many of each."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain.health import HEALTH_VERDICTS, HealthCard, Measure
from terrashot.health.judge import Accord, above, below

some_verdicts = st.lists(st.sampled_from([*HEALTH_VERDICTS, None]), max_size=6)


def card(verdicts):
    return HealthCard(tuple(Measure("m", "", None, verdict, "") for verdict in verdicts), 5, 5, 0, None)


@given(some_verdicts)
def test_the_worst_is_that_of_what_was_measured(verdicts):
    expected = next((v for v in ("bad", "look", "good") if v in verdicts), "good")
    assert card(verdicts).worst == expected


@given(some_verdicts)
def test_every_measure_is_counted_once(verdicts):
    counts = [len(card(verdicts).having(verdict)) for verdict in (*HEALTH_VERDICTS, None)]
    assert sum(counts) == len(verdicts)
    assert card(verdicts).sentence == (
        f"health of 5 chips: {card(verdicts).worst} ({counts[0]} good, {counts[1]} look, {counts[2]} bad, {counts[3]} not measured)"
    )


def test_verdicts_worsen_across_their_limits():
    order = HEALTH_VERDICTS.index
    rising = [above(value, look=1, bad=2) for value in (0, 1, 1.5, 2, 2.5)]
    falling = [below(value, look=2, bad=1) for value in (3, 2, 1.5, 1, 0.5)]
    assert rising == falling == ["good", "good", "look", "look", "bad"]
    assert all(order(a) <= order(b) for a, b in pairwise(rising))


def test_an_accord_is_bad_only_where_a_sound_one_would_have_shown():
    sharp, blurred = np.linspace(-0.03, 0.03, 200), np.linspace(-0.3, 0.3, 200)
    assert Accord(0.5, sharp).verdict == "good"
    assert Accord(0.01, sharp).verdict == "bad"
    assert Accord(0.01, blurred).verdict == "look"
    assert Accord(0.5, blurred).verdict == "good"
