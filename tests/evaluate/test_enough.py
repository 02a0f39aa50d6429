"""How many labels are enough: as the plain definitions say, and as surely as the intervals say."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulated_tables import LEVELS, SIZES, World, majority
from terrashot.domain.results import Point, dots, rising
from terrashot.evaluate.certainty.bootstrap import make_weights, replicate
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.enough import Scored, best_full, crossings, enough, first_reached, rising_rows

BETTER = LEVELS + 0.1
thousandths = st.integers(-1000, 1000).map(lambda thousandth: thousandth / 1000)


def scored(own, seed=0, repeats=10, replicates=1000):
    shared = make_weights(repeats, len(own.n), np.random.default_rng(seed), replicates)
    return Scored(own, replicate(own, shared))


def curve(*shares, sizes=(10, 100, 1000), n=100, blocks=4, features="f"):
    """Every draw and block is right in the same share."""
    rights = [np.full((3 if s < len(shares) - 1 else 1, blocks), round(share * n)) for s, share in enumerate(shares)]
    is_full = tuple(s == len(shares) - 1 for s in range(len(shares)))
    return Curve("t", "a", features, "h", sizes[-len(shares) :], is_full, tuple(rights), np.full(blocks, n))


def by_form(found):
    return {one.form: one for one in found}


def truth(world, levels, repeats, *, base=0.0, target=None):
    """The crossing of the expected scores."""
    mean = np.array([world.expectation(level, s) for s, level in enumerate(levels)]) - base
    excess = mean - 0.95 * (mean[-1] if target is None else target)
    return crossings(excess[None], SIZES, np.array([*[repeats] * 6, 1.0]))[0]


def holds(one, true):
    low, high = (np.inf if end is None else end for end in (one.low, one.high))
    return low <= true <= high


def covered(world, repeats, blocks, tables, seed=0):
    """By form, the share of the tables whose interval holds the truth."""
    rng = np.random.default_rng(seed)
    best_score = world.expectation(BETTER[-1], -1)
    trues = {
        "dot": first_reached_of(world),
        "crossing": truth(world, LEVELS, repeats),
        "skill": truth(world, LEVELS, repeats, base=0.5),
        "common": truth(world, LEVELS, repeats, target=best_score),
    }
    hits = []
    for _ in range(tables):
        one, better = world.curves(rng, repeats, blocks, (LEVELS, BETTER))
        shared = make_weights(repeats, blocks, rng, 500)
        own, best = Scored(one, replicate(one, shared)), Scored(better, replicate(better, shared))
        found = enough(own, replicate(majority(one), shared), best.full)
        hits.append([holds(each, trues[each.form]) for each in found])
    return dict(zip(trues, np.mean(hits, axis=0).tolist(), strict=True))


def first_reached_of(world):
    mean = np.array([world.expectation(level, s) for s, level in enumerate(LEVELS)])
    return first_reached((mean - 0.95 * mean[-1])[None, :-1], SIZES[:-1])[0]


@pytest.mark.parametrize(
    "repeats, blocks", [(10, 5), *(pytest.param(*many, marks=pytest.mark.slow) for many in ((10, 20), (20, 20)))]
)
def test_intervals_of_the_crossing_hold_the_truth_90_to_98_times_of_100_and_of_the_dot_no_less_often(repeats, blocks):
    shares = covered(World(), repeats, blocks, tables=300)
    for form in ("crossing", "skill", "common"):
        assert 0.90 <= shares[form] <= 0.98
    # A dot is one of few sizes: its interval cannot end between two of them, and holds the truth more often.
    assert shares["dot"] >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("repeats, blocks", list(itertools.product((10, 20), (5, 20, 100))))
@pytest.mark.parametrize("world", [World(), World(0.1, 1.0, 0.3), World(0.6, 0.2, 0.2), World(unequal=1.0)], ids=str)
def test_intervals_of_the_crossing_hold_the_truth_in_many_worlds(world, repeats, blocks):
    shares = covered(world, repeats, blocks, tables=300)
    for form in ("crossing", "skill", "common"):
        assert 0.90 <= shares[form] <= 0.99
    assert shares["dot"] >= 0.90


@settings(max_examples=80)
@given(st.data(), st.integers(1, 12))
def test_rows_rise_as_one_row_does(data, sizes):
    values = data.draw(arrays(np.float64, (4, sizes), elements=thousandths))
    weights = data.draw(arrays(np.float64, sizes, elements=st.integers(1, 40).map(float)))
    expected = [rising(row.tolist(), weights.tolist()) for row in values]
    np.testing.assert_allclose(rising_rows(values, weights), expected, atol=1e-12)


@settings(max_examples=80)
@given(st.lists(st.integers(40, 99), min_size=3, max_size=3))
def test_the_dot_and_the_crossing_are_those_of_the_results_table(percents):
    own = curve(*(percent / 100 for percent in percents))
    points = [
        Point("t", "a", "f", "h", size, full, len(table), percent / 100, 0.0, None)
        for size, full, table, percent in zip(own.sizes, own.is_full, own.sums, percents, strict=True)
    ]
    (expected,), found = dots(points), by_form(enough(scored(own), None, None))
    assert found["dot"].n_labels == expected.n_labels
    assert found["crossing"].n_labels == pytest.approx(expected.crossing)


def test_a_curve_without_any_luck_has_an_interval_of_no_width():
    for one in enough(scored(curve(0.5, 0.7, 0.8)), None, None):
        assert one.low == pytest.approx(one.n_labels) and one.high == pytest.approx(one.n_labels)


def test_the_crossing_lies_between_sizes_in_the_logarithm():
    # 95 % of 0.8 is 0.76, three fifths of the way from 0.7 to 0.8, from 100 to 1000 labels.
    assert by_form(enough(scored(curve(0.5, 0.7, 0.8)), None, None))["crossing"].n_labels == pytest.approx(
        100 * 10**0.6
    )


def test_skill_above_the_majority_asks_for_more_labels():
    own = curve(0.55, 0.78, 0.8)
    found = by_form(enough(scored(own), scored(curve(0.5, sizes=(1000,), features="majority")).scores, None))
    assert found["crossing"].n_labels < 100 < found["skill"].n_labels < 1000


def test_a_curve_no_better_than_the_majority_has_no_skill_to_reach():
    for share in (0.5, 0.55):
        skill = by_form(enough(scored(curve(0.6, 0.55, 0.5)), scored(curve(share, sizes=(1000,))).scores, None))[
            "skill"
        ]
        assert (skill.n_labels, skill.low, skill.high) == (None, None, None)


def test_a_weak_set_never_reaches_the_common_target_of_the_best_embedding():
    weak, strong = scored(curve(0.5, 0.6, 0.7)), scored(curve(0.7, 0.85, 0.9))
    floor = scored(curve(0.7, 0.9, 0.99, features="image_stats"))
    best = best_full([weak, strong, floor])
    assert best.estimate[0] == pytest.approx(0.9)
    assert by_form(enough(weak, None, best))["common"].n_labels is None
    assert 100 < by_form(enough(strong, None, best))["common"].n_labels < 1000


def test_the_upper_end_is_open_where_too_many_replicates_never_cross():
    rng = np.random.default_rng(0)
    one, better = World().curves(rng, 10, 6, (LEVELS, LEVELS + 0.25))
    own, best = scored(one), scored(better)
    common = by_form(enough(own, None, best.full))["common"]
    assert common.high is None and common.low is not None


def test_nothing_is_said_of_a_curve_without_all_labels_or_with_nothing_else():
    own = curve(0.5, 0.7, 0.8)
    parts = Curve("t", "a", "f", "h", (10, 100), (False, False), own.sums[:2], own.n)
    assert enough(scored(parts), None, None) == []
    assert enough(scored(curve(0.8)), None, None) == []
    assert best_full([scored(parts)]) is None


def test_one_block_gives_the_number_and_no_interval():
    for one in enough(scored(curve(0.5, 0.79, 0.8, blocks=1)), None, None):
        assert one.n_labels is not None and (one.low, one.high) == (None, None)
