"""The logistic head is exact, however few the labels."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from terrashot.heads.lesson import HeadSettings, Lesson
from terrashot.heads.logistic import LOGIT_VARIANCE, logistic_classes


def sample(n, dimensions, classes, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n, dtype=np.int64) % classes
    return (rng.normal(size=(n, dimensions)) + y[:, None] * 0.4).astype(np.float32), y


@pytest.mark.parametrize(("n", "dimensions", "classes"), [(10, 200, 2), (60, 200, 2), (60, 300, 4), (300, 20, 3)])
def test_the_fit_has_converged(n, dimensions, classes):
    learn, y = sample(n, dimensions, classes)
    judge, _ = sample(50, dimensions, classes, seed=1)
    direct = (
        LogisticRegression(C=LOGIT_VARIANCE / dimensions, tol=1e-8, max_iter=5000).fit(learn, y).predict_proba(judge)
    )
    np.testing.assert_allclose(logistic_classes(Lesson(learn, y, judge, HeadSettings(), 0)), direct, atol=3e-4)
