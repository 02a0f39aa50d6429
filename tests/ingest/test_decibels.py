"""Power and decibels: there and back, and what is no measurement."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.errors import InputError
from terrashot.ingest.decibels import as_power, from_db, to_db

pytestmark = pytest.mark.filterwarnings("error")


def plane(*values):
    return np.array([[values]], np.float32)


def test_powers_of_ten_are_tens_of_decibels():
    np.testing.assert_array_equal(to_db(plane(1, 10, 0.01, 1e-3)), plane(0, 10, -20, -30))
    np.testing.assert_allclose(from_db(plane(0, 10, -20, -30)), plane(1, 10, 0.01, 1e-3), rtol=1e-7)


@given(st.floats(-190, 190, width=32))
def test_there_and_back_is_the_same(db):
    assert to_db(from_db(plane(db)))[0, 0, 0] == pytest.approx(db, abs=1e-4)


def test_power_that_is_not_positive_or_not_finite_is_no_data():
    assert np.isnan(to_db(plane(0, -0.0, -1e-4, -32768, np.nan, np.inf, -np.inf))).all()
    assert np.isnan(as_power(plane(0, -1e-4, -32768, np.nan, np.inf), "power")).all()
    assert np.isnan(as_power(plane(0, -3, np.nan, np.inf, 3e38), "amplitude")).all()


def test_decibels_that_nothing_measures_are_no_data():
    assert np.isnan(from_db(plane(np.nan, np.inf, -np.inf, 201, -201, -9999, 3e38))).all()


def test_every_unit_comes_to_the_same_power():
    power = plane(0.01, 1, 25)
    for values, unit in ((power, "power"), (np.sqrt(power), "amplitude"), (to_db(power), "dB")):
        np.testing.assert_allclose(as_power(values, unit), power, rtol=1e-6)
        assert as_power(values, unit).dtype == np.float32


def test_counts_that_nobody_calibrated_are_refused():
    with pytest.raises(InputError, match="calibrate GRD"):
        as_power(plane(300), "dn")
