"""Scaled pixels: mean 0 and spread 1, and nothing that a tower would choke on."""

import numpy as np
import pytest

from terrashot.domain.normalize import MOST_SPREADS, KindStats, fill_absent_with_mean, scale

MOMENTS = KindStats(2.0, 0.5, 9, "unit")


def test_pixels_are_told_in_spreads_from_the_mean_and_gaps_stay_gaps():
    found = scale(np.array([2, 3, np.nan], dtype=np.float32), MOMENTS)
    np.testing.assert_array_equal(found, np.array([0, 2, np.nan], dtype=np.float32))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [3e38, 1e30, 1e7])
def test_a_number_without_measure_is_the_largest_that_a_tower_is_shown(value):
    found = scale(np.array([value, -value], dtype=np.float32), MOMENTS)
    assert found.tolist() == [MOST_SPREADS, -MOST_SPREADS]
    assert np.isfinite(fill_absent_with_mean(found)).all()
