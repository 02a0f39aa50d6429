"""Outlines as bytes, whichever way they are made, are those of shapely."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from terrashot.store.wkb import wkb_column

SQUARES = shapely.box(*np.random.default_rng(0).uniform(-80, 80, (2, 50)), 81, 81)


@pytest.mark.parametrize(
    "other",
    [
        [],
        [shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])],
        [shapely.Polygon([(0, 0), (1, 0), (1, 1)])],
        [shapely.Polygon([(0, 0, 7), (1, 0, 7), (1, 1, 7), (0, 1, 7)])],
        [shapely.LineString([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])],
        [shapely.Polygon()],
        [shapely.box(0, 0, 9, 9).difference(shapely.box(1, 1, 2, 2))],
    ],
    ids=["squares", "two parts", "a triangle", "heights", "a line of five points", "empty", "a hole"],
)
def test_the_bytes_are_those_of_shapely(other):
    shapes = np.array([*SQUARES, *other], dtype=object)
    assert wkb_column(shapes).equals(pa.array(shapely.to_wkb(shapes), pa.binary()))


def test_no_shapes_are_no_bytes():
    assert len(wkb_column(np.empty(0, dtype=object))) == 0
