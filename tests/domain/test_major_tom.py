"""Cells of Major TOM are those of its authors."""

import numpy as np
import pytest

from terrashot.domain.major_tom import grid_cells

# South-west and north-east corners of cells as the package majortom-eg 1.1.0 draws them at 10 km; its own ids are
# geohashes, the names are the rows and columns of the published Major TOM sets.
CELLS = {
    "502U_74R": (9.413427561837437, 45.08982035928145, 9.540636042402808, 45.17964071856289),
    "247D_464L": (-45.012126111560235, -22.185628742514965, -44.915117219078425, -22.09580838323353),
    "0U_0R": (0.0, 0.0, 0.08982035928143713, 0.08982035928143713),
    "1D_1L": (-0.08982035928144683, -0.08982035928143262, 0.0, 0.0),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_those_of_major_tom(name):
    west, south, east, north = CELLS[name]
    lon = np.array([west + 1e-6, east - 1e-6, west - 1e-6, east - 1e-6])
    lat = np.array([south + 1e-6, north - 1e-6, south + 1e-6, north + 1e-6])
    names = grid_cells(lon, lat)
    assert [found == name for found in names] == [True, True, False, False]


def test_unknown_places_have_no_cell_and_the_antimeridian_cell_has_one_name():
    assert grid_cells(np.array([np.nan, 1.0]), np.array([1.0, np.nan])) == [None, None]
    # Row 477D holds 2,939 cells, an odd number: one of them lies across the antimeridian.
    assert grid_cells(np.array([-179.999, 179.999]), np.array([-42.8, -42.8])) == ["477D_1469R"] * 2
