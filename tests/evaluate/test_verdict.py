"""A verdict names the best floor, and says that every floor is beaten only where that is sure of each."""

import numpy as np
import pytest

from terrashot.evaluate.certainty.bootstrap import make_weights, replicate
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.enough import Scored
from terrashot.evaluate.certainty.verdict import verdicts

N = 1000


def scored(features, rights, blocks):
    """One size, five draws; `rights` is the share told right of each draw (rows) and block (columns)."""
    right = np.round(N * np.broadcast_to(rights, (5, blocks))).astype(np.int64)
    own = Curve("water", "here", features, "forest", (100,), (False,), (right,), np.full(blocks, N))
    return Scored(own, replicate(own, make_weights(5, blocks, np.random.default_rng(0), 400)))


def verdict_of(*scored):
    (found,) = verdicts(scored, {}, (100,), "accuracy")
    return found


def test_the_floor_that_is_shown_is_the_best_one_and_the_gain_is_that_over_it():
    found = verdict_of(scored("gunw", 0.9, 4), scored("majority", 0.6, 4), scored("image_stats", 0.85, 4))
    assert (found.floor, found.floor_score) == ("image_stats", 0.85)
    assert (found.gain, found.gain_low, found.gain_high) == pytest.approx((0.05, 0.05, 0.05))
    assert (
        found.beats_floors is True
        and "best floor 0.850 (image_stats, forest): the embedding beats every floor" in found.sentence
    )


def test_a_worse_floor_that_is_not_surely_beaten_forbids_to_say_every():
    unlike = scored("majority", np.array([0.95, 0.95, 0.2, 0.2]), 4)
    found = verdict_of(scored("gunw", 0.9, 4), unlike, scored("image_stats", 0.85, 4))
    assert found.floor == "image_stats" and found.gain_low > 0 > found.least_low
    assert found.beats_floors is None
    assert "above it, though not surely above every floor (+5.0 points" in found.sentence


def test_a_loss_to_the_best_floor_is_a_loss():
    found = verdict_of(scored("gunw", 0.8, 4), scored("majority", 0.6, 4), scored("image_stats", 0.85, 4))
    assert found.beats_floors is False and "LOSES to a floor (-5.0 points" in found.sentence


def test_a_gain_lies_between_a_whole_win_and_a_whole_loss_however_few_the_blocks():
    found = verdict_of(scored("gunw", np.array([0.9, 0.5]), 2), scored("majority", np.array([0.4, 0.9]), 2))
    assert (found.gain_low, found.gain_high) == (-1.0, 1.0)
    assert found.beats_floors is None and "no clear difference from it" in found.sentence


def test_one_block_of_test_chips_tells_no_certainty():
    found = verdict_of(scored("gunw", 0.9, 1), scored("majority", 0.6, 1))
    assert (found.gain_low, found.least_low, found.certainty, found.beats_floors) == (None, None, None, None)


def test_the_interval_of_a_score_is_cut_where_no_score_can_lie():
    assert scored("gunw", np.array([0.9, 0.1]), 2).ends == [(0.0, 1.0)]
    assert scored("gunw", 0.9, 1).ends == [(None, None)]
    ((low, high),) = scored("gunw", np.array([0.7, 0.7, 0.71, 0.69]), 4).ends
    assert 0.6 < low < 0.7 < high < 0.8
