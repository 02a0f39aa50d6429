"""The logistic head is exact, however few the labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from terrashot.heads.lesson import HeadSettings, Lesson
from terrashot.heads.logistic import FEW_ROWS, LOGIT_VARIANCE, SMALL_SYSTEM, logistic_classes
from terrashot.heads.logistic_newton import logistic_by_newton


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


def logits_after_another_step(learn, y, weights, intercept, ridge):
    """Naive: logits of the rows, and how far one more Newton step in float64, in the columns, would move them."""
    rows = np.column_stack([learn, np.ones(len(y))]).astype(np.float64)
    penalty = np.append(np.full(learn.shape[1], ridge), 0.0)
    found = np.append(weights, intercept).astype(np.float64)
    share = 1 / (1 + np.exp(-rows @ found))
    slope = rows.T @ (share - y) + penalty * found
    curvature = rows.T @ (rows * (share * (1 - share))[:, None]) + np.diag(penalty)
    return rows @ found, rows @ np.linalg.solve(curvature, slope)


@settings(max_examples=60)
@given(
    n=st.integers(2, 40),
    dimensions=st.integers(1, 60),
    positives=st.integers(1, 39),
    scale=st.sampled_from([0.01, 1.0, 30.0]),
    ridge=st.sampled_from([0.3, 1.0, 20.0, 200.0]),
    seed=st.integers(0, 10),
)
def test_newtons_method_ends_where_another_step_leads_nowhere(n, dimensions, positives, scale, ridge, seed):
    rng = np.random.default_rng(seed)
    learn = (scale * rng.normal(size=(n, dimensions))).astype(np.float32)
    y = (np.arange(n) < min(positives, n - 1)).astype(np.float64)
    weights, intercept = logistic_by_newton(learn, y, ridge)
    logits, further = logits_after_another_step(learn, y, weights, intercept, ridge)
    assert np.abs(further).max() < 1e-5 * max(1.0, np.abs(logits).max())


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_rows_and_columns_give_the_same_fit(share):
    rng = np.random.default_rng(1)
    learn = rng.normal(size=(40, 41)).astype(np.float32)
    y = (np.arange(40) < 40 * share).astype(np.float64)
    learn[:, 40] = 0  # says nothing, but makes the columns more than the rows
    by_rows, first = logistic_by_newton(learn, y, 10.0)
    by_columns, second = logistic_by_newton(learn[:, :40], y, 10.0)
    np.testing.assert_allclose(by_rows[:40], by_columns, atol=1e-5)
    assert first == pytest.approx(second, abs=1e-5)


def test_rows_that_are_all_alike_leave_the_shares_of_the_classes():
    weights, intercept = logistic_by_newton(np.zeros((8, 20), np.float32), np.array([1.0, *[0.0] * 7]), 5.0)
    assert not weights.any()
    assert intercept == pytest.approx(np.log(1 / 7), abs=1e-9)


@pytest.mark.parametrize(
    ("n", "dimensions"), [(FEW_ROWS, 20), (FEW_ROWS + 2, 20), (SMALL_SYSTEM, 500), (SMALL_SYSTEM + 2, 500)]
)
def test_both_solvers_find_the_same_fit_where_one_hands_over_to_the_other(n, dimensions):
    learn, y = sample(n, dimensions, 2)
    judge, _ = sample(50, dimensions, 2, seed=1)
    direct = (
        LogisticRegression(C=LOGIT_VARIANCE / dimensions, tol=1e-8, max_iter=5000).fit(learn, y).predict_proba(judge)
    )
    np.testing.assert_allclose(logistic_classes(Lesson(learn, y, judge, HeadSettings(), 0)), direct, atol=5e-4)
