"""What the authors' numbers mean: wrapped decibels, bytes of reflectance, zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.errors import InputError
from terrashot.ingest.geetiles.labels import codes_of, share_of, shares_told
from terrashot.ingest.geetiles.stored import decibels, reflectance


@given(st.lists(st.floats(-79, 59), min_size=4, max_size=4))
def test_wrapped_decibels_come_back_within_the_decibel_that_was_cut(db):
    true = np.array(db, np.float32).reshape(2, 1, 2)
    stored = np.trunc(true).astype(np.int16).view(np.uint16)
    found, mended = decibels(stored, "value")
    assert np.abs(found - true).max() < 1 and mended.unwrapped == int((np.trunc(true) < 0).sum())
    again, _ = decibels(stored.view(np.int16), "value")
    assert np.array_equal(found, again)


def test_65524_is_minus_12():
    assert decibels(np.full((2, 1, 1), 65524, np.uint16), "together")[0].tolist() == [[[-12.0]], [[-12.0]]]


def test_a_zero_is_no_data_together_with_the_others_and_a_value_alone_in_vv_only():
    stored = np.array([[[0, 0, 65530]], [[0, 65530, 0]]], np.uint16)
    found, mended = decibels(stored, "together")
    assert np.isnan(found[:, 0]).tolist() == [[True, False, False], [True, False, True]]
    assert (mended.zeros_absent, mended.zeros_kept) == (3, 1)
    assert np.isnan(decibels(stored, "no-data")[0]).sum() == 4 and not np.isnan(decibels(stored, "value")[0]).any()


@pytest.mark.parametrize(
    ("stored", "said"),
    [(np.full((2, 1, 1), 20000, np.uint16), "20000"), (np.full((2, 1, 1), 3, np.uint8), "uint8"),
     (np.full((2, 1, 1), 4294967284, np.uint32), "uint32")],
)  # fmt: skip
def test_what_no_decibels_can_be_is_refused(stored, said):
    with pytest.raises(InputError, match=said):
        decibels(stored, "together")


def test_bytes_are_reflectance_up_to_three_tenths():
    found, mended = reflectance(np.array([[[0, 255]], [[0, 51]], [[0, 0]]], np.uint8), "together")
    assert np.isnan(found[:, 0, 0]).all() and found[:, 0, 1] == pytest.approx([0.3, 0.06, 0.0])
    assert (mended.saturated, mended.zeros_absent, mended.zeros_kept) == (1, 3, 1)
    with pytest.raises(InputError, match="uint16"):
        reflectance(np.zeros((3, 1, 1), np.uint16), "together")


def test_shares_are_over_valid_pixels_alone():
    told = shares_told("{'0': 0.5, '4': 0.25, '8': 0.25}")
    assert share_of(told, codes_of(told, when_unclear="places"), 40) == (0.5, 0.5)
    assert told == shares_told({"0": 0.5, "4": 0.25, "8": 0.25})
    with pytest.raises(InputError, match="sum"):
        shares_told("{'4': 0.25}")


def test_all_chips_together_tell_whether_classes_are_codes_or_places():
    assert codes_of({0, 10, 40}, when_unclear="places")[10] == 10
    assert codes_of({0, 10, 4}, when_unclear="codes")[10] == 95
    assert codes_of({10}, when_unclear="codes")[10] == 10 and codes_of({10}, when_unclear="places")[10] == 95
    with pytest.raises(InputError, match="neither"):
        codes_of({4, 40}, when_unclear="codes")
