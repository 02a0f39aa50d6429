"""Numbers become classes by a cut chosen on training chips alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain.tasks import make_classes, nearest_to_balance
from terrashot.errors import InputError

ALL = np.ones(10, dtype=bool)


def test_most_zeros_are_cut_at_zero_where_the_median_cannot_balance():
    values = np.array([0, 0, 0, 0, 0, 0, 0.1, 0.2, 0.3, 0.4])
    near, median = (make_classes("water", values, ALL, rule) for rule in ("nearest", "median"))
    assert (near.threshold, near.y.sum()) == (0.0, 4)
    assert median.threshold == 0.0


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40).filter(lambda v: len(set(v)) > 1))
def test_no_other_cut_is_nearer_to_balance(values):
    found = np.array(values, dtype=np.float64)
    distance = abs((found > nearest_to_balance(found)).mean() - 0.5)
    assert all(distance <= abs((found > cut).mean() - 0.5) + 1e-9 for cut in np.unique(found)[:-1])


def test_test_chips_have_no_say_in_the_cut():
    values = np.array([0.1, 0.2, 0.3, 0.4, 9, 9, 9, 9, 9, 9])
    assert make_classes("x", values, np.arange(10) < 4, "nearest").threshold == 0.2


def test_two_distinct_numbers_are_the_classes_as_given():
    classes = make_classes("flag", np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0.0]), ALL, "nearest")
    assert classes.y.tolist() == [1] + [0] * 9


def test_an_unknown_label_belongs_to_no_class():
    values = np.array(["a", None, "b"] + ["a"] * 7, dtype=object)
    assert make_classes("kind", values, ALL, "nearest").y[:3].tolist() == [0, -1, 1]
    numbers = np.array([np.nan, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert make_classes("x", numbers, ALL, "nearest").y[0] == -1


@pytest.mark.parametrize("values", [np.full(10, 3.0), np.full(10, np.nan), np.array(["a"] * 10, dtype=object)])
def test_nothing_to_tell_apart_is_refused(values):
    with pytest.raises(InputError, match="nothing to tell apart"):
        make_classes("x", values, ALL, "nearest")
