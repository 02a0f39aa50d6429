"""Scores are those of scikit-learn where it defines them, and absent where nobody does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from terrashot.evaluate.scores.metrics import score


def random_case(seed, classes, n=40, levels=8):
    rng = np.random.default_rng(seed)
    raw = rng.integers(1, levels, (n, classes)).astype(float)  # few levels, so that probabilities tie
    return rng.integers(0, classes, n), raw / raw.sum(axis=1, keepdims=True)


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_two_classes_are_scored_as_by_the_reference(seed):
    y, probabilities = random_case(seed, 2)
    found, predicted = score(y, probabilities), probabilities.argmax(axis=1)
    assert found.accuracy == pytest.approx(reference.accuracy_score(y, predicted))
    assert found.balanced_accuracy == pytest.approx(reference.balanced_accuracy_score(y, predicted))
    assert found.f1 == pytest.approx(reference.f1_score(y, predicted, zero_division=0))
    assert found.auc == pytest.approx(reference.roc_auc_score(y, probabilities[:, 1]))
    assert found.average_precision == pytest.approx(reference.average_precision_score(y, probabilities[:, 1]))
    assert found.mcc == pytest.approx(reference.matthews_corrcoef(y, predicted))
    assert found.brier == pytest.approx(reference.brier_score_loss(y, probabilities[:, 1]))


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(3, 6))
def test_many_classes_are_scored_as_by_the_reference(seed, classes):
    y, probabilities = random_case(seed, classes, n=120)
    found, predicted = score(y, probabilities), probabilities.argmax(axis=1)
    assert found.balanced_accuracy == pytest.approx(reference.balanced_accuracy_score(y, predicted))
    assert found.f1 == pytest.approx(reference.f1_score(y, predicted, average="macro", zero_division=0))
    assert found.auc == pytest.approx(reference.roc_auc_score(y, probabilities, multi_class="ovr"))
    assert found.mcc == pytest.approx(reference.matthews_corrcoef(y, predicted))


def test_scores_that_nobody_defines_are_absent():
    found = score(np.zeros(5, np.int64), np.tile([0.9, 0.1], (5, 1)))
    assert (found.accuracy, found.auc, found.average_precision, found.mcc) == (1.0, None, None, None)
    assert found.f1 is None
