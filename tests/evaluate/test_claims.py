"""Each of the paper's claims is found true where it is, false where it is not, and untested where nothing can tell."""

import numpy as np
import pytest

from terrashot.evaluate.answers.claims import claims
from terrashot.evaluate.certainty.bootstrap import make_weights, replicate
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.certainty.enough import Scored

SIZES = (10, 100, 400, 10_000)
QUICK, SLOW = (0.6, 0.79, 0.8, 0.8), (0.4, 0.5, 0.6, 0.8)
N = 1000


def scored(task, features, shares, *, spread=0.0, sizes=SIZES, blocks=4, label_sums=None):
    """Three draws, a `spread` below, at and above the shares in every block; all labels are fitted once."""
    n = np.full(blocks, N)
    steps = np.array([-spread, 0.0, spread])
    sums = [np.tile(np.round(N * (share + steps))[:, None], (1, blocks)).astype(np.int64) for share in shares[:-1]]
    last = np.full((1, blocks), round(N * shares[-1]))
    own = Curve(
        task, "here", features, "forest", sizes, (*[False] * len(sums), True), (*sums, last), n, label_sums, label_sums
    )
    return Scored(own, replicate(own, make_weights(3, blocks, np.random.default_rng(0), 200)))


def found(*curves):
    return {claim.name: claim for claim in claims(curves)}


def raised(shares, by):
    return tuple(share + by for share in shares)


def test_all_curves_below_500_make_always_and_more_than_half_below_250_make_mostly():
    all_quick = found(scored("a", "f", QUICK), scored("b", "f", QUICK), scored("c", "f", QUICK))
    one_slow = found(scored("a", "f", QUICK), scored("b", "f", QUICK), scored("c", "f", SLOW))
    most_slow = found(scored("a", "f", QUICK), scored("b", "f", SLOW), scored("c", "f", SLOW))
    assert [all_quick[name].holds for name in ("always below 500", "mostly below 250")] == [True, True]
    assert [one_slow[name].holds for name in ("always below 500", "mostly below 250")] == [False, True]
    assert [most_slow[name].holds for name in ("always below 500", "mostly below 250")] == [False, False]
    assert one_slow["always below 500"].estimate == pytest.approx(2 / 3)
    assert one_slow["always below 500"].sentence.startswith("the paper: always; here 2 of 3 curves")


def test_half_of_the_curves_is_not_most_of_them():
    assert found(scored("a", "f", QUICK), scored("b", "f", SLOW))["mostly below 250"].holds is False


def test_floors_and_regressions_are_no_part_of_the_claims():
    floor = scored("a", "image_stats", SLOW)
    regression = scored("b", "f", (0.9, 0.5, 0.4, 0.1), label_sums=np.arange(4.0))
    assert found(scored("a", "f", QUICK), floor, regression)["always below 500"].estimate == 1.0


def test_curves_that_end_before_500_labels_cannot_tell_whether_fewer_are_enough():
    short = found(scored("a", "f", (0.6, 0.7, 0.8), sizes=(10, 100, 400)))
    assert (short["always below 500"].holds, short["mostly below 250"].holds) == (None, True)
    assert "not tested" in short["always below 500"].sentence


@pytest.mark.parametrize("spread, few, above", [(0.005, True, True), (0.02, True, False), (0.06, False, False)])
def test_spread_over_draws_is_held_against_its_two_bounds(spread, few, above):
    answer = found(scored("a", "f", QUICK, spread=spread))
    assert (answer["spread at few labels"].holds, answer["spread above"].holds) == (few, above)
    # Draws a step below, at and above the middle have that step as their standard deviation.
    assert answer["spread above"].estimate == pytest.approx(spread)
    assert answer["spread above"].low < spread < answer["spread above"].high


def test_radar_is_best_where_it_wins_more_than_half_of_the_cells():
    optical, radar = scored("a", "s2rgbm", QUICK), scored("a", "s1grdm", raised(QUICK, 0.02))
    wins = found(optical, radar)["radar best"]
    assert (wins.holds, wins.estimate) == (True, 1.0)
    assert "+2.0 points (+2.0 to +2.0)" in wins.sentence
    assert found(optical, scored("a", "s1grdm", raised(QUICK, -0.02)))["radar best"].holds is False
    assert found(optical, scored("a", "s1grdm", QUICK))["radar best"].estimate == 0.0


def test_radar_is_compared_with_single_modalities_alone_and_is_untested_without_them():
    radar, both = scored("a", "s1grdm", QUICK), scored("a", "modsconcat", raised(QUICK, 0.02))
    assert found(radar, both)["radar best"].holds is None
    assert found(scored("a", "s2rgbm", QUICK))["radar best"].holds is None


@pytest.mark.parametrize("gain, holds", [(-0.01, False), (0.0, False), (0.02, True), (0.05, False)])
def test_all_modalities_are_marginally_better_by_more_than_nothing_and_at_most_3_points(gain, holds):
    singles = [scored("a", "s1grdm", QUICK), scored("a", "s2rgbm", raised(QUICK, -0.1))]
    answer = found(*singles, scored("a", "modsconcat", raised(QUICK, gain)))["all better"]
    assert answer.holds is holds
    assert answer.estimate == pytest.approx(gain, abs=1e-12)


def test_an_interval_holds_its_estimate_and_is_absent_with_one_block():
    rng = np.random.default_rng(0)
    curves = [
        scored("a", name, raised(QUICK, float(rng.normal(0, 0.02)))) for name in ("s1grdm", "s2rgbm", "modsconcat")
    ]
    for claim in claims(curves):
        assert claim.low <= claim.estimate <= claim.high
    alone = found(scored("a", "s1grdm", QUICK, blocks=1), scored("a", "s2rgbm", SLOW, blocks=1))["radar best"]
    assert (alone.low, alone.high, alone.holds) == (None, None, True)


def test_a_study_without_embeddings_tests_nothing():
    assert {claim.holds for claim in claims([scored("a", "coordinates", QUICK)])} == {None}
