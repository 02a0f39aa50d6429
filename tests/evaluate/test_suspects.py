"""Labels that were made wrong on purpose are found, and right ones are mostly left in peace."""

from dataclasses import replace

import numpy as np

from terrashot.domain.tables import Chips, Labels
from terrashot.domain.tasks import TaskRule
from terrashot.evaluate.mapping.suspects import suspects
from terrashot.evaluate.protocol.feature_sets import FeatureSet

SIDE = 18
N = SIDE * SIDE
RNG = np.random.default_rng(0)
CHIPS = Chips(
    tuple(f"c{number:03d}" for number in range(N)), ("a",) * N, (None,) * N,
    tuple(("train", "test", "val")[number % 3] for number in range(N)),
    lon_deg=np.arange(N) % SIDE / 20, lat_deg=np.arange(N) // SIDE / 20,
)  # fmt: skip
TRUE = np.array(["crop", "forest", "town"], object)[RNG.integers(0, 3, N)]
SEEN = FeatureSet(
    (
        (np.array(["crop", "forest", "town"]) == TRUE[:, None]).astype(np.float32)
        + RNG.normal(0, 0.25, (N, 3)).astype(np.float32),
    )
)
WRONG = np.sort(RNG.choice(N, 12, replace=False))


def found(values, rule=TaskRule()):
    return list(suspects(SEEN, CHIPS, Labels(CHIPS.ids, {"cover": values}), {"cover": rule}, seed=3))


def planted():
    values = TRUE.copy()
    values[WRONG] = [{"crop": "forest", "forest": "town", "town": "crop"}[one] for one in TRUE[WRONG]]
    return values


def test_wrong_labels_are_found_with_what_is_there_and_few_right_ones_beside():
    told = found(planted())
    by_id = {one.id: one for one in told}
    hit = [row for row in WRONG if CHIPS.ids[row] in by_id]
    assert len(hit) >= 11 and len(told) <= len(hit) + 0.02 * N
    assert all(by_id[CHIPS.ids[row]].told == TRUE[row] for row in hit)
    assert all(one.label == planted()[CHIPS.ids.index(one.id)] for one in told)
    doubts = [one.probability_of_label - one.probability for one in told]
    assert doubts == sorted(doubts), "the surest first"


def test_the_same_are_found_again_and_numbers_learnt_as_such_have_none():
    assert found(planted()) == found(planted())
    assert found(RNG.random(N), TaskRule(is_regression=True)) == []


def test_unknown_labels_and_areas_with_too_few_are_passed_over():
    values = np.where(np.arange(N) < N - 25, None, planted())
    assert found(values) == []
    half = planted()
    half[::2] = None
    assert {one.id for one in found(half)} <= set(CHIPS.ids[1::2])


def test_areas_are_judged_each_by_its_own_chips():
    halves = replace(CHIPS, area=tuple("ab"[number // SIDE % 2] for number in range(N)))
    told = list(suspects(SEEN, halves, Labels(CHIPS.ids, {"cover": planted()}), {"cover": TaskRule()}, seed=3))
    assert {one.area for one in told} == {"a", "b"}
    assert all(halves.area[CHIPS.ids.index(one.id)] == one.area for one in told)
