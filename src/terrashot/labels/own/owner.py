"""The one chip that each point belongs to."""

from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Float64, Int64

AT_ONCE = 1 << 17
"""Points that are geometries at the same time."""


def owners(
    lon_deg: Float64[np.ndarray, " R"], lat_deg: Float64[np.ndarray, " R"], footprints: np.ndarray, ids: Sequence[str]
) -> Int64[np.ndarray, " R"]:
    """Row of the chip that holds each point; -1 where none does.

    A point on an edge, or where chips of two UTM zones overlap, belongs to the chip whose id comes last: on our own grid the
    one that lies south or east of the edge, which is its north or west edge. The order of the chips makes no difference.

    Args:
        footprints: shapely polygons in degrees, in the order of the ids.
    """
    by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    rank = np.empty(len(ids), dtype=np.int64)
    rank[by_id] = np.arange(len(ids))
    tree, best = shapely.STRtree(footprints), np.full(len(lon_deg), -1, dtype=np.int64)
    for start in range(0, len(lon_deg), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        point, chip = tree.query(shapely.points(lon_deg[part], lat_deg[part]), predicate="intersects")
        np.maximum.at(best[part], point, rank[chip])
    return np.where(best >= 0, np.append(by_id, -1)[best], -1)
