"""Points of accuracy that coarser numbers lose."""

import numpy as np

from terrashot.domain.tasks import TaskRule
from terrashot.evaluate.protocol.points_lost import points_lost
from terrashot.store.write_vectors import to_int8

N, WIDTH = 400, 8
IS_TRAIN = np.arange(N) % 2 == 0
RULES = {name: TaskRule() for name in ("kind", "share", "flat")}


def vectors(seed=0):
    """Vectors whose first number tells both targets, not without error."""
    return np.random.default_rng(seed).normal(size=(N, WIDTH)).astype(np.float32)


def targets(block):
    share = block[:, 0] + 0.3 * np.random.default_rng(9).normal(size=N)
    return {"kind": np.array(["wet" if s > 0.5 else "dry" for s in share], dtype=object), "share": share}


def lost(before, after, told):
    return points_lost(before, after, told, RULES, IS_TRAIN, 0)


def test_the_same_vectors_lose_nothing_and_others_all_that_they_told():
    block = vectors()
    same = lost(block, block.copy(), targets(block))
    assert same.points == 0 and same.before == same.after > 0.8 and (same.n_targets, same.n_judged) == (2, N // 2)
    other = lost(block, vectors(1), targets(block))
    assert other.before == same.before and other.points > 20


def test_int8_loses_less_than_a_point_and_steps_as_wide_as_the_vectors_more():
    block = vectors()
    steps, size = to_int8(block)
    assert abs(lost(block, steps * size[:, None], targets(block)).points) < 1
    assert lost(block, np.rint(block / 4).astype(np.float32) * 4, targets(block)).points > 1


def test_a_target_that_is_all_alike_or_labels_too_few_are_left_out():
    block = vectors()
    flat = {"flat": np.ones(N)}
    assert lost(block, block, targets(block) | flat).n_targets == 2
    assert lost(block, block, flat) is None and lost(block, block, {}) is None
    few = {"share": np.where(np.arange(N) < 30, block[:, 0], np.nan).astype(np.float64)}
    assert lost(block, block, few) is None
    assert points_lost(block, block, targets(block), RULES, np.arange(N) < 10, 0) is None
