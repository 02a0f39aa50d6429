"""What a sensor delivers: modalities, their channels, and one chip's imagery."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

Status = Literal["ok", "empty", "missing", "failed"]
"""ok: has valid pixels; empty: delivered without one; missing: not delivered; failed: reading it went wrong."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One image plane of one modality."""

    name: str
    """Unique inside a chip's modality: `2020-01_red`, `20200217_20200205` (later date first), `c1`."""
    kind: str
    """What statistics are shared over: `red`, `vv`, `coherence`; the name itself where nothing better is known."""
    unit: str | None = None
    """`reflectance`, `dB`, `coherence`, `dn` (a file's own integers); None where nobody said."""
    first_date: str | None = None
    """ISO date; of a pair the earlier one, of a composite its first day."""
    second_date: str | None = None


BETWEEN = "~"
"""Stands between the two names, and the two kinds, of channels of which a difference was taken in spreads: `nir~red`."""
SPREADS = "spreads"
"""Unit of what was scaled to zero mean and unit spread: of a difference, or of pixels standardised by their data set."""


def is_difference(name: str) -> bool:
    """Whether a channel of this name or kind is a difference in spreads of two others."""
    return BETWEEN in name


@dataclass(frozen=True, slots=True)
class Difference:
    """A channel that is never stored: the difference of two stored ones, present where both are."""

    channel: Channel
    """`2020-01_vv-vh`, kind `vv-vh`, unit `dB`."""
    minuend: str
    """Name of the channel subtracted from."""
    subtrahend: str


@dataclass(frozen=True, slots=True)
class Absence:
    """A channel that should be there and is not."""

    channel: Channel | None
    """None: nothing at all was formed, so there is no channel to name."""
    status: Status
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Imagery:
    """All that one modality shows of one chip, on the chip's own lattice."""

    channels: tuple[Channel, ...]
    values: Float32[np.ndarray, "C H W"]
    """In each channel's unit; NaN is no data."""
    n_acquisitions: tuple[int, ...] = ()
    """How many acquisitions went into each channel; empty where unknown."""
    absences: tuple[Absence, ...] = ()
    mean_counts: tuple[float, ...] = ()
    """How many acquisitions each pixel was made from, mean over a channel's pixels that have a value; empty where unknown."""


@dataclass(frozen=True, slots=True)
class Modality:
    """A kind of sensor product that has a tower of its own."""

    name: str
    title: str
    """What a person reads in a figure."""
    resolution_m: float
    valid_range: tuple[float, float]
    """Values outside are not physical in the modality's own unit."""


MODALITIES: dict[str, Modality] = {
    "s2rgbm": Modality("s2rgbm", "optical (Sentinel-2)", 10.0, (-0.2, 2.0)),
    "s1grdm": Modality("s1grdm", "radar (Sentinel-1)", 10.0, (-80.0, 60.0)),
    "gunw": Modality("gunw", "coherence (Sentinel-1 pairs)", 90.0, (0.0, 1.0)),
}


def coherence_side_px(chip_m: float) -> int:
    """Cells of coherence along a chip's side, near 90 m each."""
    return max(1, round(chip_m / MODALITIES["gunw"].resolution_m))
