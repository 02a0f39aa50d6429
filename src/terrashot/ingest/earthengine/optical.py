"""Sentinel-2 of Earth Engine: which images lie over a chip, and a month of clear reflectance made of them.

Source: google/earthengine-catalog, `COPERNICUS_S2_SR_HARMONIZED` (its pixels are harmonised: nothing is subtracted) and
`GOOGLE_CLOUD_SCORE_PLUS_V1_S2_HARMONIZED` (joined by the image's name).
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from terrashot.domain.grid import Chip
from terrashot.domain.product_names import read_product_name
from terrashot.ingest.clear_sky import CLEAR_SCORE, QA60_CLOUD, SCL_CLEAR
from terrashot.ingest.each_once import Delivery, Pass
from terrashot.ingest.earthengine.expression import (
    Call,
    call,
    image_constant,
    load_image,
    seen_where,
    select,
    two_sided,
)
from terrashot.ingest.earthengine.ground import TIME, between, collection, list_images, over, those_not_above
from terrashot.ingest.earthengine.listed import moment_of, name_of
from terrashot.ingest.earthengine.stack import Layer, all_there, first_of
from terrashot.remote.earth_engine import Engine

SENTINEL2: Final = "COPERNICUS/S2_SR_HARMONIZED"
CLOUD_SCORES: Final = "GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED"
REFLECTANCE: Final = 1e-4
"""Of one step of the stored numbers."""
Mask = Literal["scl", "cloud_score", "qa60"]
BANDS: Final = {
    "coastal": "B1", "blue": "B2", "green": "B3", "red": "B4", "rededge1": "B5", "rededge2": "B6", "rededge3": "B7",
    "nir": "B8", "nir08": "B8A", "nir09": "B9", "swir16": "B11", "swir22": "B12",
}  # fmt: skip
PROPERTIES: Final = ("system:index", TIME, "PRODUCT_ID", "DATASTRIP_ID", "GENERATION_TIME", "MGRS_TILE")
STRIP: Final = re.compile(r"_S(\d{8}T\d{6})_", re.ASCII)
"""In a datastrip's name: when its sensing began."""


def list_optical(
    engine: Engine, chip: Chip, start: datetime, end: datetime, most_cloud_percent: float
) -> tuple[Delivery, ...]:
    """The images over the chip, sensed in [start, end).

    Raises:
        InputError, NetworkError: as `list_images`.
    """
    images = between(over(collection(SENTINEL2), chip), start, end)
    images = those_not_above(images, "CLOUDY_PIXEL_PERCENTAGE", most_cloud_percent)
    return tuple(_delivery(engine, row, chip) for row in list_images(engine, images, PROPERTIES))


def list_scored(engine: Engine, chip: Chip, start: datetime, end: datetime) -> frozenset[str]:
    """Names of the images over the chip that have a cloud score.

    Raises:
        InputError, NetworkError: as `list_images`.
    """
    images = between(over(collection(CLOUD_SCORES), chip), start, end)
    return frozenset(str(row[0]) for row in list_images(engine, images, ("system:index",)))


def optical_layer(
    kinds: Sequence[str], passes: Sequence[Pass], mask: Mask, scored: frozenset[str] = frozenset()
) -> Layer:
    """A month of clear passes.

    Args:
        scored: images that have a cloud score; of another nothing is known to be clear.
    """
    bands = tuple(BANDS[kind] for kind in kinds)
    sensed = [[all_there(_loaded(one), *bands) for one in passage.deliveries] for passage in passes]
    clear = [
        [seen_where(image, _is_clear(one, mask, scored)) for image, one in zip(own, passage.deliveries, strict=True)]
        for own, passage in zip(sensed, passes, strict=True)
    ]
    return Layer("optical", bands, tuple(passes), tuple(map(first_of, clear)), tuple(map(first_of, sensed)))


def _loaded(delivery: Delivery) -> Call:
    return load_image(f"{SENTINEL2}/{delivery.id}")


def _is_clear(delivery: Delivery, mask: Mask, scored: frozenset[str]) -> Call:
    """1 where the ground is seen, else 0 or masked."""
    image = _loaded(delivery)
    if mask == "scl":
        ones = (1,) * len(SCL_CLEAR)
        return call("Image.remap", image=image, from_=SCL_CLEAR, to=ones, defaultValue=0, bandName="SCL")
    if mask == "qa60":
        return two_sided("Image.eq", two_sided("Image.bitwiseAnd", select(image, "QA60"), QA60_CLOUD), 0)
    if delivery.id not in scored:
        return image_constant(0)
    return two_sided("Image.gte", select(load_image(f"{CLOUD_SCORES}/{delivery.id}"), "cs"), CLEAR_SCORE)


def _delivery(engine: Engine, row: tuple[object, ...], chip: Chip) -> Delivery:
    index, sensed, product, strip, produced, tile = row
    named = read_product_name(product) if isinstance(product, str) else read_product_name("")
    cut = STRIP.search(strip) if isinstance(strip, str) else None
    tile = tile if isinstance(tile, str) else named.tile
    made = datetime.fromtimestamp(produced / 1000, UTC) if isinstance(produced, int | float) else None
    is_at_home = tile is not None and tile[:2] == f"{chip.epsg % 100:02d}"
    return Delivery(
        name_of(engine, index), named.platform or "sentinel-2", moment_of(engine, sensed), None, tile,
        cut[1] if cut else None, named.baseline, made, is_at_home,
    )  # fmt: skip
