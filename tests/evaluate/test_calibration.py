"""Calibration: what it promises comes true, and what it must never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.evaluate.mapping.calibration import (
    Calibration,
    cross_calibrated,
    expected_calibration_error,
    fit_calibration,
    reliability,
)
from terrashot.evaluate.scores.metrics import score


def believed(n, slope, shift, seed=0):
    """Classes that come true as `truth` says, and what a head says whose log odds are bent by slope and shift."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 2, n)
    truth = 1 / (1 + np.exp(-odds))
    said = 1 / (1 + np.exp(-(odds - shift) / slope))
    return (rng.random(n) < truth).astype(np.int64), np.column_stack([1 - said, said]).astype(np.float32), truth


@pytest.mark.parametrize(("slope", "shift"), [(2.0, 0.0), (0.5, 0.0), (1.0, 1.0), (1.5, -0.7)])
def test_a_head_that_is_too_timid_too_bold_or_askew_is_put_right(slope, shift):
    y, said, truth = believed(20_000, slope, shift)
    fitted = fit_calibration(said, y)
    assert fitted.slope == pytest.approx(slope, rel=0.06)
    assert fitted.shift[1] - fitted.shift[0] == pytest.approx(shift, abs=0.06)
    middle = (truth > 0.02) & (truth < 0.98)  # beyond lies the floor of probabilities
    np.testing.assert_allclose(fitted.apply(said)[middle, 1], truth[middle], atol=0.02)


def test_a_head_that_is_right_already_is_left_alone_even_by_few_labels():
    for n in (8, 40, 5000):
        y, said, _ = believed(n, 1.0, 0.0)
        assert np.abs(fit_calibration(said, y).apply(said) - said).max() < 0.08


def test_ten_labels_cannot_spoil_a_head_that_is_right():
    judged, said, _ = believed(2000, 1.0, 0.0, seed=99)
    before = reliability(judged, said).log_loss
    after = [
        reliability(judged, fit_calibration(own, y).apply(said)).log_loss
        for y, own, _ in (believed(10, 1.0, 0.0, s) for s in range(20))
    ]
    assert np.mean(after) < before + 0.01


@settings(max_examples=60)
@given(st.integers(2, 5), st.integers(6, 60), st.integers(0, 10_000))
def test_log_loss_never_rises_on_the_labels_it_was_fitted_to_and_rows_stay_probabilities(n_classes, n, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(n_classes, 0.4), n).astype(np.float32)
    y = rng.integers(0, n_classes, n)
    after = fit_calibration(probabilities, y).apply(probabilities)
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-6)
    # What apply rounds to float32, and the floor under an absurd probability, is all that may be lost.
    assert reliability(y, after).log_loss <= reliability(y, probabilities).log_loss + 1e-3


@given(st.floats(0, 5), st.floats(-3, 3))
def test_of_two_classes_the_order_of_chips_is_kept(slope, shift):
    said = np.linspace(0, 1, 101)
    after = Calibration(slope, np.array([0.0, shift])).apply(np.column_stack([1 - said, said]))[:, 1]
    assert (np.diff(after) >= 0).all()


def test_a_chip_without_a_probability_stays_without():
    assert np.isnan(Calibration(1.0, np.zeros(2)).apply(np.full((1, 2), np.nan, np.float32))).all()


def test_labels_that_say_nothing_give_the_shares_of_the_classes():
    rng = np.random.default_rng(0)
    y, said = (rng.random(4000) < 0.2).astype(np.int64), rng.random(4000)
    after = fit_calibration(np.column_stack([1 - said, said]), y).apply(np.column_stack([1 - said, said]))
    np.testing.assert_allclose(after[:, 1], y.mean(), atol=0.03)


def test_a_fold_is_calibrated_by_the_other_folds_alone():
    y, said, _ = believed(60, 2.0, 0.5)
    fold = np.arange(60) % 3
    flipped = np.where(fold == 1, 1 - y, y)
    ours, theirs = cross_calibrated(said, y, fold), cross_calibrated(said, flipped, fold)
    np.testing.assert_array_equal(ours[fold == 1], theirs[fold == 1])
    assert (ours[fold != 1] != theirs[fold != 1]).any()


def test_the_calibration_error_is_the_gap_between_promise_and_outcome_bin_by_bin():
    said = np.repeat([0.1, 0.5, 0.9], 100)
    y = np.concatenate([np.arange(100) < 30, np.arange(100) < 50, np.arange(100) < 90]).astype(np.int64)
    # The first of three equal parts promises 0.1 and keeps 0.3. 30 bins would be 10: each of one promise, y sorted within.
    y = np.concatenate([np.random.default_rng(0).permutation(part) for part in np.split(y, 3)])
    error = expected_calibration_error(y, np.column_stack([1 - said, said]))
    assert 0.2 / 3 <= error <= 0.2 / 3 + 0.07


def test_a_perfect_promise_has_no_error_but_chance():
    errors = {}
    for n in (10, 100, 10_000):
        found = [
            expected_calibration_error(y, np.column_stack([1 - p, p]))
            for y, _, p in (believed(n, 1.0, 0.0, seed) for seed in range(40 if n < 1000 else 3))
        ]
        errors[n] = np.mean(found)
    assert errors[10_000] < 0.015 < errors[100] < 0.11


def test_the_brier_score_is_the_one_of_the_few_label_protocol():
    y, said, _ = believed(50, 1.0, 0.0)
    assert reliability(y, said).brier == pytest.approx(score(y, said).brier)
