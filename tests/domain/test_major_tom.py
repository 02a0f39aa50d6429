"""Cells of Major TOM are those of its authors."""

from collections import Counter

import numpy as np
import pytest
import shapely

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
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


HAIR_DEG = 1e-9
"""Around a place: rounding may put one that lies on an edge on either side of it."""


def names_by_the_authors_package(lon_deg, lat_deg):
    """Names of the cells that the package draws around each place: its own ids are geohashes, so by their corners."""
    majortom_eg = pytest.importorskip(
        "majortom_eg", reason="majortom-eg is not installed: names are not checked against it"
    )
    grid = majortom_eg.MajorTomGrid(d=10_000, overlap=False)
    boxes = shapely.box(lon_deg - HAIR_DEG, lat_deg - HAIR_DEG, lon_deg + HAIR_DEG, lat_deg + HAIR_DEG)
    return [{name_of(cell.geom.bounds, grid.lat_spacing) for cell in grid.generate_grid_cells(box)} for box in boxes]


def name_of(bounds_deg, row_height_deg):
    west, south, east, _ = bounds_deg
    row, in_row = round(south / row_height_deg), round(360 / (east - west))
    # The cell across the antimeridian is drawn at either end; published names count it from the east.
    col = (round(west * in_row / 360) + in_row // 2) % in_row - in_row // 2
    return f"{abs(row)}{'U' if row >= 0 else 'D'}_{abs(col)}{'R' if col >= 0 else 'L'}"


def places_everywhere(seed):
    """Places over the whole Earth, and as many again beside the antimeridian, the equator, Greenwich and the poles."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(-180, 180, (5, 1000)), rng.uniform(-90, 90, (5, 1000))
    lon[1] = (rng.uniform(-0.2, 0.2, 1000)) % 360 - 180
    lat[2], lon[3] = rng.uniform(-0.2, 0.2, (2, 1000))
    lat[4] = rng.choice([-1, 1], 1000) * rng.uniform(80, 89.999, 1000)
    return lon.ravel(), lat.ravel()


@pytest.mark.parametrize("seed", range(3))
def test_names_are_those_of_the_package_majortom_eg_at_five_thousand_places(seed):
    lon, lat = places_everywhere(seed)
    theirs = names_by_the_authors_package(lon, lat)
    assert np.mean([len(names) == 1 for names in theirs]) > 0.99
    assert [i for i, name in enumerate(grid_cells(lon, lat)) if name not in theirs[i]] == []


def test_several_chips_may_share_a_cell_and_each_has_the_one_that_holds_its_centre():
    chips, _ = chips_of_areas([Area("a", box_outline(11.5, 45.0, 12.5, 45.6))], 4480.0)
    names = grid_cells(chips.lon_deg, chips.lat_deg)
    assert [{name} for name in names] == names_by_the_authors_package(chips.lon_deg, chips.lat_deg)
    # A cell is 10 km high and at most as wide: five chips of 4.48 km on the mean, nine at the most.
    assert 4 <= len(chips) / len(set(names)) <= 5 and max(Counter(names).values()) <= 9
