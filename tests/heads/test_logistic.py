"""The logistic head is exact, however few the labels."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from terrashot.heads.logistic import LOGIT_VARIANCE, logistic_probabilities, standardiser


def sample(n, dimensions, classes, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n, dtype=np.int64) % classes
    return (rng.normal(size=(n, dimensions)) + y[:, None] * 0.4).astype(np.float32), y


@pytest.mark.parametrize(("n", "dimensions", "classes"), [(10, 200, 2), (60, 200, 2), (60, 300, 4), (300, 20, 3)])
def test_the_fit_has_converged(n, dimensions, classes):
    train, y = sample(n, dimensions, classes)
    test, _ = sample(50, dimensions, classes, seed=1)
    direct = (
        LogisticRegression(C=LOGIT_VARIANCE / dimensions, tol=1e-8, max_iter=5000).fit(train, y).predict_proba(test)
    )
    np.testing.assert_allclose(logistic_probabilities(train, y, test, classes), direct, atol=3e-4)


def test_a_class_that_was_not_drawn_gets_no_probability():
    train, y = sample(20, 5, 2)
    probabilities = logistic_probabilities(train, y * 2, train, 4)
    assert (probabilities[:, [1, 3]] == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_standardised_columns_have_zero_mean_and_unit_spread_and_constant_ones_vanish():
    vectors, _ = sample(100, 3, 2)
    vectors[:, 2] = 5
    scaled = standardiser(vectors).apply(vectors)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 1, 0], atol=1e-5)
