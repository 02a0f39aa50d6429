"""Tables whose rows meet by chip id or not at all."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int16, Int32, Int64

from terrashot.domain.modality import Status
from terrashot.errors import MisalignedError

SplitName = Literal["train", "val", "test", "buffer"]
SPLIT_NAMES: tuple[str, ...] = get_args(SplitName)

ID = re.compile(r"(?=.*[^.])[A-Za-z0-9._-]{1,128}")
"""Of any chip, ours or not. Not dots alone: those are folders."""
Text = np.ndarray
"""An object array of `str`, or of `str | None` where a value may be absent."""


@dataclass(frozen=True, slots=True, eq=False)
class Chips:
    """The chips of a study, one row each; what is not known is None."""

    ids: tuple[str, ...]
    area: tuple[str, ...]
    group: tuple[str | None, ...]
    """Chips of one group never straddle a split."""
    split: tuple[str | None, ...]
    footprint: np.ndarray | None = None
    """Shapely polygons, lon/lat; None for a study without georeference."""
    lon_deg: Float64[np.ndarray, " N"] | None = None
    lat_deg: Float64[np.ndarray, " N"] | None = None
    """Centres; NaN where a chip has none."""
    utm: Int64[np.ndarray, "N 3"] | None = None
    """EPSG code of the zone, row and column of our own grid."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def has_places(self) -> bool:
        """Whether the centre of every chip is known."""
        places = (self.lon_deg, self.lat_deg)
        return all(axis is not None and not np.isnan(axis).any() for axis in places)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Chips":
        """The chips of the rows named, in that order."""
        rows = np.asarray(rows, dtype=np.int64)
        columns: dict[str, Any] = {f.name: _take(getattr(self, f.name), rows) for f in fields(self)}
        return Chips(**columns)

    def rows_in(self, split: str) -> Int64[np.ndarray, " n"]:
        """Row numbers of the chips of one split."""
        return np.flatnonzero(np.array([s == split for s in self.split], dtype=bool))


def _take(column: tuple[object, ...] | np.ndarray | None, rows: np.ndarray) -> object:
    if column is None:
        return None
    if isinstance(column, tuple):
        # By whole numbers of Python's own: those of numpy take five times as long.
        return tuple(map(column.__getitem__, rows.tolist()))
    return column[rows]


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """One block of vectors per feature set; a row of NaN is a chip without that modality."""

    chips: Chips
    blocks: Mapping[str, Float[np.ndarray, "N D"]]
    """By modality, or by floor (`image_stats:s2rgbm`); float32, or float16 as they were stored."""
    n_channels: Mapping[str, Int16[np.ndarray, " N"]] = field(default_factory=dict)
    """How many channels went into each row's vector, by block."""
    model: str | None = None
    """Digest of the model that made them; None for features no model made."""
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By block, names of the equally long parts that its vectors are made of, side by side; a block that is not here is
    one part."""

    absent: Mapping[str, Bool[np.ndarray, "N K"]] = field(default_factory=dict)
    """By block, which parts the chip does not have, so that something stands in for them; a block that is not here has none."""

    valid_fraction: Mapping[str, Float32[np.ndarray, " N"]] = field(default_factory=dict)
    """By block, share of the pixels that are valid, mean over the channels that went in; NaN where a chip has no vector."""

    shared: Mapping[str, int] = field(default_factory=dict)
    """By block, how many numbers at the end of each part lie in the space where the modalities of a model agree; of a block
    that is not here, all."""

    def parts(self, block: str) -> Float[np.ndarray, "N K D"]:
        """The vectors of a block cut into their parts; one where it has no kinds."""
        vectors, n_parts = self.blocks[block], len(self.kinds.get(block, ("",)))
        return vectors.reshape(len(vectors), n_parts, vectors.shape[1] // n_parts)

    def shared_parts(self, block: str) -> Float[np.ndarray, "N K D"]:
        """What of `parts` may be compared with other modalities of the same model."""
        parts = self.parts(block)
        return parts[:, :, parts.shape[2] - self.shared.get(block, parts.shape[2]) :]

    def present(self, block: str) -> np.ndarray:
        """Which rows have a vector of this block: (N,) bool."""
        present: np.ndarray = ~np.isnan(self.blocks[block]).any(axis=1)
        return present


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Target values of chips."""

    chip_ids: tuple[str, ...]
    targets: Mapping[str, np.ndarray]
    """By target, (N,): float64 with NaN, or objects `str | None` for classes."""
    valid_fraction: Mapping[str, Float64[np.ndarray, " N"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PresenceRow:
    """One channel of one chip: there, or why not."""

    chip_id: str
    modality: str
    channel: str | None
    """None: no channel could be formed at all."""
    kind: str | None
    slot: int | None
    """Position along the store's channel axis; None where nothing is stored."""
    status: Status
    reason: str | None
    valid_fraction: float | None
    n_acquisitions: int | None
    first_date: str | None
    second_date: str | None
    mean_count: float | None = None
    """Acquisitions a pixel, mean over the pixels that have a value; None where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """`PresenceRow`s as columns, in the chips' order, then by modality, then by slot."""

    chip_id: Text
    modality: Text
    channel: Text
    kind: Text
    slot: Int16[np.ndarray, " R"]
    """-1 where nothing is stored."""
    status: Text
    reason: Text
    valid_fraction: Float32[np.ndarray, " R"]
    n_acquisitions: Int32[np.ndarray, " R"]
    """-1 where unknown."""
    first_date: Text
    second_date: Text
    mean_count: Float32[np.ndarray, " R"]
    """NaN where unknown."""


def make_presence(rows: Iterable[PresenceRow]) -> Presence:
    """The same rows as columns."""
    listed = list(rows)

    def text(name: str) -> Text:
        column = np.empty(len(listed), dtype=object)
        column[:] = [getattr(row, name) for row in listed]
        return column

    def number(name: str, dtype: type[np.generic], absent: float) -> np.ndarray:
        found = (getattr(row, name) for row in listed)
        return np.array([absent if value is None else value for value in found], dtype=dtype)

    return Presence(
        text("chip_id"), text("modality"), text("channel"), text("kind"), number("slot", np.int16, -1),
        text("status"), text("reason"), number("valid_fraction", np.float32, np.nan),
        number("n_acquisitions", np.int32, -1), text("first_date"), text("second_date"),
        number("mean_count", np.float32, np.nan),
    )  # fmt: skip


def count_absences(presence: Presence) -> list[tuple[str, str, str, int]]:
    """Modality, status, reason and number of channels of all that is not there, sorted."""
    rows = zip(presence.modality, presence.status, presence.reason, strict=True)
    counts = Counter(
        (str(modality), str(status), str(reason or "")) for modality, status, reason in rows if status != "ok"
    )
    return [(*what, count) for what, count in sorted(counts.items())]


def in_order_of(ids: Sequence[str], chips: Chips) -> Chips:
    """The chips of these ids, in their order.

    Raises:
        MisalignedError: one of the ids is not among the chips.
    """
    row_of = {chip_id: row for row, chip_id in enumerate(chips.ids)}
    lost = [chip_id for chip_id in ids if chip_id not in row_of]
    if lost:
        raise MisalignedError(
            f"{len(lost)} ids, such as {lost[0]}, are not among the {len(chips)} chips; make both anew"
        )
    return chips.take([row_of[chip_id] for chip_id in ids])


def shared_rows(left: Sequence[str], right: Sequence[str]) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Row numbers in both tables of the chips both hold, in the order of the left one.

    Raises:
        MisalignedError: they share no chip.
    """
    row_of = {chip_id: row for row, chip_id in enumerate(right)}
    shared = [(row, row_of[chip_id]) for row, chip_id in enumerate(left) if chip_id in row_of]
    if not shared:
        raise MisalignedError(
            f"no chip id is in both tables: {len(left)} ids begin with {list(left[:2])}, "
            f"{len(right)} begin with {list(right[:2])}; ids must meet exactly"
        )
    rows = np.array(shared, dtype=np.int64)
    return rows[:, 0], rows[:, 1]
