"""Summaries of results: means, dots, crossings."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain.results import Point, Result, dots, rising, summarize


def point(n, accuracy, *, full=False, features="s2rgbm"):
    return Point("water", "a", features, "forest", n, full, 10, accuracy, 0.01, accuracy)


def test_the_dot_is_the_smallest_size_that_reaches_95_percent_of_the_full_accuracy():
    curve = [point(5, 0.6), point(10, 0.75), point(100, 0.77), point(250, 0.79), point(400, 0.8, full=True)]
    (dot,) = dots([*curve, point(400, 0.5, full=True, features="majority")][:-1])
    assert (dot.n_labels, dot.skill_n_labels) == (100, None)
    assert 10 < dot.crossing < 100


def test_the_skill_above_the_majority_is_the_stricter_rule():
    curve = [point(5, 0.6), point(10, 0.765), point(100, 0.79), point(400, 0.8, full=True)]
    found = {d.features: d for d in dots([*curve, point(400, 0.5, full=True, features="majority")])}
    assert (found["s2rgbm"].n_labels, found["s2rgbm"].skill_n_labels) == (10, 100)


def test_a_curve_that_never_comes_near_has_no_dot():
    (dot,) = dots([point(5, 0.5), point(10, 0.55), point(400, 0.8, full=True)])
    assert dot.n_labels is None
    assert 10 < dot.crossing < 400


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_rising_fit_never_falls_and_keeps_the_mean(values):
    fitted = rising(values, [1.0] * len(values))
    assert all(a <= b + 1e-12 for a, b in pairwise(fitted))
    assert sum(fitted) == pytest.approx(sum(values))


def test_repeats_become_a_mean_and_a_spread():
    rows = [
        Result(
            "t",
            "a",
            "a",
            "bands",
            "s2rgbm",
            "forest",
            10,
            10,
            r,
            r,
            50,
            0.1,
            0.5,
            acc,
            acc,
            None,
            None,
            None,
            None,
            None,
        )
        for r, acc in enumerate((0.6, 0.8))
    ]
    (found,) = summarize(rows)
    assert (found.repeats, found.score) == (2, pytest.approx(0.7))
    assert found.score_sd == pytest.approx(0.1 * 2**0.5)
