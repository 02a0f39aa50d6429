"""Sentinel-1 of Earth Engine: which images lie over a chip, and a month of mean power made of them.

Terrain-corrected sigma0, not flattened by the terrain's slope: not the gamma0 of open catalogues. Source:
google/earthengine-catalog, `COPERNICUS_S1_GRD`, whose collection of power is `COPERNICUS/S1_GRD_FLOAT`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from terrashot.domain.grid import Chip
from terrashot.domain.product_names import read_product_name
from terrashot.errors import InputError
from terrashot.ingest.each_once import Delivery, Pass
from terrashot.ingest.earthengine.expression import Call, load_image, seen_where, select, two_sided
from terrashot.ingest.earthengine.ground import TIME, between, collection, list_images, over, those_with
from terrashot.ingest.earthengine.listed import moment_of, name_of
from terrashot.ingest.earthengine.stack import Layer, first_of
from terrashot.ingest.reasons import Reason
from terrashot.remote.earth_engine import Engine

SENTINEL1: Final = "COPERNICUS/S1_GRD_FLOAT"
UNIT: Final = "dB sigma0"
KINDS: Final = ("vv", "vh")
PROPERTIES: Final = ("system:index", TIME, "orbitProperties_pass")
POLARISATIONS: Final[dict[str, tuple[str, ...]]] = {"DV": KINDS, "SV": ("vv",), "DH": (), "SH": ()}
"""Of ours, by the letters in a product's name."""


def list_radar(engine: Engine, chip: Chip, start: datetime, end: datetime) -> tuple[Delivery, ...]:
    """The images over the chip, sensed in [start, end), interferometric wide swath, 10 m.

    Raises:
        InputError, NetworkError: as `list_images`.
    """
    images = between(over(collection(SENTINEL1), chip), start, end)
    images = those_with(images, "instrumentMode", "IW")
    images = those_with(images, "resolution_meters", 10)
    return tuple(_delivery(engine, row) for row in list_images(engine, images, PROPERTIES))


def radar_layers(passes: Sequence[Pass]) -> tuple[Layer, ...]:
    """A month of power, a layer a polarisation: passes need not have both."""
    return tuple(_layer(kind, passes) for kind in KINDS)


def _layer(kind: str, passes: Sequence[Pass]) -> Layer:
    own = [(passage, [one for one in passage.deliveries if kind in polarisations(one.id)]) for passage in passes]
    there = [(passage, deliveries) for passage, deliveries in own if deliveries]
    lacking: tuple[Reason, ...] = ("polarisation not acquired",) if len(there) < len(own) else ()
    images = tuple(first_of([_power(one, kind) for one in deliveries]) for _, deliveries in there)
    return Layer(f"radar_{kind}", (kind.upper(),), tuple(passage for passage, _ in there), images, others=lacking)


def _power(delivery: Delivery, kind: str) -> Call:
    """Masked where power is not positive: noise was taken away there, or it is a border."""
    image = select(load_image(f"{SENTINEL1}/{delivery.id}"), kind.upper())
    return seen_where(image, two_sided("Image.gt", image, 0))


def polarisations(name: str) -> tuple[str, ...]:
    """Which of ours the product has, by its name: `S1A_IW_GRDH_1SDV_...` has both."""
    return POLARISATIONS.get(name[14:16], ())


def _delivery(engine: Engine, row: tuple[object, ...]) -> Delivery:
    index, sensed, direction = row
    name = name_of(engine, index)
    platform = read_product_name(name).platform
    if platform is None or name[14:16] not in POLARISATIONS:
        raise InputError(f"{engine.name}: a radar image called {name[:80]!r}, which is no name of Sentinel-1's")
    is_ascending = {"ASCENDING": True, "DESCENDING": False}.get(str(direction))
    return Delivery(name, platform, moment_of(engine, sensed), is_ascending)
