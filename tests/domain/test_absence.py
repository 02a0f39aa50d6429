"""An absent part becomes what its named strategy says, and what is there is never touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from terrashot.domain.absence import LEAST_SHRINKAGE, LONGEST, AbsenceModel, fill_absent_parts, learn_absence
from terrashot.errors import InputError, UsageError

PARTS = (slice(0, 4), slice(4, 8), slice(8, 12))
FILLING = ("training-mean", "ridge")


def unit_parts(n, seed=0, dtype=np.float64):
    """Three parts of four numbers that have something in common."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n, 3))
    raw = common @ rng.standard_normal((3, 12)) + 0.3 + 0.5 * rng.standard_normal((n, 12))
    parts = raw.reshape(n, 3, 4)
    return (parts / np.linalg.norm(parts, axis=2, keepdims=True)).reshape(n, 12).astype(dtype)


def learn(vectors, strategy="ridge", cuts=()):
    return learn_absence(lambda: np.split(vectors, cuts), strategy)


def without(vectors, *parts):
    gone = vectors.copy()
    for part in parts:
        gone[:, PARTS[part]] = np.nan
    return gone


def test_the_shrunk_covariance_is_that_of_ledoit_and_wolf():
    vectors = unit_parts(50)
    model, (expected, shrinkage) = learn(vectors), ledoit_wolf(vectors)
    np.testing.assert_allclose(model.covariance, expected, rtol=1e-12, atol=1e-15)
    assert model.shrinkage == pytest.approx(shrinkage) and 0 < shrinkage < 1
    assert model.n_rows == 50


def test_a_foretold_part_is_that_of_a_ridge_regression_on_the_present_ones():
    train, test = unit_parts(200), unit_parts(30, seed=1)
    model = learn(train)
    variance = np.trace(np.cov(train.T, bias=True)) / 12
    penalty = len(train) * model.shrinkage * variance / (1 - model.shrinkage)
    for gone in ([0], [2], [0, 1], [1, 2]):
        absent = np.concatenate([np.arange(12)[PARTS[part]] for part in gone])
        present = np.setdiff1d(np.arange(12), absent)
        reference = Ridge(penalty).fit(train[:, present], train[:, absent]).predict(test[:, present])
        found = fill_absent_parts(without(test, *gone), model, "ridge")
        np.testing.assert_allclose(found[:, absent], reference, rtol=1e-9, atol=1e-12)


def test_rows_of_different_absence_are_filled_as_each_would_be_alone():
    test, model = unit_parts(12, seed=2), learn(unit_parts(100))
    for row, gone in enumerate([(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (), (0,), (1,), (2,), (0, 1), ()]):
        test[row : row + 1] = without(test[row : row + 1], *gone)
    for strategy in FILLING:
        together = fill_absent_parts(test, model, strategy)
        alone = np.concatenate([fill_absent_parts(test[row : row + 1], model, strategy) for row in range(12)])
        np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-15)


def test_the_training_mean_needs_no_covariance():
    train, test = unit_parts(100), without(unit_parts(5, seed=1), 1)
    model = learn(train, "training-mean")
    assert model.covariance is None
    found = fill_absent_parts(test, model, "training-mean")
    np.testing.assert_allclose(found[:, PARTS[1]], np.tile(train[:, PARTS[1]].mean(axis=0), (5, 1)))
    with pytest.raises(UsageError, match="training means alone"):
        fill_absent_parts(test, model, "ridge")


def test_a_chip_that_lacks_a_part_is_dropped_whole_where_that_is_asked_for():
    test = unit_parts(3)
    test[1:2] = without(test[1:2], 2)
    found = fill_absent_parts(test, learn(unit_parts(10)), "drop")
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[[0, 2]], test[[0, 2]])


def test_a_part_that_follows_linearly_from_another_is_recovered():
    rng = np.random.default_rng(0)
    seen, turn = rng.standard_normal((5000, 4)), np.linalg.qr(rng.standard_normal((4, 4)))[0]
    whole = np.hstack([seen, seen @ turn, rng.standard_normal((5000, 4))])
    model = learn(whole[:4000])
    found = fill_absent_parts(without(whole[4000:], 1), model, "ridge")
    # What is missing is the shrinkage's share, which falls with the number of chips.
    assert np.abs(found - whole[4000:])[:, PARTS[1]].max() < 0.02
    assert model.shrinkage < 0.006


def test_few_or_equal_training_chips_still_give_an_answer():
    two = unit_parts(2)
    model = learn(two)
    assert model.shrinkage == LEAST_SHRINKAGE
    found = fill_absent_parts(without(two, 0), model, "ridge")
    np.testing.assert_allclose(found, two, atol=1e-4)
    same = np.tile(two[:1], (5, 1))
    np.testing.assert_allclose(fill_absent_parts(without(same, 0), learn(same), "ridge"), same)


def test_a_row_that_lacks_a_part_teaches_the_means_of_its_others():
    train, more = unit_parts(40), without(unit_parts(7, seed=5), 1)
    mean = learn(np.concatenate([more, train]), "training-mean").mean
    np.testing.assert_allclose(mean[PARTS[1]], train[:, PARTS[1]].mean(axis=0))
    np.testing.assert_allclose(mean[PARTS[0]], np.concatenate([more, train])[:, PARTS[0]].mean(axis=0))


def test_a_number_that_no_row_has_is_refused():
    with pytest.raises(InputError, match="no training chip has some of the parts"):
        learn(without(unit_parts(5), 1), "training-mean")


def test_rows_that_lack_anything_teach_the_ridge_nothing():
    train = unit_parts(40)
    with_gaps = np.concatenate([without(unit_parts(7, seed=5), 1), train, without(unit_parts(1, seed=6), 0, 1, 2)])
    np.testing.assert_array_equal(learn(with_gaps).mean, learn(train).mean)
    np.testing.assert_array_equal(learn(with_gaps).covariance, learn(train).covariance)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_complete_chips_are_refused_with_what_to_do(n):
    train = np.concatenate([unit_parts(n), without(unit_parts(5), 0)])
    with pytest.raises(InputError, match=f"absence: {n} training chips have every part.*use 'training-mean'"):
        learn(train)


def test_vectors_too_long_for_a_covariance_get_a_mean_or_a_clear_refusal():
    train = np.ones((2, LONGEST + 1), np.float16)
    with pytest.raises(UsageError, match=r"8193 numbers are too long for the strategy 'ridge'.*use 'training-mean'"):
        learn(train)
    train[1] = 0
    assert learn(train, "training-mean").mean[-1] == 0.5


def test_neither_batches_nor_threads_change_a_bit():
    train, test = unit_parts(3000, dtype=np.float32), without(unit_parts(50, seed=1, dtype=np.float32), 1)
    models = [learn(train), learn(train, cuts=(1, 1, 700, 2999))]
    with threadpool_limits(2):
        models.append(learn(train, cuts=range(100, 3000, 100)))
    for model in models[1:]:
        np.testing.assert_array_equal(model.covariance, models[0].covariance)
        np.testing.assert_array_equal(
            fill_absent_parts(test, model, "ridge"), fill_absent_parts(test, models[0], "ridge")
        )


def test_the_order_of_the_training_chips_hardly_matters():
    train, test = unit_parts(2500), without(unit_parts(50, seed=1), 2)
    turned = np.random.default_rng(3).permutation(train)
    ours, theirs = (fill_absent_parts(test, learn(rows), "ridge") for rows in (train, turned))
    np.testing.assert_allclose(ours, theirs, atol=1e-11)


MODEL = learn(unit_parts(60))


@settings(max_examples=60)
@given(
    hnp.arrays(bool, st.tuples(st.integers(1, 9), st.just(3))),
    st.sampled_from(FILLING),
    st.sampled_from([np.float16, np.float32, np.float64]),
    st.integers(0, 99),
)
def test_filling_keeps_what_is_there_to_the_bit_and_leaves_no_gap_in_a_row_that_has_something(
    gone, strategy, dtype, seed
):
    vectors = unit_parts(len(gone), seed, dtype)
    absent = np.repeat(gone, 4, axis=1)
    vectors[absent] = np.nan
    before = vectors.tobytes()
    found = fill_absent_parts(vectors, MODEL, strategy)
    assert vectors.tobytes() == before and found.dtype == dtype
    assert found[~absent].tobytes() == vectors[~absent].tobytes()
    has_something = ~gone.all(axis=1)
    assert not np.isnan(found[has_something]).any()
    assert np.isnan(found[~has_something]).all()


def test_a_model_is_what_its_moments_are():
    model = AbsenceModel(np.zeros(2), np.array([[1.0, 0.5], [0.5, 1.0]]), 0.0, 9)
    found = fill_absent_parts(np.array([[0.8, np.nan], [np.nan, 0.8]]), model, "ridge")
    np.testing.assert_allclose(found, [[0.8, 0.4], [0.4, 0.8]])
