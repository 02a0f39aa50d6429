"""Draws are added where a mean needs them, and no more than allowed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.evaluate.protocol.repeats import HALF_WIDTH, half_width_of_draws, repeats_needed
from terrashot.evaluate.protocol.sampling import draws_of, resampled_draw


def spread_out(n, sd):
    """n scores of exactly this standard deviation."""
    scores = np.arange(n, dtype=float)
    return 0.7 + (scores - scores.mean()) / scores.std(ddof=1) * sd


@given(st.integers(2, 30), st.floats(0.001, 0.2))
def test_with_the_repeats_asked_for_the_half_width_is_met_and_with_one_less_it_is_not(n, sd):
    needed = repeats_needed(spread_out(n, sd), 10_000)
    assert half_width_of_draws(spread_out(needed, sd)) <= HALF_WIDTH + 1e-9
    if needed > n:
        assert half_width_of_draws(spread_out(needed - 1, sd)) > HALF_WIDTH - 1e-9


@pytest.mark.parametrize(
    ("scores", "needed"), [(spread_out(10, 0.2), 40), (spread_out(10, 0.0), 10), (np.array([0.5]), 1)]
)
def test_the_most_that_is_allowed_and_what_cannot_be_told_are_kept_to(scores, needed):
    assert repeats_needed(scores, 40) == needed


def test_adding_a_size_or_a_repeat_changes_no_other_draw():
    pool = np.arange(100, 200)
    few, many = (draws_of(pool, sizes, 3, ("a", 0)) for sizes in ([5, 20], [5, 12, 20, None]))
    for draw in few:
        (same,) = (other for other in many if other.asked == draw.asked)
        np.testing.assert_array_equal(draw.rows, same.rows)
    assert set(many[-1].rows) == set(pool)


def test_a_resampled_draw_takes_whole_groups_some_twice_and_leaves_some_out():
    pool, groups = np.arange(100), [f"g{n // 10}" for n in range(100)]
    drawn = [resampled_draw(pool, groups, 60, repeat, ("a",)) for repeat in range(20)]
    assert all(len(draw.rows) == 60 for draw in drawn)
    missing = [10 - len({row // 10 for row in draw.rows}) for draw in drawn]
    assert 2 < np.mean(missing) < 5, "of ten groups 3.5 are missed on average"
