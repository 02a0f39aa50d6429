"""One month of one sensor from its acquisitions: mean or median a pixel, with counts, and why what is absent is absent.

Arrays and values only: who calls brings a function that shows one delivery on the chip's lattice. Passes are added in the one
order of their keys, in float64, so that any order of the same acquisitions gives the same bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol, get_args

import numpy as np
from jaxtyping import Bool, Float32, Int32

from terrashot.errors import InputError, one_line
from terrashot.ingest.each_once import Delivery, Pass
from terrashot.ingest.hidden import hide
from terrashot.ingest.pixel_sums import PixelSums
from terrashot.ingest.reasons import Reason, most_telling

Statistic = Literal["mean", "median"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one delivery, or one pass, shows of a chip."""

    values: Float32[np.ndarray, "C H W"]
    """NaN where nothing was sensed or cloud hides the ground."""
    why_empty: tuple[Reason | None, ...]
    """By channel; None where it has a valid pixel."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What went into one channel of a composite."""

    n_acquisitions: int
    """Passes that gave it at least one pixel."""
    valid_fraction: float
    """Share of its pixels that have a value."""
    mean_count: float
    """Passes a pixel, mean over the pixels that have a value; 0 without any."""
    first_date: date | None
    """Of those passes, in UTC."""
    last_date: date | None
    reason: Reason | None
    """Why no pixel has a value; None where some has."""
    detail: str = ""
    """What could not be read, and how it failed."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """One month of one sensor over one chip."""

    values: Float32[np.ndarray, "C H W"]
    """NaN is no data."""
    counts: Int32[np.ndarray, "C H W"]
    """How many passes each pixel was made from."""
    tallies: tuple[Tally, ...]
    """By channel."""


def see(delivered: Float32[np.ndarray, "C H W"], is_clear: Bool[np.ndarray, "H W"] | None = None) -> Seen:
    """What is left of a delivery behind its mask (None: it needs none), and why nothing is, where nothing is.

    What is not finite is no data.
    """
    sensed = np.where(np.isfinite(delivered), delivered, np.float32(np.nan))
    clear = sensed if is_clear is None else hide(sensed, is_clear)
    return Seen(clear, tuple(_why_empty(before, after) for before, after in zip(sensed, clear, strict=True)))


def make_composite(
    passes: Iterable[Pass],
    read: Callable[[Delivery], Seen],
    *,
    statistic: Statistic,
    n_channels: int,
    side_px: int,
    into: Float32[np.ndarray, "C H W"] | None = None,
) -> Composite:
    """The month that the passes make together.

    For the mean, one pass is held at a time; for the median, all of them: 2.4 MB each for 3 channels of 448 px.

    A month is whole or absent: where one delivery cannot be read, every channel is, as "failed to read". A mean of what the
    network happened to let through would be another number the next day.

    Args:
        read: shows one delivery on the chip's lattice, as `n_channels` channels of side_px; its InputError is caught,
            any other ends the work.
        into: where the values are to lie, contiguous; None: in memory of their own.
    """
    found = np.empty((n_channels, side_px, side_px), np.float32) if into is None else into
    stack = STACK_OF[statistic](found.shape)
    days: list[list[date]] = [[] for _ in range(n_channels)]
    reasons: list[list[Reason]] = [[] for _ in range(n_channels)]
    for passage in sorted(set(passes), key=lambda passage: passage.key):
        try:
            seen = see_pass(passage, read)
        except InputError as error:
            return failed_composite(found, one_line(error))
        stack.add(seen.values)
        for own_days, own_reasons, why in zip(days, reasons, seen.why_empty, strict=True):
            if why is None:
                own_days.append(passage.sensed_at.date())
            else:
                own_reasons.append(why)
    counts = stack.result_into(found)
    tallies = [_tally(counts[index], days[index], reasons[index]) for index in range(n_channels)]
    return Composite(found, counts, tuple(tallies))


def see_pass(passage: Pass, read: Callable[[Delivery], Seen]) -> Seen:
    """The deliveries of a pass as one: each pixel from the first that has it, so that overlaps count once."""
    seen, *others = (read(delivery) for delivery in passage.deliveries)
    values, why_empty = seen.values, [list(seen.why_empty)]
    for other in others:
        values = np.where(np.isnan(values), other.values, values)
        why_empty.append(list(other.why_empty))
    together = [
        None if None in own else most_telling(why for why in own if why) for own in zip(*why_empty, strict=True)
    ]
    return Seen(values, tuple(together))


def failed_composite(values: Float32[np.ndarray, "C H W"], detail: str) -> Composite:
    """The month of which something could not be read: absent as a whole.

    Args:
        values: where NaN is to lie.
        detail: what could not be read, and how it failed.
    """
    values.fill(np.nan)
    tally = Tally(0, 0.0, 0.0, None, None, "failed to read", detail)
    return Composite(values, np.zeros(values.shape, np.int32), (tally,) * len(values))


class Stack(Protocol):
    """Acquisitions put on one another."""

    def add(self, values: Float32[np.ndarray, "C H W"]) -> None:
        """Puts one more on top; NaN adds nothing."""
        ...

    def result_into(self, found: Float32[np.ndarray, "C H W"]) -> Int32[np.ndarray, "C H W"]:
        """How many values each pixel of `found` is made from, which holds the statistic, NaN where nothing was added."""
        ...


class MeanStack:
    """Sums in float64; as large as one acquisition, however many there are. Of no use after its result."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._sums = PixelSums(shape)

    def add(self, values: Float32[np.ndarray, "C H W"]) -> None:
        self._sums.add(values)

    def result_into(self, found: Float32[np.ndarray, "C H W"]) -> Int32[np.ndarray, "C H W"]:
        return self._sums.means_into(found)


class MedianStack:
    """Keeps every acquisition; of an even number the mean of the middle two, in float64."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape
        self._layers: list[Float32[np.ndarray, "C H W"]] = []

    def add(self, values: Float32[np.ndarray, "C H W"]) -> None:
        self._layers.append(np.where(np.isfinite(values), values, np.float32(np.nan)))

    def result_into(self, found: Float32[np.ndarray, "C H W"]) -> Int32[np.ndarray, "C H W"]:
        layers = np.array(self._layers, np.float32).reshape(-1, *self._shape)
        counts = (~np.isnan(layers)).sum(axis=0, dtype=np.int32)
        if not len(layers):
            found.fill(np.nan)
            return counts
        layers.sort(axis=0)  # NaN comes last
        low, high = np.maximum(counts - 1, 0) // 2, np.maximum(counts // 2, 0)
        middle = [np.take_along_axis(layers, at[None], axis=0)[0].astype(np.float64) for at in (low, high)]
        found[...] = (middle[0] + middle[1]) / 2
        return counts


STACK_OF: dict[Statistic, Callable[[tuple[int, int, int]], Stack]] = {"mean": MeanStack, "median": MedianStack}


def _why_empty(sensed: Float32[np.ndarray, "H W"], clear: Float32[np.ndarray, "H W"]) -> Reason | None:
    if not np.isnan(clear).all():
        return None
    return "outside the swath" if np.isnan(sensed).all() else "all clouded"


def _tally(counts: Int32[np.ndarray, "H W"], days: Sequence[date], reasons: Sequence[Reason]) -> Tally:
    n_valued = int(np.count_nonzero(counts))
    mean_count = int(counts.sum(dtype=np.int64)) / n_valued if n_valued else 0.0
    reason = None if days else most_telling(reasons)
    return Tally(
        len(days), n_valued / counts.size, mean_count, min(days, default=None), max(days, default=None), reason
    )
