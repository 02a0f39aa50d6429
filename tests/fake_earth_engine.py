"""An Earth Engine that works out what it is asked, in plain numpy, and keeps every question.

Made from the service's documentation, not from our code: each function takes the arguments that the service documents, by name, and
no other. Pixels are taken by nearest, as the service takes them unless told otherwise.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyproj
import shapely

from terrashot.raster.place import RasterPlace, between
from terrashot.remote.earth_engine import Engine


@dataclass(frozen=True, eq=False)
class FakeImage:
    """One image of a collection."""

    place: RasterPlace
    bands: dict[str, np.ndarray]
    """NaN is masked."""
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Picture:
    """Bands on the lattice that is asked for: values and masks, 0 to 1."""

    bands: dict[str, tuple[np.ndarray, np.ndarray]]
    native: RasterPlace | None = None

    def each(self, function: Callable[..., tuple[np.ndarray, np.ndarray]]) -> "Picture":
        return Picture({name: function(*band) for name, band in self.bands.items()}, self.native)


@dataclass
class FakeEarthEngine:
    """Images by id, and all questions."""

    images: dict[str, FakeImage]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """`pixels` or `value`, and the question as it would go over the wire."""
    name: str = "Earth Engine"
    faults: dict[int, Exception] = field(default_factory=dict)
    """By number of the question, from 0."""

    def pixels(self, body: dict[str, Any], most_bytes: int) -> bytes:
        self._take_down("pixels", body)
        grid = body["grid"]
        affine = tuple(
            grid["affineTransform"][key] for key in ("scaleX", "shearX", "translateX", "shearY", "scaleY", "translateY")
        )
        place = RasterPlace(grid["crsCode"], affine, grid["dimensions"]["width"], grid["dimensions"]["height"])
        found = Evaluation(self.images, body["expression"], place).result()
        kinds = {"float32": "<f4", "uint32": "<u4"}
        table = np.zeros(
            (place.height_px, place.width_px), [(n, kinds[str(found.bands[n][0].dtype)]) for n in body["bandIds"]]
        )
        for name in body["bandIds"]:
            values, mask = found.bands[name]
            assert mask.all(), f"{name}: masked pixels have no number of their own in a .npy"
            table[name] = values
        content = io.BytesIO()
        np.save(content, table)
        n_bytes = sum(table.dtype[name].itemsize + 1 for name in body["bandIds"]) * table.size
        assert n_bytes <= 48 << 20 and len(content.getvalue()) <= most_bytes
        return content.getvalue()

    def value(self, expression: dict[str, Any]) -> object:
        self._take_down("value", expression)
        return Evaluation(self.images, expression, None).result()

    def _take_down(self, kind: str, question: dict[str, Any]) -> None:
        number = len(self.asked)
        self.asked.append((kind, json.loads(json.dumps(question, allow_nan=False))))
        if number in self.faults:
            raise self.faults[number]


_: type[Engine] = FakeEarthEngine


class Evaluation:
    """One expression, worked out on one lattice."""

    def __init__(self, images: dict[str, FakeImage], expression: dict[str, Any], place: RasterPlace | None) -> None:
        self.images, self.expression, self.place = images, expression, place
        self.known: dict[str, Any] = {}

    def result(self) -> Any:
        return self.node(self.expression["values"][self.expression["result"]])

    def node(self, node: dict[str, Any]) -> Any:
        ((kind, content),) = node.items()
        if kind == "constantValue":
            return content
        if kind == "valueReference":
            if content not in self.known:
                self.known[content] = self.node(self.expression["values"][content])
            return self.known[content]
        if kind == "arrayValue":
            return [self.node(item) for item in content["values"]]
        assert kind == "functionInvocationValue", kind
        if content["functionName"] == "Image.reduceRegion":
            return self.reduce_region(**content["arguments"])
        function = FUNCTIONS[content["functionName"]]
        return function(self, **{own(name): self.node(argument) for name, argument in content["arguments"].items()})

    def reduce_region(
        self, image: Any, reducer: Any, geometry: Any, crs: Any, maxPixels: Any
    ) -> dict[str, float | None]:
        """The mean over the map's own pixels, each by the part of it that lies inside."""
        assert self.node(reducer) == "mean" and self.node(maxPixels) > 0
        native: RasterPlace = self.node(crs)
        inside = covered(native, self.node(geometry))
        seen: Picture = Evaluation(self.images, self.expression, native).node(image)
        return {name: mean_of(values, mask * inside) for name, (values, mask) in seen.bands.items()}

    def seen(self, image: FakeImage) -> Picture:
        """Nearest pixels; the reader of a value alone sees nothing."""
        if self.place is None:
            return Picture({name: (np.zeros((1, 1)), np.zeros((1, 1))) for name in image.bands}, image.place)
        rows, cols = np.indices((self.place.height_px, self.place.width_px)).reshape(2, -1) + 0.5
        a, b, c, d, e, f = self.place.affine
        x, y = between(self.place.crs, image.place.crs).transform(a * cols + b * rows + c, d * cols + e * rows + f)
        at_rows, at_cols = image.place.pixels_at(x, y)
        shape = (self.place.height_px, self.place.width_px)
        found = {}
        for name, stored in image.bands.items():
            values = np.where(at_rows >= 0, stored[at_rows, at_cols].astype(np.float64), np.nan).reshape(shape)
            found[name] = np.nan_to_num(values), np.isfinite(values).astype(np.float64)
        return Picture(found, image.place)


def own(name: str) -> str:
    return f"{name}_" if name in ("from", "filter", "and") else name


def covered(native: RasterPlace, outline: shapely.Polygon) -> np.ndarray:
    """The part of each pixel inside the outline, which is in the axes of the map."""
    own_outline = shapely.transform(
        outline.polygon,
        lambda at: np.column_stack(
            pyproj.Transformer.from_crs(outline.crs, native.crs, always_xy=True).transform(*at.T)
        ),
    )
    a, _, c, _, e, f = native.affine
    rows, cols = np.indices((native.height_px, native.width_px))
    boxes = shapely.box(c + a * cols, f + e * (rows + 1), c + a * (cols + 1), f + e * rows)
    return shapely.area(shapely.intersection(boxes, own_outline)) / abs(a * e)


def mean_of(values: np.ndarray, weights: np.ndarray) -> float | None:
    return float((values * weights).sum() / weights.sum()) if weights.sum() > 0 else None


def pairwise(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., Picture]:
    """An operator of two images; a single band goes with every band of the other."""

    def both(self: Evaluation, image1: Picture, image2: Picture) -> Picture:
        found = {}
        for number, (name, (values, mask)) in enumerate(image1.bands.items()):
            others = list(image2.bands.values())
            other, other_mask = others[number if len(others) > 1 else 0]
            found[name] = (
                function(values, other).astype(np.float64) * np.ones_like(values),
                np.minimum(mask, other_mask),
            )
        return Picture(found, image1.native)

    return both


def together(function: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Picture]:
    """A statistic over the images of a collection, of what is not masked."""

    def reduced(self: Evaluation, collection: list[Picture]) -> Picture:
        found = {}
        for name in collection[0].bands:
            stack = np.array([np.where(i.bands[name][1] > 0, i.bands[name][0], np.nan) for i in collection])
            there = np.isfinite(stack).any(axis=0)
            values = np.zeros(stack.shape[1:])
            values[there] = function(stack[:, there])
            found[name] = values, there.astype(np.float64)
        return Picture(found)

    return reduced


def cast(dtype: str) -> Callable[..., Picture]:
    return lambda self, value: value.each(lambda v, m: (v.astype(dtype), m))


def load_collection(self, id):
    return [(key.removeprefix(f"{id}/"), image) for key, image in self.images.items() if key.startswith(f"{id}/")]


def select(self, input, bandSelectors):
    return Picture({name: input.bands[name] for name in bandSelectors}, input.native)


def rename(self, input, names):
    assert len(names) == len(input.bands)
    return Picture(dict(zip(names, input.bands.values(), strict=True)), input.native)


def update_mask(self, image, mask):
    masks = list(mask.bands.values())
    found = {}
    for number, (name, (values, there)) in enumerate(image.bands.items()):
        other, other_there = masks[number if len(masks) > 1 else 0]
        found[name] = values, np.minimum(there, np.where(other_there > 0, np.clip(other, 0, 1), 0))
    return Picture(found, image.native)


def unmask(self, input, value, sameFootprint):
    assert sameFootprint is False
    ((filling, _),) = value.bands.values()
    return input.each(lambda v, m: (np.where(m > 0, v, filling).astype(v.dtype), np.ones_like(m)))


def constant(self, value):
    shape = (1, 1) if self.place is None else (self.place.height_px, self.place.width_px)
    return Picture({"constant": (np.full(shape, float(value)), np.ones(shape))})


def remap(self, image, from_, to, defaultValue, bandName=None):
    values, mask = image.bands[bandName or next(iter(image.bands))]
    found = np.full(values.shape, float(defaultValue))
    for old, new in zip(from_, to, strict=True):
        found[values == old] = new
    return Picture({"remapped": (found, mask)}, image.native)


def mosaic(self, collection):
    """The last on top."""
    pictures = [self.seen(image[1]) if isinstance(image, tuple) else image for image in collection]
    found = dict(pictures[0].bands)
    for picture in pictures[1:]:
        for name, (values, mask) in picture.bands.items():
            below, below_mask = found[name]
            found[name] = np.where(mask > 0, values, below), np.where(mask > 0, mask, below_mask)
    return Picture(found)


def reduce_bands(self, image, reducer):
    assert reducer == "min"
    values = np.array([v for v, _ in image.bands.values()])
    masks = np.array([m for _, m in image.bands.values()])
    return Picture({"min": (values.min(axis=0), masks.min(axis=0))}, image.native)


def add_bands(self, dstImg, srcImg):
    assert not dstImg.bands.keys() & srcImg.bands.keys()
    return Picture({**dstImg.bands, **srcImg.bands}, dstImg.native)


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000


def reduce_columns(self, collection, reducer, selectors):
    """Rows of properties; those that lack one that is not optional are left out, as the service leaves them out."""
    size, n_optional = reducer
    assert size == len(selectors)
    rows = [
        [name if key == "system:index" else image.properties.get(key) for key in selectors]
        for name, image in collection
    ]
    kept = [row for row in rows if None not in row[: size - n_optional]]
    return {"list": kept if size > 1 else [row[0] for row in kept]}


def meets(image, place):
    x, y = image.place.outline_deg()
    box = shapely.transform(place.polygon, lambda at: np.column_stack(between(place.crs, "EPSG:4326").transform(*at.T)))
    return shapely.intersects(shapely.Polygon(np.column_stack([x, y])), box)


def filter_intersects(self, leftField, rightValue):
    assert leftField == ".all"
    return lambda image: meets(image, rightValue)


def filter_dates(self, leftValue, rightField):
    return lambda image: rightField in image.properties and leftValue[0] <= image.properties[rightField] < leftValue[1]


def compared(function):
    return lambda self, leftField, rightValue: (
        lambda i: leftField in i.properties and function(i.properties[leftField], rightValue)
    )


def rectangle(self, coordinates, crs, geodesic):
    assert geodesic is False
    return SimpleNamespace(polygon=shapely.box(*coordinates), crs=crs)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Image.load": lambda self, id: self.seen(self.images[id]),
    "ImageCollection.load": load_collection,
    "ImageCollection.fromImages": lambda self, images: images,
    "ImageCollection.mosaic": mosaic,
    "Collection.filter": lambda self, collection, filter_: [own for own in collection if filter_(own[1])],
    "Collection.first": lambda self, collection: self.seen(collection[0][1]),
    "Collection.reduceColumns": reduce_columns,
    "Filter.intersects": filter_intersects,
    "Filter.dateRangeContains": filter_dates,
    "Filter.equals": compared(lambda found, asked: found == asked),
    "Filter.greaterThan": compared(lambda found, asked: found > asked),
    "Filter.not": lambda self, filter_: lambda image: not filter_(image),
    "DateRange": lambda self, start, end: (instant(start), instant(end)),
    "Feature": lambda self, geometry: geometry,
    "GeometryConstructors.Rectangle": rectangle,
    "Projection": lambda self, crs: crs,
    "Image.projection": lambda self, image: image.native,
    "Image.select": select,
    "Image.rename": rename,
    "Image.updateMask": update_mask,
    "Image.unmask": unmask,
    "Image.mask": lambda self, image: image.each(lambda v, m: (m, np.ones_like(m))),
    "Image.addBands": add_bands,
    "Image.constant": constant,
    "Image.remap": remap,
    "Image.reduce": reduce_bands,
    "Image.toFloat": cast("float32"),
    "Image.toDouble": cast("float64"),
    "Image.toUint32": cast("uint32"),
    "Image.gt": pairwise(np.greater),
    "Image.gte": pairwise(np.greater_equal),
    "Image.lte": pairwise(np.less_equal),
    "Image.eq": pairwise(np.equal),
    "Image.and": pairwise(np.logical_and),
    "Image.multiply": pairwise(np.multiply),
    "Image.divide": pairwise(np.divide),
    "Image.bitwiseAnd": pairwise(lambda one, other: one.astype(np.int64) & other.astype(np.int64)),
    "reduce.mean": together(lambda stack: np.nanmean(stack, axis=0)),
    "reduce.median": together(lambda stack: np.nanmedian(stack, axis=0)),
    "reduce.sum": together(lambda stack: np.nansum(stack, axis=0)),
    "Reducer.min": lambda self: "min",
    "Reducer.mean": lambda self: "mean",
    "Reducer.toList": lambda self, tupleSize, numOptional: (tupleSize, numOptional),
}  # fmt: skip
