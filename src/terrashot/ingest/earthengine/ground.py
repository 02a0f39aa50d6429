"""A chip as Earth Engine is told of it: its outline, and which images of a collection lie over it in a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from terrashot.domain.grid import Chip
from terrashot.errors import InputError
from terrashot.ingest.earthengine.expression import Call, call, expression_of
from terrashot.remote.earth_engine import Engine

TIME: Final = "system:time_start"
MOST_LISTED: Final = 20_000


def outline_of(chip: Chip) -> Call:
    """The chip's square, with sides that are straight in its own zone."""
    crs = call("Projection", crs=f"EPSG:{chip.epsg}")
    return call("GeometryConstructors.Rectangle", coordinates=chip.bounds_m, crs=crs, geodesic=False)


def collection(asset: str) -> Call:
    """All images of a collection."""
    return call("ImageCollection.load", id=asset)


def kept(images: Call, condition: Call) -> Call:
    """Those that meet a condition."""
    return call("Collection.filter", collection=images, filter=condition)


def over(images: Call, chip: Chip) -> Call:
    """Those whose outline meets the chip's."""
    place = call("Feature", geometry=outline_of(chip))
    return kept(images, call("Filter.intersects", leftField=".all", rightValue=place))


def between(images: Call, start: datetime, end: datetime) -> Call:
    """Those sensed in [start, end), in UTC."""
    span = call("DateRange", start=f"{start:%Y-%m-%dT%H:%M:%S}", end=f"{end:%Y-%m-%dT%H:%M:%S}")
    return kept(images, call("Filter.dateRangeContains", leftValue=span, rightField=TIME))


def those_with(images: Call, name: str, value: str | float) -> Call:
    """Those whose property has the value."""
    return kept(images, call("Filter.equals", leftField=name, rightValue=value))


def those_not_above(images: Call, name: str, value: float) -> Call:
    """Those whose property is not above the value, and those that lack it."""
    above = call("Filter.greaterThan", leftField=name, rightValue=value)
    return kept(images, call("Filter.not", filter=above))


def list_images(engine: Engine, images: Call, properties: Sequence[str]) -> list[tuple[object, ...]]:
    """Of each image its properties; None where it lacks one, but never the first.

    Raises:
        InputError: the service cannot tell, or tells of more images than any chip has.
        NetworkError: no answer within the limits.
    """
    rows = call("Reducer.toList", tupleSize=len(properties), numOptional=len(properties) - 1)
    asked = call("Collection.reduceColumns", collection=images, reducer=rows, selectors=tuple(properties))
    answer = engine.value(expression_of(asked))
    found = answer.get("list") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) > MOST_LISTED:
        raise InputError(f"{engine.name}: an answer that is no list of images; see whether the service has changed")
    # One property alone comes without its row.
    listed = [tuple(row) if isinstance(row, list) else (row,) for row in found]
    if any(len(row) != len(properties) or not isinstance(row[0], str) for row in listed):
        raise InputError(f"{engine.name}: images listed without their names; see whether the service has changed")
    return listed
