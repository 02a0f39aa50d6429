"""Asks a catalogue for the scenes over some chips, month by month; what of its items is worth keeping."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float64
from shapely.geometry import MultiPolygon

from terrashot.domain.cells import halves_at_antimeridian
from terrashot.ingest.months import window_utc
from terrashot.remote.catalogue import Found, Search, fetch_acquisitions
from terrashot.remote.client import Client
from terrashot.remote.profiles import Profile

METRES_PER_DEGREE = 110_000.0
"""Of latitude at the least, so that a margin told in degrees is never too narrow."""
KEPT = ("type", "stac_version", "id", "collection", "geometry", "properties")


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the chips of one area lie."""

    lon_deg: Float64[np.ndarray, " N"]
    lat_deg: Float64[np.ndarray, " N"]
    """Centres."""
    reach_m: float
    """From a chip's centre to its farthest corner."""

    def boxes(self) -> MultiPolygon:
        """Boxes around the chips of each square degree, up to their farthest corners; cut at the antimeridian."""
        squares = np.unique(np.floor(np.column_stack([self.lon_deg, self.lat_deg])), axis=0)
        parts = [part for lon, lat in squares for part in self._box(lon, lat)]
        joined = shapely.union_all(parts)
        return joined if isinstance(joined, MultiPolygon) else MultiPolygon([joined])

    def _box(self, lon_deg: float, lat_deg: float) -> Iterator[shapely.Geometry]:
        inside = (np.floor(self.lon_deg) == lon_deg) & (np.floor(self.lat_deg) == lat_deg)
        lon, lat = self.lon_deg[inside], self.lat_deg[inside]
        up = self.reach_m / METRES_PER_DEGREE
        south, north = max(float(lat.min()) - up, -90.0), min(float(lat.max()) + up, 90.0)
        across = up / max(float(np.cos(np.radians(max(abs(south), abs(north))))), 0.01)
        west, east = float(lon.min()) - across, float(lon.max()) + across
        turn = 360.0 if west < -180 else 0.0
        box = shapely.box(west + turn, south, east + turn, north)
        yield from (part for part in halves_at_antimeridian(box) if part.area > 0)


def search_month(
    product: Profile,
    boxes: MultiPolygon,
    month: str,
    max_cloud_percent: float,
    item_assets: Mapping[str, object],
    client: Client,
) -> Found:
    """The scenes of one month that its catalogue does not call cloudier.

    Raises:
        NetworkError: the catalogue could not be asked.
    """
    query = {"eo:cloud_cover": {"lte": max_cloud_percent}} if max_cloud_percent < 100 else {}
    search = Search(boxes, window_utc(month), query)
    return fetch_acquisitions(product, search, client, item_assets=item_assets)


def slimmed(item: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The item with these of its assets alone: a catalogue's items hold dozens that nobody here reads."""
    assets = {key: asset for key, asset in item["assets"].items() if key in keys}
    return {**{key: item[key] for key in KEPT if key in item}, "assets": assets}


def asset_keys(product: Profile, kinds: Sequence[str], guard: str) -> tuple[str, ...]:
    """Keys of the assets that are read of every scene.

    Args:
        guard: kind of the channel by which an offset is checked.
    """
    needed = [product.channels[kind] for kind in (*kinds, guard) if kind in product.channels]
    keys = [key.partition("#")[0] for key in (*needed, *([product.mask] if product.mask else []))]
    return tuple(dict.fromkeys(keys))
