"""Land comes with the package, or not at all; its rings mean what a globe means by them."""

import numpy as np
import pytest
import shapely

from terrashot.areas import coastlines
from terrashot.areas.coastlines import land_of_the_earth, land_of_topology


def topology(*polygons, turned=()):
    """Polygons of whole degrees as arcs of steps; those of `turned` are written backwards and taken so."""
    rings = [ring for polygon in polygons for ring in polygon]
    arcs = []
    for number, ring in enumerate(rings):
        points = np.array(ring[::-1] if number in turned else ring)
        arcs.append(np.diff(points, axis=0, prepend=[[0, 0]]).tolist())
    numbers = iter(~n if n in turned else n for n in range(len(rings)))
    shapes = [[[next(numbers)] for _ in polygon] for polygon in polygons]
    return {
        "transform": {"scale": [1.0, 1.0], "translate": [0.0, 0.0]},
        "arcs": arcs,
        "objects": {"land": {"geometries": [{"type": "MultiPolygon", "arcs": shapes}]}},
    }


def box(west, south, east, north):
    return [(west, south), (west, north), (east, north), (east, south), (west, south)]


@pytest.mark.parametrize("turned", [(), (1,), (0, 1)])
def test_a_lake_is_no_land_whichever_way_its_shore_is_written(turned):
    land = land_of_topology(topology([box(0, 0, 10, 10), box(4, 4, 6, 6)], turned=turned))
    assert land.area == 96 and not shapely.contains_xy(land, 5, 5)


def test_an_island_on_the_antimeridian_lies_at_both_edges_with_its_lake():
    island = [(178, 0), (178, 10), (-178, 10), (-178, 0), (178, 0)]
    land = land_of_topology(topology([island, box(-180, 4, -179, 6)]))
    assert land.area == pytest.approx(38) and land.bounds == pytest.approx((-180, 0, 180, 10))
    assert list(shapely.contains_xy(land, [179, -178.5, -179.5, 0], [5, 5, 5, 5])) == [True, True, False, False]


def test_a_ring_around_the_south_pole_reaches_to_it():
    ring = [(-180, -70), (-60, -70), (60, -70), (180, -70)]
    land = land_of_topology(topology([ring]))
    assert land.area == pytest.approx(360 * 20) and shapely.contains_xy(land, 0, -89.9)


def test_without_the_package_of_coastlines_there_is_no_land(monkeypatch):
    monkeypatch.setattr(coastlines, "PACKAGE", "no_such_package_of_coastlines")
    assert land_of_the_earth.__wrapped__() is None


def test_three_tenths_of_the_earth_are_land_and_known_places_lie_where_they_do():
    land = land_of_the_earth()
    if land is None:
        pytest.skip("this terrashot was built without coastlines (no npm)")
    lon, z = np.meshgrid(np.arange(-179.5, 180), np.linspace(-1, 1, 362)[1:-1])
    assert shapely.contains_xy(land, lon, np.degrees(np.arcsin(z))).mean() == pytest.approx(0.29, abs=0.01)
    dry = [(9, 48), (-100, 40), (179, 67), (-179, 67), (178, -18), (0, -89.5)]
    wet = [(-30, 0), (50, 42), (-170, 0), (0, 80)]
    assert (
        shapely.contains_xy(land, *np.transpose(dry)).all() and not shapely.contains_xy(land, *np.transpose(wet)).any()
    )
