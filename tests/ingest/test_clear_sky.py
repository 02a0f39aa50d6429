"""Masks of optical acquisitions: what each hides, and where one is not to be trusted."""

from datetime import UTC, datetime

import numpy as np
import pytest

from terrashot.errors import ConfigError, InputError
from terrashot.ingest.clear_sky import (
    SCL_CLEAR,
    clear_by_qa60,
    clear_by_scl,
    clear_by_score,
    refuse_months_without_qa60,
)

SUMMER = datetime(2020, 7, 1, tzinfo=UTC)


def test_scl_hides_cloud_shadow_cirrus_defects_and_nothing_else():
    scl = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.flatnonzero(~clear_by_scl(scl)).tolist() == [0, 1, 3, 8, 9, 10]


def test_qa60_hides_its_two_cloud_bits_whatever_the_others_are():
    bits = np.array([[0, 1 << 10, 1 << 11, 3 << 10, 1 << 9, 1 << 12 | 1 << 10]], np.uint16)
    assert clear_by_qa60(bits, SUMMER).tolist() == [[True, False, False, False, True, False]]


@pytest.mark.parametrize("day", [(2022, 1, 25), (2023, 6, 1), (2024, 2, 28)])
def test_qa60_is_refused_in_its_empty_years(day):
    with pytest.raises(InputError, match="use the mask scl"):
        clear_by_qa60(np.zeros((1, 1), np.uint16), datetime(*day, 12, tzinfo=UTC))


@pytest.mark.parametrize("day", [(2022, 1, 24), (2024, 2, 29)])
def test_qa60_is_read_right_before_and_right_after_them(day):
    assert clear_by_qa60(np.zeros((1, 1), np.uint16), datetime(*day, 12, tzinfo=UTC)).all()


def test_months_that_touch_the_empty_years_are_refused_before_anything_is_fetched():
    refuse_months_without_qa60(["2021-12", "2024-03"])
    for month in ("2022-01", "2023-05", "2024-02"):
        with pytest.raises(ConfigError, match=month):
            refuse_months_without_qa60(["2021-12", month])


def test_a_cloud_score_is_clear_from_its_limit_on_and_unknown_is_not_clear():
    score = np.array([[0.0, 0.59, 0.6, 1.0, np.nan]], np.float32)
    assert clear_by_score(score, 0.6).tolist() == [[False, False, True, True, False]]
    assert not clear_by_score(np.full((2, 2), np.nan, np.float32)).any()


def test_a_cloud_score_on_another_scale_is_refused():
    with pytest.raises(InputError, match="0 to 1"):
        clear_by_score(np.array([[3.0, 80.0]], np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32])
def test_classes_are_looked_up_as_numpy_would_whatever_type_they_are_stored_in(dtype):
    classes = np.array([[0, 2, 11, 12, 100], [4, 7, 8, 5, 6]], dtype)
    np.testing.assert_array_equal(clear_by_scl(classes), np.isin(classes, SCL_CLEAR))


def test_what_is_no_class_is_not_clear():
    assert not clear_by_scl(np.array([[-1, -300]], np.int16)).any()
    assert not clear_by_scl(np.array([[4.5, np.nan, np.inf, -np.inf]], np.float32)).any()
