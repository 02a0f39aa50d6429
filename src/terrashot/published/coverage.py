"""The ground that rasters cover together."""

from collections.abc import Sequence

import numpy as np
import shapely

from terrashot.domain.area import Outline
from terrashot.domain.cells import cut_at_antimeridian
from terrashot.errors import InputError
from terrashot.raster.place import RasterPlace


def coverage(places: Sequence[RasterPlace]) -> Outline:
    """The union of the rasters' outlines, in degrees.

    Raises:
        InputError: a raster reaches beyond what its coordinate system can place on the globe.
    """
    return shapely.union_all([_outline(place) for place in places])


def _outline(place: RasterPlace) -> Outline:
    ring = np.column_stack(place.outline_deg())
    if not np.isfinite(ring).all():
        raise InputError(
            f"a raster in {place.crs[:40]} reaches beyond its coordinate system; cut it, or check its corner"
        )
    if np.ptp(ring[:, 0]) > 180:
        return cut_at_antimeridian(ring)
    return shapely.make_valid(shapely.Polygon(ring))
