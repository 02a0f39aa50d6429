"""One month of one sensor as Earth Engine computes it: the mean or median of its passes, and which pass gave each pixel.

Every pass is told with a bit of its own, 32 to a band, so that how many there were, on which days, and why there are none where
there are none, are known exactly: as of scenes that were read here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, UInt32

from terrashot.ingest.composite import Statistic, Tally
from terrashot.ingest.each_once import Pass
from terrashot.ingest.earthengine.expression import (
    Call,
    beside,
    call,
    collection_of,
    filled,
    renamed,
    seen_where,
    select,
    two_sided,
)
from terrashot.ingest.earthengine.window import Band
from terrashot.ingest.reasons import Reason, most_telling

BITS: Final = 32


@dataclass(frozen=True, slots=True)
class Layer:
    """Passes that are put on one another, and the bands that come of it."""

    name: str
    """Beginning of its bands' names."""
    bands: tuple[str, ...]
    """Of the images that it is made of."""
    passes: tuple[Pass, ...]
    """In the order of their keys."""
    clear: tuple[Call, ...]
    """Of each pass its image, masked where nothing can be used."""
    sensed: tuple[Call, ...] = ()
    """Of each pass its image, masked where nothing was sensed; none where there is no other mask."""
    others: tuple[Reason, ...] = ()
    """Why passes of that month are not among these."""

    @property
    def values(self) -> tuple[Band, ...]:
        return tuple(Band(f"{self.name}_{band}", "float32") for band in self.bands)

    @property
    def clear_bits(self) -> tuple[Band, ...]:
        return _bit_bands(f"{self.name}_clear", len(self.clear))

    @property
    def sensed_bits(self) -> tuple[Band, ...]:
        return _bit_bands(f"{self.name}_sensed", len(self.sensed))

    @property
    def all_bands(self) -> tuple[Band, ...]:
        """In the order of `image_of`."""
        return (*self.values, *self.clear_bits, *self.sensed_bits)

    def image_of(self, statistic: Statistic) -> Call:
        """The statistic and the bits as one image, without a mask."""
        made = call(f"reduce.{statistic}", collection=collection_of(list(self.clear)))
        image = renamed(filled(call("Image.toFloat", value=made)), *(band.name for band in self.values))
        for seen, bands in ((self.clear, self.clear_bits), (self.sensed, self.sensed_bits)):
            for number, band in enumerate(bands):
                image = beside(image, renamed(self._bits(seen[number * BITS : (number + 1) * BITS]), band.name))
        return image

    def _bits(self, images: Sequence[Call]) -> Call:
        """Whether each image has a value, as the bits of one number."""
        own = [
            two_sided("Image.multiply", filled(call("Image.toDouble", value=_is_there(image, self.bands[0]))), 2.0**bit)
            for bit, image in enumerate(images)
        ]
        return call("Image.toUint32", value=call("reduce.sum", collection=collection_of(own)))


@dataclass(frozen=True, slots=True, eq=False)
class Stacked:
    """What came of a layer."""

    values: Float32[np.ndarray, "C H W"]
    """As the service computed them; NaN where no pass gave anything."""
    counts: Int32[np.ndarray, "H W"]
    tally: Tally
    """The same for each of its bands."""


def all_there(image: Call, *bands: str) -> Call:
    """Some bands of an image, each masked where one of them is: a pixel counts where all were sensed."""
    chosen = select(image, *bands)
    least = call("Image.reduce", image=call("Image.mask", image=chosen), reducer=call("Reducer.min"))
    return seen_where(chosen, least)


def first_of(images: Sequence[Call]) -> Call:
    """Images on one another, the first on top."""
    if len(images) == 1:
        return images[0]
    return call("ImageCollection.mosaic", collection=collection_of(list(images[::-1])))


def unpacked(layer: Layer, found: dict[str, np.ndarray]) -> Stacked:
    """The layer's part of an answer."""
    clear = [found[band.name] for band in layer.clear_bits]
    counts = sum((np.bitwise_count(bits) for bits in clear), np.zeros_like(clear[0])).astype(np.int32)
    values = np.array([found[band.name] for band in layer.values], np.float32)
    values = np.where(counts > 0, values, np.float32(np.nan))
    gave, sensed = _passes_in(clear), _passes_in([found[band.name] for band in layer.sensed_bits])
    return Stacked(values, counts, _tally(layer, counts, gave, sensed))


def nothing_stacked(layer: Layer, side_px: int) -> Stacked:
    """Of a layer without a pass."""
    counts = np.zeros((side_px, side_px), np.int32)
    values = np.full((len(layer.bands), side_px, side_px), np.nan, np.float32)
    return Stacked(values, counts, _tally(layer, counts, set(), set()))


def _tally(layer: Layer, counts: Int32[np.ndarray, "H W"], gave: set[int], sensed: set[int]) -> Tally:
    days = [layer.passes[number].sensed_at.date() for number in sorted(gave)]
    has_value = counts > 0
    reasons: list[Reason] = list(layer.others)
    reasons += ["all clouded" if number in sensed else "outside the swath" for number in range(len(layer.passes))]
    mean_count = float(counts[has_value].mean()) if days else 0.0
    reason = None if days else most_telling(reasons)
    return Tally(
        len(days), float(has_value.mean()), mean_count, min(days, default=None), max(days, default=None), reason
    )


def _bit_bands(name: str, n_passes: int) -> tuple[Band, ...]:
    return tuple(Band(f"{name}{number}", "uint32") for number in range(-(-n_passes // BITS)))


def _is_there(image: Call, band: str) -> Call:
    return two_sided("Image.gt", call("Image.mask", image=select(image, band)), 0)


def _passes_in(bits: Sequence[UInt32[np.ndarray, "H W"]]) -> set[int]:
    """Numbers of the passes whose bit is set anywhere."""
    anywhere = [int(np.bitwise_or.reduce(own, axis=None)) for own in bits]
    return {place * BITS + bit for place, own in enumerate(anywhere) for bit in range(BITS) if own >> bit & 1}
