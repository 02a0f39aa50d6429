"""Heads against their definitions, written out without haste."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from terrashot.heads import boosted, knn, svm
from terrashot.heads.boosted import boosted_classes, boosted_values
from terrashot.heads.decision import probabilities_of
from terrashot.heads.knn import knn_classes, knn_values
from terrashot.heads.lesson import HeadSettings, Lesson
from terrashot.heads.prototype import prototype_classes
from terrashot.heads.ridge import NOISE, ridge_classes, ridge_values
from terrashot.heads.svm import svm_classes

SIZES = [(6, 10, 2), (50, 4, 3), (200, 30, 4)]
every_size = pytest.mark.parametrize(("n", "dimensions", "classes"), SIZES)


def lesson(n, dimensions, classes, *, values=False):
    rng = np.random.default_rng(n)
    y = np.arange(n, dtype=np.int64) % classes
    learn = (rng.normal(size=(n, dimensions)) + 0.5 * y[:, None]).astype(np.float32)
    judge = rng.normal(size=(40, dimensions)).astype(np.float32)
    return Lesson(learn, learn[:, 0] + rng.normal(size=n) if values else y, judge, HeadSettings(), 0)


@every_size
def test_the_prototype_head_chooses_the_nearest_class_mean(n, dimensions, classes):
    own = lesson(n, dimensions, classes)
    nearest = []
    for row in own.judge:
        distances = [np.linalg.norm(row - own.learn[own.y == k].mean(axis=0)) for k in range(classes)]
        nearest.append(int(np.argmin(distances)))
    assert (prototype_classes(own).argmax(axis=1) == nearest).all()


def closed_form(own, targets):
    """Middle, and weights from the normal equations in float64."""
    x = own.learn.astype(np.float64)
    middle = x.mean(axis=0)
    centred, aim = x - middle, targets - targets.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + NOISE * x.shape[1] * np.eye(x.shape[1]), centred.T @ aim)
    return (own.judge - middle) @ weights + targets.mean(axis=0)


@every_size
def test_ridge_is_its_closed_form(n, dimensions, classes):
    own = lesson(n, dimensions, classes, values=True)
    direct = closed_form(own, own.y)
    np.testing.assert_allclose(ridge_values(own), direct, atol=1e-4)


@every_size
def test_ridge_chooses_the_class_of_the_largest_fitted_target(n, dimensions, classes):
    own = lesson(n, dimensions, classes)
    direct = closed_form(own, np.eye(classes)[own.y] * 2 - 1)
    np.testing.assert_allclose(ridge_classes(own), probabilities_of(direct), atol=1e-4)


def neighbours(own, k):
    for row in own.judge.astype(np.float64):
        distances = np.linalg.norm(own.learn - row, axis=1)
        nearest = np.argsort(distances, kind="stable")[:k]
        yield nearest, 1 / distances[nearest]


@pytest.mark.parametrize(("n", "dimensions", "classes", "k"), [(6, 10, 2, 1), (50, 4, 3, 3), (200, 30, 4, 5)])
def test_knn_weighs_its_neighbours_by_their_nearness_and_gives_each_class_a_vote(n, dimensions, classes, k):
    own = lesson(n, dimensions, classes)
    shares = [np.bincount(own.y[at], weight, minlength=classes) / weight.sum() for at, weight in neighbours(own, k)]
    direct = (k * np.array(shares) + 1) / (k + classes)
    np.testing.assert_allclose(knn_classes(own), direct, atol=1e-5)


def test_knn_gives_the_weighted_mean_of_its_neighbours():
    own = lesson(200, 30, 2, values=True)
    direct = [np.average(own.y[at], weights=weight) for at, weight in neighbours(own, 5)]
    np.testing.assert_allclose(knn_values(own), direct, atol=1e-5)


def test_of_neighbours_equally_near_the_first_of_the_draw_is_taken():
    learn = np.array([[1], [1], [1], [9], [9]], np.float32)
    own = Lesson(learn, np.array([1, 0, 0, 0, 1]), np.zeros((3, 1), np.float32), HeadSettings(), 0)
    assert knn._neighbours(5, 2) == 1
    assert (knn_classes(own).argmax(axis=1) == 1).all()


@every_size
def test_the_svm_chooses_as_scikit_learn_does(n, dimensions, classes):
    own = lesson(n, dimensions, classes)
    direct = LinearSVC(C=svm.VARIANCE / dimensions, dual=False).fit(own.learn, own.y).predict(own.judge)
    assert (svm_classes(own).argmax(axis=1) == direct).all()


@given(st.lists(st.lists(st.integers(-300, 300), min_size=3, max_size=3, unique=True), min_size=2, max_size=9))
def test_decisions_keep_their_order_as_probabilities(hundredths):
    decision = np.array(hundredths) / 100
    probabilities = probabilities_of(decision)
    assert (probabilities.argmax(axis=1) == decision.argmax(axis=1)).all()
    margin = decision[:, 0] - decision[:, 1]
    two = probabilities_of(np.column_stack([margin, -margin]))[:, 0]
    assert (np.diff(two[np.argsort(margin, kind="stable")]) >= 0).all()


def test_near_even_chances_a_probability_is_half_of_the_decision_and_one():
    decision = np.array([[0.01, -0.01], [-0.02, 0.02]])
    np.testing.assert_allclose(probabilities_of(decision), (decision + 1) / 2, atol=1e-5)


def test_boosted_trees_judge_some_rows_at_a_time_as_all_at_once(monkeypatch):
    learn = np.random.default_rng(0).integers(0, 64, size=(60, 5)).astype(np.uint8)
    own = Lesson(learn, (learn[:, 0] > 31).astype(np.int64), learn, HeadSettings(), 0)
    whole = boosted_classes(own), boosted_values(own)
    monkeypatch.setattr(boosted, "ROWS_AT_ONCE", 7)
    assert (boosted_classes(own) == whole[0]).all() and (boosted_values(own) == whole[1]).all()
