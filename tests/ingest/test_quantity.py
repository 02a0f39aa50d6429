"""Stored numbers as values, beside the same in numpy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from terrashot.ingest.quantity import quantity
from terrashot.ingest.window import Window
from terrashot.raster.place import RasterPlace
from terrashot.remote.profiles import Plane, profile_of

RTC = profile_of("planetary-computer/sentinel-1-rtc")
VALUES = replace(RTC, unit="reflectance")
"""Any product without the shift of Sentinel-2 whose numbers are taken as they are."""
SILENT = Plane("a.tif", 1, None, None, None, None, None, None, None)
"""Of which nobody said anything."""


def window_of(stored: np.ndarray, **told: float) -> Window:
    return Window(stored, RasterPlace("EPSG:32632", (10, 0, 0, 0, -10, 0), *stored.shape[::-1]), "a.tif", **told)


def in_numpy(stored: np.ndarray, scale: float, offset: float, nodata: list[float]) -> np.ndarray:
    own = stored.astype(np.float32)
    values = own if (scale, offset) == (1, 0) else (own.astype(np.float64) * scale + offset).astype(np.float32)
    is_there = np.isfinite(own) & ~np.isin(own, np.array(nodata, np.float32))
    return np.where(is_there, values, np.float32(np.nan))


FLOATS = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(-(2.0**99), 2.0**99, width=32) | st.just(np.nan)
)  # fmt: skip
COUNTS = arrays(
    np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.integers(0, 3) | st.integers(0, 65535)
)


@given(
    FLOATS | COUNTS, st.sampled_from([(1.0, 0.0), (1e-4, 0.0), (0.5, -3.0)]), st.sampled_from([None, 0.0, -9999.0]),
    st.sampled_from([None, 1.0]),
)  # fmt: skip
def test_scaled_numbers_are_numpys_to_the_bit(stored, factors, own_nodata, file_nodata):
    scale, offset = factors
    plane = replace(SILENT, scale=scale, offset=offset, nodata=own_nodata)
    found = quantity(window_of(stored, nodata=file_nodata), plane, VALUES, None)
    wanted = in_numpy(stored, scale, offset, [told for told in (own_nodata, file_nodata) if told is not None])
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize(("told", "wanted"), [({}, 6.0), ({"scale": 3.0, "offset": 1.0}, 4.0)])
def test_what_the_plane_says_goes_before_what_the_file_says(told, wanted):
    window = window_of(np.ones((1, 1), np.uint8), scale=2.0, offset=4.0)
    assert quantity(window, replace(SILENT, **told), VALUES, None).tolist() == [[wanted]]


def test_power_that_is_none_is_no_data():
    power = np.array([[0.0, -0.1, np.inf, np.nan, 1e-6, 2.0]], np.float32)
    found = quantity(window_of(power), SILENT, RTC, None)
    np.testing.assert_array_equal(found, np.array([[np.nan] * 4 + [1e-6, 2.0]], np.float32))
