"""Outlines of many chips as flat arrays, so that none is an object of its own.

P: vertices of all rings. R: rings. N: chips. V: vertices of a ring.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64, Int64


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Polygons, one a chip, of one ring or more; a chip without a ring has no ground here."""

    vertices: Float64[np.ndarray, "P 2"]
    """Rings one after the other, each without its first vertex repeated."""
    ring_starts: Int64[np.ndarray, " _"]
    """Of each ring among the vertices, and their number: (R + 1,). Holes run the other way round than what holds them."""
    shape_starts: Int64[np.ndarray, " _"]
    """Of each chip among the rings, and their number: (N + 1,)."""

    def __len__(self) -> int:
        return len(self.shape_starts) - 1

    @property
    def areas(self) -> Float64[np.ndarray, " N"]:
        """In squares of the vertices' unit."""
        following = np.arange(len(self.vertices)) + 1
        following[self.ring_starts[1:] - 1] = self.ring_starts[:-1]
        # About a vertex of the ring itself: coordinates of a map are large beside a chip.
        near = self.vertices - np.repeat(self.vertices[self.ring_starts[:-1]], np.diff(self.ring_starts), axis=0)
        cross = near[:, 0] * near[following, 1] - near[following, 0] * near[:, 1]
        upto = np.concatenate([[0.0], np.cumsum(cross)])
        rings = self.ring_starts[self.shape_starts]
        return np.abs(upto[rings[1:]] - upto[rings[:-1]]) / 2

    def moved(self, affine: tuple[float, float, float, float, float, float]) -> "Shapes":
        """At a x + b y + c, d x + e y + f."""
        a, b, c, d, e, f = affine
        x, y = self.vertices.T
        return Shapes(np.column_stack([a * x + b * y + c, d * x + e * y + f]), self.ring_starts, self.shape_starts)


def shapes_of_rings(rings: Float64[np.ndarray, "N V 2"]) -> Shapes:
    """Polygons of one ring each."""
    count, length = rings.shape[:2]
    each = np.arange(count + 1, dtype=np.int64)
    return Shapes(np.ascontiguousarray(rings.reshape(-1, 2)), each * length, each)


def shapes_of_polygons(polygons: np.ndarray) -> Shapes:
    """The same of shapely polygons and multi-polygons (N,); of an empty one no ring."""
    oriented = [shapely.MultiPolygon(_polygons(shape)) for shape in polygons]
    vertices, offsets = shapely.to_ragged_array([*oriented, shapely.MultiPolygon()])[1:]
    rings, parts, shapes = offsets
    closed = np.zeros(len(vertices), bool)
    closed[rings[1:] - 1] = True
    each = np.arange(len(rings), dtype=np.int64)
    return Shapes(vertices[~closed, :2], rings.astype(np.int64) - each, parts[shapes[:-1]].astype(np.int64))


def _polygons(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """What of a shape has an area, outlines running one way round and holes the other."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return [
        shapely.geometry.polygon.orient(part) for part in parts if part.geom_type == "Polygon" and not part.is_empty
    ]
