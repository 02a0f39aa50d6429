"""The channels of monthly composites, and one chip's composites as imagery."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.ingest.composite import Composite
from terrashot.ingest.months import first_day
from terrashot.ingest.reasons import STATUS

RGB = ("red", "green", "blue")
MIXED = ("",)
"""The one set of passes where directions are averaged together; kept apart they are `asc_` and `des_`."""


def optical_channels(months: Sequence[str], bands: Sequence[str] = RGB) -> tuple[Channel, ...]:
    """`2020-01_red` and so on, month by month, in reflectance."""
    return tuple(_channel(month, band, "reflectance") for month in months for band in bands)


def radar_channels(
    months: Sequence[str], sets: Sequence[str] = MIXED, bands: Sequence[str] = ("vv", "vh"), unit: str = "dB"
) -> tuple[Channel, ...]:
    """`2020-01_vv`, `2020-01_vh` and so on in dB; a set of passes is part of the kind, for what is seen from the other side
    has other statistics."""
    return tuple(_channel(month, own + band, unit) for month in months for own in sets for band in bands)


def radar_differences(months: Sequence[str], sets: Sequence[str] = MIXED, unit: str = "dB") -> tuple[Difference, ...]:
    """VV - VH in dB of each month and set of passes: derived on reading, never stored."""
    return tuple(
        Difference(_channel(month, f"{own}vv-vh", unit), f"{month}_{own}vv", f"{month}_{own}vh")
        for month in months
        for own in sets
    )


def imagery_of(
    values: Float32[np.ndarray, "N H W"], composites: Sequence[Composite], channels: Sequence[Channel]
) -> Imagery:
    """Composites one after the other as one chip's imagery: channels that have a pixel, and why the others have none.

    Args:
        values: of all composites, in their order, as they are to be told; not copied where all channels have a pixel.
        channels: the same.
    """
    tallies = [tally for composite in composites for tally in composite.tallies]
    there = [number for number, tally in enumerate(tallies) if tally.reason is None]
    absences = [
        Absence(channel, STATUS[tally.reason], f"{tally.reason}: {tally.detail}" if tally.detail else tally.reason)
        for channel, tally in zip(channels, tallies, strict=True)
        if tally.reason is not None
    ]
    counts = tuple(tallies[number].n_acquisitions for number in there)
    means = tuple(tallies[number].mean_count for number in there)
    kept = values if len(there) == len(values) else values[there]
    return Imagery(tuple(channels[number] for number in there), kept, counts, tuple(absences), means)


def _channel(month: str, kind: str, unit: str) -> Channel:
    return Channel(f"{month}_{kind}", kind, unit, first_day(month).isoformat())
