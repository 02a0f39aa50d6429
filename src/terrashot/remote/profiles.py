"""The catalogues we know, as data: where each is, what it calls things, and what must be done to its pixels.

Source: docs/ingest.md, "Catalogues"; each row was checked against items of that catalogue but those marked there as second-hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from terrashot.domain.acquisition import Acquisition, Transform
from terrashot.errors import InputError, UsageError

Signing = Literal["none", "planetary-computer", "login"]
"""`login`: the files cannot be read without an account of the catalogue's; we have no client for it."""
OffsetRule = Literal["baseline", "flag, then baseline"]
"""How a catalogue of reflectance tells whether 1000 is to be subtracted: `ingest/boa_offset.py`."""
Unit = Literal["reflectance", "gamma0", "power", "amplitude", "dB", "uncalibrated", "classes", "percent"]
"""`gamma0`: terrain-corrected power, linear; `uncalibrated`: a radar's own numbers, with calibration tables beside; the last two are
of reference maps (`map_profiles.py`)."""
MaskKind = Literal["scl", "qa60", "cloud_score"]
"""`scl`: the scene classification of Level-2A; `qa60`: cloud bits; `cloud_score`: 0 to 1, 1 is clear."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One product in one catalogue."""

    catalogue: str
    """As people call it, for messages."""
    search_url: str
    """May be replaced by that of another server of the same kind; all that is asked of the catalogue is asked there."""
    collection: str
    channels: Mapping[str, str]
    """Our kind of channel -> key of the asset, whose first band it is; or of the asset and a band's name, `data#red`."""
    unit: Unit
    mask: str | None = None
    """Key of the asset that tells clouds."""
    mask_kind: MaskKind = "scl"
    signing: Signing = "none"
    offset_rule: OffsetRule | None = None
    """None: no reflectance."""
    nodata: float | None = None
    """What the product's own definition says, where items say nothing."""
    has_grid: bool = True
    """False: the files lie in the radar's own geometry; a transform in the item is a fit and no grid to read by."""
    tile_property: str | None = None
    """Property to search a tile by."""
    tile_prefix: str = ""
    query: Mapping[str, object] = field(default_factory=dict)
    """Always asked for, in the STAC query extension's form."""
    method: Literal["POST", "GET"] = "POST"

    @property
    def collection_url(self) -> str:
        """Where the collection, with its `item_assets`, is described."""
        path, mark, query = self.search_url.partition("?")
        return f"{path.rstrip('/').removesuffix('/search')}/collections/{self.collection}{mark}{query}"

    def asks_for_tile(self, tile: str) -> dict[str, object]:
        """The part of a query that asks for one tile.

        Raises:
            UsageError: this product has no tiles.
        """
        if self.tile_property is None:
            raise UsageError(f"{self.catalogue} {self.collection}: has no tiles; search by outline")
        return {self.tile_property: {"eq": f"{self.tile_prefix}{tile}"}}


@dataclass(frozen=True, slots=True)
class Plane:
    """All that a reader of pixels needs to know of one channel of one acquisition. None: nobody said."""

    href: str
    band: int
    nodata: float | None
    dtype: str | None
    scale: float | None
    offset: float | None
    crs: str | None
    transform: Transform | None
    shape: tuple[int, int] | None


def plane_of(acquisition: Acquisition, profile: Profile, kind: str) -> Plane | None:
    """Where the pixels of one of the profile's channels, or of its `mask`, stand; None where the item has no such asset."""
    key = profile.mask if kind == "mask" else profile.channels.get(kind)
    if key is None:
        known = ", ".join([*profile.channels, *(["mask"] if profile.mask else [])])
        raise InputError(f"{profile.catalogue} {profile.collection}: has no channel '{kind}'; it has {known}")
    asset_key, _, band_name = key.partition("#")
    asset = acquisition.assets.get(asset_key)
    if asset is None:
        return None
    band = next((band for band in asset.bands if not band_name or band.name == band_name), None)
    if band is None and band_name:
        return None
    return Plane(
        href=asset.href,
        band=band.index if band else 1,
        nodata=band.nodata if band and band.nodata is not None else profile.nodata,
        dtype=band.dtype if band else None,
        scale=band.scale if band else None,
        offset=band.offset if band else None,
        crs=asset.crs if profile.has_grid else None,
        transform=asset.transform if profile.has_grid else None,
        shape=asset.shape if profile.has_grid else None,
    )


PLANETARY_COMPUTER, PC_SEARCH = "Planetary Computer", "https://planetarycomputer.microsoft.com/api/stac/v1/search"
EARTH_SEARCH, ES_SEARCH = "Earth Search", "https://earth-search.aws.element84.com/v1/search"
CDSE, CDSE_SEARCH = "Copernicus Data Space", "https://stac.dataspace.copernicus.eu/v1/search"
BY_NUMBER = {
    "coastal": "B01", "blue": "B02", "green": "B03", "red": "B04", "rededge1": "B05", "rededge2": "B06", "rededge3": "B07",
    "nir": "B08", "nir08": "B8A", "nir09": "B09", "swir16": "B11", "swir22": "B12",
}  # fmt: skip
BY_NAME = {kind: kind for kind in BY_NUMBER}
# CDSE has each band at several sizes; the suffix is the band's own.
SIZES_M = {"blue": 10, "green": 10, "red": 10, "nir": 10, "coastal": 60, "nir09": 60}
BY_SIZE = {kind: f"{number}_{SIZES_M.get(kind, 20)}m" for kind, number in BY_NUMBER.items()}
RADAR = {"vv": "vv", "vh": "vh"}
IW = {"sar:instrument_mode": {"eq": "IW"}}

PROFILES: dict[str, Profile] = {
    "planetary-computer/sentinel-2-l2a": Profile(
        PLANETARY_COMPUTER, PC_SEARCH, "sentinel-2-l2a", BY_NUMBER, "reflectance", mask="SCL", signing="planetary-computer",
        offset_rule="baseline", nodata=0.0, tile_property="s2:mgrs_tile",
    ),
    "planetary-computer/sentinel-1-rtc": Profile(
        PLANETARY_COMPUTER, PC_SEARCH, "sentinel-1-rtc", RADAR, "gamma0", signing="planetary-computer", nodata=-32768.0, query=IW,
    ),
    "planetary-computer/sentinel-1-grd": Profile(
        PLANETARY_COMPUTER, PC_SEARCH, "sentinel-1-grd", RADAR, "uncalibrated", signing="planetary-computer", has_grid=False, query=IW,
    ),
    "earth-search/sentinel-2-l2a": Profile(
        EARTH_SEARCH, ES_SEARCH, "sentinel-2-l2a", BY_NAME, "reflectance", mask="scl", offset_rule="flag, then baseline",
        nodata=0.0, tile_property="grid:code", tile_prefix="MGRS-",
    ),
    "earth-search/sentinel-2-c1-l2a": Profile(
        EARTH_SEARCH, ES_SEARCH, "sentinel-2-c1-l2a", BY_NAME, "reflectance", mask="scl", offset_rule="flag, then baseline",
        nodata=0.0, tile_property="grid:code", tile_prefix="MGRS-",
    ),
    "earth-search/sentinel-1-grd": Profile(
        EARTH_SEARCH, ES_SEARCH, "sentinel-1-grd", RADAR, "uncalibrated", signing="login", has_grid=False, query=IW,
    ),
    "cdse/sentinel-2-l2a": Profile(
        CDSE, CDSE_SEARCH, "sentinel-2-l2a", BY_SIZE, "reflectance", mask="SCL_20m", signing="login", offset_rule="baseline",
        nodata=0.0, tile_property="grid:code", tile_prefix="MGRS-",
    ),
    "cdse/sentinel-1-grd": Profile(
        CDSE, CDSE_SEARCH, "sentinel-1-grd", RADAR, "uncalibrated", signing="login", has_grid=False, query=IW,
    ),
}  # fmt: skip
"""By catalogue and product."""


def profile_of(name: str) -> Profile:
    """The profile of that name.

    Raises:
        UsageError: there is none; names those that there are.
    """
    if name not in PROFILES:
        raise UsageError(f"no catalogue profile '{name}'; there are {', '.join(PROFILES)}")
    return PROFILES[name]
