"""One contract for every head, for classes and for values."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from terrashot.errors import InputError
from terrashot.heads.pool import HEADS, HeadSettings, make_pool, predict, predict_values

# pytest takes back the filter that the network's module sets; that nothing is written is tested below, in a process apart.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
Y = (np.arange(40) % 2).astype(np.int64)
LEARN = (RNG.normal(size=(40, 6)) + Y[:, None]).astype(np.float32)
JUDGE = RNG.normal(size=(9, 6)).astype(np.float32)
VALUES = LEARN[:, 0].astype(np.float64) * 100 + 1000
EMPTY = np.empty((40, 0), np.float32), np.empty((9, 0), np.float32)
WITH_VALUES = [name for name, head in HEADS.items() if head.values is not None]
every_head = pytest.mark.parametrize("head", HEADS)
every_head_with_values = pytest.mark.parametrize("head", WITH_VALUES)


def ask(head, rows, y, learn=LEARN, judge=JUDGE, classes=2, seed=3):
    pool = make_pool(learn, judge, 0, [head])
    return predict(head, pool, rows, y, n_classes=classes, settings=HeadSettings(), seed=seed)


def ask_values(head, rows, y, learn=LEARN, judge=JUDGE, seed=3):
    return predict_values(head, make_pool(learn, judge, 0, [head]), rows, y, settings=HeadSettings(), seed=seed)


@every_head
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_head_gives_probabilities_and_none_to_a_class_that_was_not_drawn(head, n_classes):
    y = np.arange(40) % n_classes * 2
    probabilities = ask(head, np.arange(40), y, classes=6)
    assert probabilities.shape == (9, 6) and probabilities.dtype == np.float32
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.delete(probabilities, np.unique(y), axis=1) == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@every_head
def test_a_draw_of_one_class_is_a_constant_predictor(head):
    assert (ask(head, np.arange(5), np.ones(5, np.int64)) == [0, 1]).all()


@every_head
def test_without_a_feature_a_head_knows_the_shares_of_the_draw(head):
    probabilities = ask(head, np.arange(4), np.array([0, 1, 1, 1]), *EMPTY)
    np.testing.assert_allclose(probabilities, np.tile([0.25, 0.75], (9, 1)))


@every_head
def test_every_head_learns_what_is_there_to_learn(head):
    far = (LEARN + 6 * Y[:, None]).astype(np.float32)
    assert (ask(head, np.arange(40), Y, far, far).argmax(axis=1) == Y).all()


@every_head
@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_handful_of_labels_is_enough_for_an_answer(head, n):
    probabilities = ask(head, np.arange(n), Y[:n])
    assert np.isfinite(probabilities).all()


@every_head
def test_same_rows_and_seed_give_the_same_bytes(head):
    assert ask(head, np.arange(20), Y[:20]).tobytes() == ask(head, np.arange(20), Y[:20]).tobytes()


@every_head
def test_the_seed_changes_nothing_of_a_head_that_says_so_and_something_of_the_others(head):
    same = ask(head, np.arange(20), Y[:20], seed=3).tobytes() == ask(head, np.arange(20), Y[:20], seed=4).tobytes()
    assert same == HEADS[head].deterministic


@every_head
def test_rows_are_judged_alone(head):
    order = RNG.permutation(9)
    whole = ask(head, np.arange(40), Y)
    np.testing.assert_allclose(ask(head, np.arange(40), Y, judge=JUDGE[order]), whole[order], atol=1e-6)
    np.testing.assert_allclose(ask(head, np.arange(40), Y, judge=JUDGE[:1]), whole[:1], atol=1e-6)


@every_head
def test_columns_without_spread_are_harmless(head):
    constant = [np.full((len(vectors), 2), 1e6, np.float32) for vectors in (LEARN, JUDGE)]
    learn, judge = (np.hstack([vectors, extra]) for vectors, extra in zip((LEARN, JUDGE), constant, strict=True))
    assert np.isfinite(ask(head, np.arange(20), Y[:20], learn, judge)).all()
    assert np.isfinite(ask(head, np.arange(20), Y[:20], *constant)).all()


@every_head
def test_rows_that_are_all_the_same_get_the_same_answer(head):
    same = np.ones((40, 3), np.float32)
    probabilities = ask(head, np.arange(20), Y[:20], same, same)
    np.testing.assert_allclose(probabilities, np.tile(probabilities[0], (40, 1)))


@every_head
def test_vectors_of_half_precision_are_welcome(head):
    half = ask(head, np.arange(40), Y, LEARN.astype(np.float16), JUDGE.astype(np.float16))
    assert np.abs(half - ask(head, np.arange(40), Y)).mean() < 0.05


@every_head
def test_a_fit_leaves_the_pool_as_it_was(head):
    pool = make_pool(LEARN, JUDGE, 0, [head])
    before = [vectors.tobytes() for vectors in pool.forms[HEADS[head].needs]]
    predict(head, pool, np.arange(20), Y[:20], n_classes=2, settings=HeadSettings(), seed=1)
    if head in WITH_VALUES:
        predict_values(head, pool, np.arange(20), VALUES[:20], settings=HeadSettings(), seed=1)
    assert [vectors.tobytes() for vectors in pool.forms[HEADS[head].needs]] == before


def test_fits_side_by_side_give_what_they_give_alone():
    pool = make_pool(LEARN, JUDGE, 0, list(HEADS))

    def fit(head):
        return predict(head, pool, np.arange(30), Y[:30], n_classes=2, settings=HeadSettings(), seed=1).tobytes()

    alone = [fit(head) for head in HEADS] * 3
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(fit, [*HEADS] * 3)) == alone


@every_head
def test_a_draw_of_equal_rows_with_different_classes_is_harmless(head):
    learn = np.vstack([LEARN[:1]] * 10 + [LEARN[10:]])
    probabilities = ask(head, np.arange(10), Y[:10], learn)
    np.testing.assert_allclose(probabilities, 0.5, atol=0.2)


def test_a_pool_holds_only_what_its_heads_need():
    assert list(make_pool(LEARN, JUDGE, 0, ["forest"]).forms) == ["bins"]
    assert list(make_pool(LEARN, JUDGE, 0, ["ridge", "mlp"]).forms) == ["scaled"]


@pytest.mark.parametrize("head", [name for name, one in HEADS.items() if one.most_rows])
def test_a_head_with_a_limit_learns_from_rows_all_over_the_draw(head, monkeypatch):
    monkeypatch.setitem(HEADS, head, replace(HEADS[head], most_rows=20))
    y = (np.arange(40) >= 20).astype(np.int64)
    some = np.linspace(0, 39, 20).astype(np.int64)
    limited = ask(head, np.arange(40), y)
    monkeypatch.undo()
    assert (limited == ask(head, some, y[some])).all()


@every_head_with_values
def test_values_follow_the_unit_of_the_draw(head):
    found = ask_values(head, np.arange(40), VALUES)
    assert found.shape == (9,) and found.dtype == np.float64
    np.testing.assert_allclose(ask_values(head, np.arange(40), VALUES / 1000), found / 1000, rtol=1e-3)


@every_head_with_values
def test_every_head_with_values_learns_what_is_there_to_learn(head):
    found = ask_values(head, np.arange(40), VALUES, judge=LEARN)
    assert np.corrcoef(found, VALUES)[0, 1] > 0.8


@every_head_with_values
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_handful_of_values_is_enough_for_an_answer(head, n):
    assert np.isfinite(ask_values(head, np.arange(n), VALUES[:n])).all()


@every_head_with_values
def test_without_a_feature_or_a_difference_the_answer_is_the_mean_of_the_draw(head):
    np.testing.assert_allclose(ask_values(head, np.arange(4), VALUES[:4], *EMPTY), VALUES[:4].mean())
    assert (ask_values(head, np.arange(4), np.full(4, 7.5)) == 7.5).all()


@every_head_with_values
def test_values_of_the_same_draw_and_seed_are_the_same_bytes_and_each_row_is_judged_alone(head):
    found = ask_values(head, np.arange(20), VALUES[:20])
    assert ask_values(head, np.arange(20), VALUES[:20]).tobytes() == found.tobytes()
    order = RNG.permutation(9)
    np.testing.assert_allclose(
        ask_values(head, np.arange(20), VALUES[:20], judge=JUDGE[order]), found[order], rtol=1e-6
    )


@pytest.mark.parametrize("head", [name for name in HEADS if name not in WITH_VALUES])
def test_a_head_of_classes_only_says_which_heads_give_values(head):
    with pytest.raises(InputError, match=r"use one of .*ridge"):
        ask_values(head, np.arange(4), VALUES[:4])


QUIET = """
import numpy as np
from terrashot.heads.pool import HEADS, HeadSettings, make_pool, predict, predict_values
rng = np.random.default_rng(0)
learn = rng.normal(size=(60, 30)).astype(np.float32)
pool = make_pool(learn, learn, 0, list(HEADS))
for n in (2, 5, 60):
    for head in HEADS:
        settings = HeadSettings(trees=3)
        predict(head, pool, np.arange(n), np.arange(n) % 2, n_classes=2, settings=settings, seed=0)
        if HEADS[head].values is not None:
            predict_values(head, pool, np.arange(n), rng.normal(size=n), settings=settings, seed=0)
"""


def test_no_head_writes_to_standard_error():
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True)
    assert done.stderr == "" and done.stdout == ""
