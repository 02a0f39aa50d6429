"""Reference maps of the land: what their numbers mean, and what their makers call their tiles."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True, slots=True)
class NamedTiles:
    """Tiles of whole degrees in an open bucket, named by their south-western corner."""

    bucket: str
    """Where the maker keeps them; a mirror has another beginning."""
    path: str
    """Below it; `{corner}` is N00E006."""
    side_deg: int
    side_px: int

    def over(
        self, lon_deg: Float64[np.ndarray, " N"], lat_deg: Float64[np.ndarray, " N"]
    ) -> tuple[tuple[int, int], ...]:
        """West and south of all tiles that hold one of the points, in order; longitudes count round the globe."""
        side = self.side_deg
        west = (np.floor((lon_deg + 180) % 360 / side) * side - 180).astype(np.int64)
        south = (np.floor(np.clip(lat_deg, -90, math.nextafter(90, 0)) / side) * side).astype(np.int64)
        return tuple((int(w), int(s)) for w, s in np.unique(np.column_stack([west, south]), axis=0))


@dataclass(frozen=True, slots=True)
class MapProduct:
    """What the numbers of one published map mean. Numbers are those in its files."""

    title: str
    kind: Literal["classes", "amount"]
    nodata: tuple[float, ...]
    legend: tuple[int, ...] = ()
    """All classes that it has; of a map of amounts none."""
    highest: float = math.inf
    """Amounts are 0 to this; a file with others is not of this product."""
    scale: float = 1.0
    """Share of ground = number * scale; not where `is_area`."""
    is_area: bool = False
    """Numbers are square metres of each cell: shares are what is left when they are divided by the cell's own."""
    tiles: NamedTiles | None = None
    """In an open bucket; None: in none that we know."""
    catalogues: Mapping[str, str] = field(default_factory=dict)
    """Our name of a catalogue -> name of its profile (`remote/map_profiles.py`)."""


LAND_COVER = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)


def _worldcover(year: int, version: int) -> MapProduct:
    name = f"v{version}/{year}/map/ESA_WorldCover_10m_{year}_v{version}_{{corner}}_Map.tif"
    return MapProduct(
        f"ESA WorldCover {year} v{version}", "classes", (0.0,), LAND_COVER,
        tiles=NamedTiles("https://esa-worldcover.s3.eu-central-1.amazonaws.com", name, side_deg=3, side_px=36_000),
        catalogues={"planetary-computer": f"planetary-computer/esa-worldcover-{year}"},
    )  # fmt: skip


PRODUCTS: dict[str, MapProduct] = {
    # Zanaga et al. 2021, doi:10.5281/zenodo.5571936, and 2022, doi:10.5281/zenodo.7254221: two algorithms, not to be subtracted.
    "worldcover-2020": _worldcover(2020, 100),
    "worldcover-2021": _worldcover(2021, 200),
    # Pesaresi and Politis 2023, doi:10.2905/9F06F36F-4B11-47EC-ABB0-4F8B7B1D72EA.
    "ghs-built-s": MapProduct("GHS-BUILT-S", "amount", (65535.0,), is_area=True),
    # DiMiceli et al. 2022, doi:10.5067/MODIS/MOD44B.061: 200 is water, 253 fill.
    "mod44b-tree-cover": MapProduct("MOD44B tree cover", "amount", (200.0, 253.0), highest=100, scale=0.01),
    # Pekel et al. 2016, doi:10.1038/nature20584.
    "jrc-gsw-occurrence": MapProduct(
        "JRC surface water occurrence", "amount", (255.0,), highest=100, scale=0.01,
        catalogues={"planetary-computer": "planetary-computer/jrc-gsw"},
    ),
}  # fmt: skip
"""By the name that the study file gives."""
