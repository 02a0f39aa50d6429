"""What exactextract says of the same chips on the same cells: the reference of our own counting."""

import numpy as np
import pytest
import shapely

exactextract = pytest.importorskip("exactextract")
from exactextract.feature import JSONFeatureSource  # noqa: E402
from exactextract.raster import NumPyRasterSource  # noqa: E402


def exact(pixels, polygons, what, nodata=None):
    """A number a polygon of columns and rows, with rows counted downward from 0."""
    height, width = pixels.shape
    # Its rasters are north up: the plane is mirrored, rows become -y.
    raster = NumPyRasterSource(pixels, 0, -height, width, 0, nodata=nodata)
    shapes = shapely.transform(polygons, lambda points: points * [1, -1])
    features = JSONFeatureSource(
        [
            {"type": "Feature", "id": str(n), "properties": {}, "geometry": shapely.geometry.mapping(shape)}
            for n, shape in enumerate(shapes)
        ]
    )
    return [found["properties"] for found in exactextract.exact_extract(raster, features, what)]


def exact_means(pixels, polygons, nodata=None):
    """Weighted mean and weight of the valid cells."""
    found = exact(pixels, polygons, ["mean", "count"], nodata)
    return np.array([[np.nan if row["mean"] is None else row["mean"], row["count"]] for row in found], np.float64)


def exact_shares(pixels, polygons, classes, nodata=None):
    """Share of each class among the valid cells, (N, K)."""
    found = exact(pixels, polygons, ["unique", "frac"], nodata)
    shares = [
        dict(zip(np.asarray(row["unique"]).tolist(), np.asarray(row["frac"]).tolist(), strict=True)) for row in found
    ]
    return np.array([[own.get(one, 0.0) for one in classes] for own in shares])
