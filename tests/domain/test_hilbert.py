"""The curve is the one of geopandas."""

import geopandas
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain.hilbert import hilbert_distances

places = st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=30)


@given(places)
def test_every_place_has_the_number_that_geopandas_gives_it(found):
    lon, lat = np.array(found, dtype=np.float64).T
    theirs = geopandas.GeoSeries.from_xy(lon, lat).hilbert_distance(total_bounds=(-180, -90, 180, 90), level=16)
    assert hilbert_distances(lon, lat).tolist() == theirs.tolist()


def test_the_next_cell_of_the_curve_is_a_neighbour_on_the_ground():
    step_deg = 360 / (2**16 - 1), 180 / (2**16 - 1)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(64), np.arange(64)))
    order = np.argsort(hilbert_distances(-180 + (x + 0.5) * step_deg[0], -90 + (y + 0.5) * step_deg[1]))
    assert (np.abs(np.diff(x[order])) + np.abs(np.diff(y[order])) == 1).all()
