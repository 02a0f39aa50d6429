"""Out-of-fold predictions: no chip is judged by a head that has seen its label, group or block."""

import numpy as np
import pytest

from terrashot.domain.tables import Chips
from terrashot.evaluate.mapping.out_of_fold import make_folds, out_of_fold
from terrashot.evaluate.protocol.spatial import block_names
from terrashot.heads.lesson import HeadSettings


def chips(n, *, group=None, utm=None):
    nothing = (None,) * n
    return Chips(tuple(f"c{i}" for i in range(n)), ("all",) * n, group or nothing, nothing, utm=utm)


def on_a_lattice(side):
    row, col = np.divmod(np.arange(side * side), side)
    return chips(side * side, utm=np.column_stack([np.full(side * side, 32632), row, col]))


def test_no_spatial_block_is_cut_and_classes_are_shared_out():
    table = on_a_lattice(64)
    labelled = np.sort(np.random.default_rng(0).choice(4096, 300, replace=False))
    y = (labelled % 3 == 0).astype(np.int64)
    folds = make_folds(table, labelled, y, 0)
    blocks = np.array(block_names(table))[labelled]
    assert folds.kind == "spatial blocks" and len(np.unique(folds.fold)) == 5
    assert all(len(set(folds.fold[blocks == name])) == 1 for name in blocks)
    assert all(0.2 < y[folds.fold == number].mean() < 0.47 for number in range(5))


def test_no_group_is_cut():
    group = tuple(f"g{i % 7}" for i in range(70))
    folds = make_folds(chips(70, group=group), np.arange(70), (np.arange(70) // 7 % 2).astype(np.int64), 0)
    assert folds.kind == "groups"
    assert all(len(set(folds.fold[i::7])) == 1 for i in range(7))


@pytest.mark.parametrize("table", [chips(40), chips(40, group=("one",) * 40)])
def test_without_groups_or_places_or_with_all_in_one_block_chips_are_dealt_one_by_one(table):
    folds = make_folds(table, np.arange(40), (np.arange(40) % 2).astype(np.int64), 0)
    assert folds.kind == "chips" and np.bincount(folds.fold).tolist() == [8] * 5


@pytest.mark.parametrize(("counts", "n_folds"), [((3, 3), 3), ((1, 20), 2), ((1, 1, 9, 9), 5)])
def test_few_labels_make_fewer_folds(counts, n_folds):
    y = np.repeat(np.arange(len(counts)), counts)
    assert len(np.unique(make_folds(chips(len(y)), np.arange(len(y)), y, 0).fold)) == n_folds


@pytest.mark.parametrize("head", ["forest", "logistic"])
def test_a_chips_own_label_and_those_of_its_fold_change_nothing_in_its_prediction(head):
    rng = np.random.default_rng(0)
    vectors, y = rng.normal(size=(60, 5)).astype(np.float32), (np.arange(60) % 2).astype(np.int64)
    fold = np.arange(60) // 12

    def predicted(y):
        return out_of_fold(head, vectors, vectors, y, fold, n_classes=2, settings=HeadSettings(), seed=0)

    ours, other = predicted(y), predicted(np.where(fold == 2, 1 - y, y))
    np.testing.assert_array_equal(ours[fold == 2], other[fold == 2])
    assert (ours[fold != 2] != other[fold != 2]).any()


def test_memory_does_not_pass_for_skill():
    rng = np.random.default_rng(0)
    vectors, y = rng.normal(size=(200, 5)).astype(np.float32), rng.integers(0, 2, 200)
    own = out_of_fold("forest", vectors, vectors, y, np.arange(200) % 5, n_classes=2, settings=HeadSettings(), seed=0)
    assert abs((own.argmax(axis=1) == y).mean() - 0.5) < 0.12
