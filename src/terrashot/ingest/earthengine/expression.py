"""What Earth Engine is asked to compute, as plain values: calls of its functions by name, and their form on the wire.

Nothing of Google's is needed to make one. Source: Earth Engine REST API v1, `Expression` and `ValueNode`; a test compares the form
with what earthengine-api 1.7 writes for the same computations.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function of Earth Engine's: `Image.select`, `reduce.mean`."""

    function: str
    arguments: tuple[tuple[str, Any], ...]
    """By name, in the order of the alphabet: other calls, constants, or tuples of these."""


def call(function: str, **arguments: Any) -> Call:
    """The call; `from_` stands for an argument called `from`, lists become tuples."""
    named = {name.removesuffix("_"): _frozen(value) for name, value in arguments.items()}
    return Call(function, tuple(sorted(named.items())))


def expression_of(*results: Call) -> dict[str, Any]:
    """The form on the wire of one computation, or of a list of several; what is used twice is written once."""
    root: Any = results[0] if len(results) == 1 else tuple(results)
    shared = [made for made, count in _uses(root).items() if count > 1]
    names = {made: str(number) for number, made in enumerate(shared, start=1)}
    values = {names[made]: _node(made, names, is_itself=True) for made in shared}
    return {"result": "0", "values": {"0": _node(root, names, is_itself=True), **values}}


def image_constant(value: float) -> Call:
    """The same number everywhere."""
    return call("Image.constant", value=value)


def load_image(asset: str) -> Call:
    """One image by its whole id."""
    return call("Image.load", id=asset)


def collection_of(images: list[Call]) -> Call:
    """Several images as a collection, in their order."""
    return call("ImageCollection.fromImages", images=images)


def select(image: Call, *bands: str) -> Call:
    """Some bands of an image."""
    return call("Image.select", input=image, bandSelectors=bands)


def renamed(image: Call, *names: str) -> Call:
    """The same bands under other names."""
    return call("Image.rename", input=image, names=names)


def seen_where(image: Call, mask: Call) -> Call:
    """The image where it is there and the mask is not 0."""
    return call("Image.updateMask", image=image, mask=mask)


def filled(image: Call) -> Call:
    """The image with 0 where it is masked, beyond its end too: an answer has a number for every pixel."""
    return call("Image.unmask", input=image, value=image_constant(0), sameFootprint=False)


def beside(image: Call, other: Call) -> Call:
    """The bands of both."""
    return call("Image.addBands", dstImg=image, srcImg=other)


def two_sided(function: str, image: Call, number: float) -> Call:
    """An image and a number, pixel by pixel: `Image.gt`, `Image.multiply`."""
    return call(function, image1=image, image2=image_constant(number))


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _uses(root: Any) -> Counter[Call]:
    """How often each call is used; what is inside one that is used twice counts once, since it is written once."""
    found: Counter[Call] = Counter()
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, tuple):
            waiting.extend(value)
        elif isinstance(value, Call):
            found[value] += 1
            if found[value] == 1:
                waiting.extend(argument for _, argument in value.arguments)
    return found


def _node(value: Any, names: dict[Call, str], *, is_itself: bool = False) -> dict[str, Any]:
    if isinstance(value, Call):
        if value in names and not is_itself:
            return {"valueReference": names[value]}
        arguments = {name: _node(argument, names) for name, argument in value.arguments}
        return {"functionInvocationValue": {"functionName": value.function, "arguments": arguments}}
    if isinstance(value, tuple) and any(isinstance(item, Call) for item in value):
        return {"arrayValue": {"values": [_node(item, names) for item in value]}}
    return {"constantValue": list(value) if isinstance(value, tuple) else value}
