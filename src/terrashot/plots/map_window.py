"""A part of the Earth in degrees as axes: land under it, a graticule over it."""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator
from shapely.geometry.polygon import orient

LAND, COAST = "#f6f3ea", "#8a8a8a"
LEAST_WIDTH_DEG = 2.0
"""Of a window with coastlines: drawn for 1:50 million, they are off by kilometres, which shows in smaller ones."""
SLIMMEST = 0.3
"""Of a window, one side over the other: a row of chips is shown with the ground on both sides."""
FINEST = 1500
"""Parts of a window's width that a coastline keeps: half a pixel of a wide panel."""


@dataclass(frozen=True, slots=True)
class Window:
    """Bounds in degrees; east is beyond 180 where the window crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        """In degrees."""
        return self.east - self.west

    @property
    def crosses(self) -> bool:
        """Whether the antimeridian lies in it."""
        return self.west < -180 or self.east > 180

    @property
    def stretch(self) -> float:
        """How many degrees of longitude in the middle are as long on the ground as one of latitude."""
        return 1 / max(0.05, float(np.cos(np.radians((self.south + self.north) / 2))))

    @property
    def shape(self) -> float:
        """Height over width, on the ground."""
        return (self.north - self.south) * self.stretch / self.width


def window_around(
    lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"], *, margin: float, least_deg: float = 0.0
) -> Window:
    """The places with a margin, a share of their extent; at least so many degrees high and twice as wide.

    It ends at the poles, and where it would meet itself: at the antimeridian, unless places lie on both sides of that.
    """
    width, height = (max(float(np.ptp(axis)) * (1 + 2 * margin), 1e-6) for axis in (lon_deg, lat_deg))
    width, height = max(width, SLIMMEST * height, 2 * least_deg), max(height, SLIMMEST * width, least_deg)
    middle_lon, middle_lat = ((float(axis.min()) + float(axis.max())) / 2 for axis in (lon_deg, lat_deg))
    if width >= 360:
        width, middle_lon = 360, middle_lon if lon_deg.max() > 180 else 0.0
    south, north = max(middle_lat - height / 2, -90.0), min(middle_lat + height / 2, 90.0)
    return Window(middle_lon - width / 2, south, middle_lon + width / 2, north)


def show_window(ax: Axes, window: Window, land: shapely.MultiPolygon | None, *, ticks: int) -> Axes:
    """The axes with land, graticule and degrees; a degree as long in both directions as on the ground."""
    if land is not None and window.width >= LEAST_WIDTH_DEG:
        _show_land(ax, window, land)
    ax.set(xlim=(window.west, window.east), ylim=(window.south, window.north))
    ax.set(xlabel="longitude, degrees east", ylabel="latitude, degrees north")
    ax.set_aspect(window.stretch)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 3, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{around(value):.6g}"))
    return ax


def around(lon_deg: float) -> float:
    """The longitude between -180 and 180."""
    return lon_deg if -180 <= lon_deg <= 180 else (lon_deg + 180) % 360 - 180


def land_in(window: Window, land: shapely.MultiPolygon) -> list[shapely.Polygon]:
    """The land of a window, no finer than can be seen in it; a little beyond it, so that its edges are no coast."""
    rim = window.width / 20
    west, south, east, north = window.west - rim, window.south - rim, window.east + rim, window.north + rim
    turned = []
    for turn in (-360, 0, 360):
        here = shapely.clip_by_rect(land, west - turn, south, east - turn, north)
        turned.append(shapely.transform(here, lambda points, turn=turn: points + np.array([turn, 0])))
    # On a lattice, so that what was cut at the antimeridian is one piece again.
    whole = shapely.union_all(shapely.make_valid(turned), grid_size=1e-6) if window.crosses else turned[1]
    parts = shapely.get_parts(shapely.simplify(whole, window.width / FINEST))
    return [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]


def _show_land(ax: Axes, window: Window, land: shapely.MultiPolygon) -> None:
    # Shells and holes run in opposite directions: what is wound around once is filled.
    rings = [ring for part in land_in(window, land) for ring in (orient(part).exterior, *orient(part).interiors)]
    if rings:
        path = Path.make_compound_path(*(Path(shapely.get_coordinates(ring), closed=True) for ring in rings))
        ax.add_patch(PathPatch(path, facecolor=LAND, edgecolor=COAST, linewidth=0.5, zorder=0.3))
