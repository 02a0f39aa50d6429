"""Cells counted by the exact share of each that lies inside a chip: against shapely cell by cell, and against exactextract."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.labels.cell_spans import spans_of
from terrashot.labels.cell_weights import add_totals, add_weights
from terrashot.labels.shapes import shapes_of_polygons, shapes_of_rings

HEIGHT, WIDTH = 40, 37
turns, sides = st.floats(0, 6.3), st.floats(0.3, 60)
middles = st.tuples(st.floats(-8, WIDTH + 8), st.floats(-8, HEIGHT + 8))
CLASSES = (0, 10, 40, 80)


def square(middle, side, turn, points=16):
    """A ring of columns and rows, its sides of so many points."""
    along, still = np.arange(points) / points, np.zeros(points)
    ring = (
        np.concatenate(
            [np.c_[along, still], np.c_[still + 1, along], np.c_[1 - along, still + 1], np.c_[still, 1 - along]]
        )
        - 0.5
    )
    cos, sin = np.cos(turn), np.sin(turn)
    return side * ring @ np.array([[cos, -sin], [sin, cos]]) + middle


def classes_of(seed):
    return np.random.default_rng(seed).choice(np.array(CLASSES, np.uint8), (HEIGHT, WIDTH))


def blocks_of(pixels, sides):
    """First row, first column and pixels of each block, the last ones filled up."""
    for row in range(0, len(pixels), sides[0]):
        for col in range(0, pixels.shape[1], sides[1]):
            block = np.zeros(sides, pixels.dtype)
            part = pixels[row : row + sides[0], col : col + sides[1]]
            block[: part.shape[0], : part.shape[1]] = part
            yield row, col, block


def weights_by_value(pixels, shapes, sides=(HEIGHT, WIDTH)):
    found = np.zeros((len(shapes), 256))
    for row, col, block in blocks_of(pixels, sides):
        add_weights(found, spans_of(shapes, *pixels.shape), row, col, block)
    return found


def totals(pixels, missing, shapes, limits, sides=(HEIGHT, WIDTH)):
    found = np.tile([0.0, 0.0, np.nan], (len(shapes), 1))
    for row, col, block in blocks_of(pixels, sides):
        add_totals(found, spans_of(shapes, *pixels.shape), row, col, block, missing, limits)
    return found


def cell_by_cell(pixels, polygon):
    """Weight of each of 256 values, the slow way."""
    row, col = np.indices(pixels.shape).reshape(2, -1)
    shares = shapely.area(shapely.intersection(shapely.box(col, row, col + 1, row + 1), polygon))
    return np.bincount(pixels.ravel(), shares, 256)


@settings(max_examples=40)
@given(middles, sides, turns, st.booleans(), st.integers(0, 5))
def test_weights_are_the_areas_that_shapely_finds_cell_by_cell(middle, side, turn, is_reversed, seed):
    pixels, ring = classes_of(seed), square(middle, side, turn)
    found = weights_by_value(pixels, shapes_of_rings(ring[None, :: -1 if is_reversed else 1]))
    np.testing.assert_allclose(found[0], cell_by_cell(pixels, shapely.Polygon(ring)), atol=1e-8)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(middles, st.floats(3, 40), turns), min_size=1, max_size=5), st.integers(0, 5),
    st.tuples(st.integers(1, HEIGHT), st.integers(1, WIDTH)),
)  # fmt: skip
def test_means_and_shares_are_those_of_exactextract_in_blocks_of_any_size(squares, seed, sides):
    from tests.labels.exact_reference import exact_means, exact_shares

    polygons = np.array([shapely.Polygon(square(*one)) for one in squares])
    classes = classes_of(seed)
    numbers = np.random.default_rng(seed).normal(size=classes.shape).astype(np.float32) + classes
    weights, sums = (
        count(shapes_of_polygons(polygons))
        for count in (
            lambda s: weights_by_value(classes, s, sides),
            lambda s: totals(numbers, np.nan, s, (-np.inf, np.inf), sides),
        )
    )
    theirs = exact_means(numbers, polygons)
    np.testing.assert_allclose(sums[:, 0], theirs[:, 1], atol=1e-4)
    has = sums[:, 0] > 0.1
    np.testing.assert_allclose(sums[has, 1] / sums[has, 0], theirs[has, 0], atol=1e-6)
    valid = weights[:, list(CLASSES[1:])]
    has = valid.sum(axis=1) > 0.1
    shares = exact_shares(classes, polygons[has], CLASSES[1:], nodata=0) if has.any() else valid[has]
    np.testing.assert_allclose(valid[has] / valid[has].sum(axis=1, keepdims=True), shares, atol=1e-6)


def test_a_hole_counts_nothing_and_parts_that_lie_apart_are_added():
    pixels = classes_of(1)
    ring = shapely.Point(18, 20).buffer(15).difference(shapely.box(12, 14, 20.5, 25.25))
    several = shapely.MultiPolygon([*shapely.get_parts(ring), shapely.box(-3, -3, 2.5, 2.5)])
    shapes = shapes_of_polygons(np.array([ring, shapely.Polygon(), several]))
    found = weights_by_value(pixels, shapes)
    np.testing.assert_allclose(found[[0, 2]], [cell_by_cell(pixels, ring), cell_by_cell(pixels, several)], atol=1e-8)
    assert not found[1].any()
    np.testing.assert_allclose(shapes.areas, [ring.area, 0, several.area])


def test_whole_cells_count_as_one_exactly_and_what_lies_outside_not_at_all():
    pixels = np.full((8, 9), 7, np.uint8)
    rings = np.stack([square((4, 4), 4.0, 0.0), square((40, 4), 4.0, 0.3), square((4.0, 4.0), 100.0, 0.2)])
    assert weights_by_value(pixels, shapes_of_rings(rings))[:, 7].tolist() == [16.0, 0.0, 72.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_leave_out_what_is_not_valid_in_either_precision(dtype):
    pixels = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(dtype)
    is_valid = pixels % 30 > 2
    pixels[~is_valid] = np.array([-9999, np.nan, np.inf] * len(pixels[~is_valid]), dtype)[: (~is_valid).sum()]
    polygon = shapely.Polygon(square((18, 20), 21, 0.4))
    limits = 700.0, float(HEIGHT * WIDTH)
    (found,) = totals(pixels, -9999, shapes_of_polygons(np.array([polygon])), limits)
    row, col = np.indices(pixels.shape).reshape(2, -1)
    weight = shapely.area(shapely.intersection(shapely.box(col, row, col + 1, row + 1), polygon)) * is_valid.ravel()
    known = np.where(is_valid, pixels, 0).ravel()
    is_within = known >= limits[0]
    np.testing.assert_allclose(found[:2], [weight[is_within].sum(), (weight * known)[is_within].sum()], rtol=1e-10)
    assert found[2] in known[(weight > 0) & ~is_within], "one of those beyond the limits is told"
