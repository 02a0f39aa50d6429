"""One contract for every head."""

import numpy as np
import pytest

from terrashot.heads.pool import HEADS, HeadSettings, make_pool, predict

RNG = np.random.default_rng(0)
Y = (np.arange(40) % 2).astype(np.int64)
TRAIN = (RNG.normal(size=(40, 6)) + Y[:, None]).astype(np.float32)
TEST = RNG.normal(size=(9, 6)).astype(np.float32)


def ask(head, rows, y, train=TRAIN, test=TEST, classes=2):
    return predict(head, make_pool(train, test, 0), rows, y, n_classes=classes, settings=HeadSettings(), seed=3)


@pytest.mark.parametrize("head", HEADS)
def test_every_head_gives_probabilities_of_every_class(head):
    probabilities = ask(head, np.arange(40), Y, classes=3)
    assert probabilities.shape == (9, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_a_draw_of_one_class_is_a_constant_predictor(head):
    probabilities = ask(head, np.arange(5), np.ones(5, np.int64))
    assert (probabilities == [0, 1]).all()


@pytest.mark.parametrize("head", HEADS)
def test_without_a_feature_a_head_knows_the_shares_of_the_draw(head):
    empty = np.empty((40, 0), np.float32), np.empty((9, 0), np.float32)
    probabilities = ask(head, np.arange(4), np.array([0, 1, 1, 1]), *empty)
    np.testing.assert_allclose(probabilities, np.tile([0.25, 0.75], (9, 1)))


@pytest.mark.parametrize("head", HEADS)
def test_every_head_learns_what_is_there_to_learn(head):
    far = (TRAIN + 6 * Y[:, None]).astype(np.float32)
    assert (ask(head, np.arange(40), Y, far, far).argmax(axis=1) == Y).all()
