"""The reference maps of Earth Engine that labels are made from, and what is computed of each over a chip.

Source: google/earthengine-catalog: `ESA_WorldCover_v100`, `ESA_WorldCover_v200`, `JRC_GHSL_P2023A_GHS_BUILT_S`, `MODIS_061_MOD44B`,
`MODIS_006_MOD44B`, `JRC_GSW1_4_GlobalSurfaceWater`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from terrashot.ingest.earthengine.expression import (
    Call,
    beside,
    call,
    filled,
    load_image,
    renamed,
    seen_where,
    select,
    two_sided,
)
from terrashot.ingest.earthengine.ground import between, collection

VALUE, VALID = "value", "valid"


@dataclass(frozen=True, slots=True)
class ReferenceMap:
    """One map: its image of a year, and which of its numbers are measured."""

    image: Callable[[int], Call]
    band: str
    low: float
    high: float
    """What is beyond is no data, whatever the service masks."""
    whole: float = 1.0
    """The number that stands for all of a pixel; means are told as shares of it."""
    has_classes: bool = False
    years: range | None = None
    """None: of one time."""
    masks_nothing_found: bool = False
    """Whether the product masks where it found nothing, so that a mask means 0."""


def _first(images: Call) -> Call:
    return call("Collection.first", collection=images)


def _of_year(asset: str) -> Callable[[int], Call]:
    def image(year: int) -> Call:
        start, end = (datetime(own, 1, 1, tzinfo=UTC) for own in (year, year + 1))
        return _first(between(collection(asset), start, end))

    return image


def _cover(version: str) -> ReferenceMap:
    return ReferenceMap(lambda _: _first(collection(f"ESA/WorldCover/{version}")), "Map", 10, 100, has_classes=True)


MAPS: Final[dict[str, ReferenceMap]] = {
    # 0 is no data: the open sea.
    "worldcover-v100": _cover("v100"),
    "worldcover-v200": _cover("v200"),
    # Square metres of 10,000; 65535 is no data.
    "ghs-built-s": ReferenceMap(
        lambda year: load_image(f"JRC/GHSL/P2023A/GHS_BUILT_S/{year}"), "built_surface", 0, 10_000, 10_000, years=range(1975, 2031, 5)
    ),
    # Per cent; 200 is water, 253 no data.
    "mod44b-061": ReferenceMap(_of_year("MODIS/061/MOD44B"), "Percent_Tree_Cover", 0, 100, 100, years=range(2000, 2031)),
    "mod44b-006": ReferenceMap(_of_year("MODIS/006/MOD44B"), "Percent_Tree_Cover", 0, 100, 100, years=range(2000, 2021)),
    # Per cent of the time; where water was never seen the product is masked.
    "gsw-1.4": ReferenceMap(
        lambda _: load_image("JRC/GSW1_4/GlobalSurfaceWater"), "occurrence", 0, 100, 100, masks_nothing_found=True
    ),
}  # fmt: skip


def share_image(known: ReferenceMap, year: int, classes: tuple[int, ...]) -> tuple[Call, Call]:
    """Bands `value`, masked where the map has none, and `valid`, 0 or 1 everywhere; and the map itself, whose pixels they have.

    Args:
        classes: whose share is asked for; none of a map of amounts.
    """
    stored = select(known.image(year), known.band)
    told = filled(stored) if known.masks_nothing_found else stored
    is_measured = call(
        "Image.and", image1=two_sided("Image.gte", told, known.low), image2=two_sided("Image.lte", told, known.high)
    )
    if known.has_classes:
        ones = (1,) * len(classes)
        amount = call("Image.remap", image=told, from_=classes, to=ones, defaultValue=0)
    else:
        amount = two_sided("Image.divide", told, known.whole)
    value, valid = renamed(seen_where(amount, is_measured), VALUE), renamed(filled(is_measured), VALID)
    return beside(value, valid), stored
