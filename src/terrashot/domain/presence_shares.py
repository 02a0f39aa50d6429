"""How much of each modality is there, chip by chip, and why the rest is not, area by area.

Legend: A areas, P parts of a modality (months or kinds of channel), Q reasons, R channels of chips.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from terrashot.domain.channel_states import ChannelState, ChannelStates
from terrashot.domain.modality import Status

STATUSES: tuple[Status, ...] = ("empty", "missing", "failed")
"""Of what is not there, in the order in which they are told."""
WHOLE = "all channels"
"""The one part of a modality of which no channel was ever formed."""
MONTH, LAST = re.compile(r"\d{4}-\d{2}"), "~"


@dataclass(frozen=True, slots=True)
class Why:
    """One way in which a channel is absent."""

    status: Status
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """Chips shared out over the reasons for which their channels are absent: one that lacks half of them counts half."""

    absent: Float64[np.ndarray, "A P Q"]
    told: Int64[np.ndarray, "A P"]
    """Chips of which there is something to tell."""

    def shares(self, areas: Sequence[int]) -> Float64[np.ndarray, "P Q"]:
        """Of the chips of these areas, the share that is absent for each reason; 0 where nothing is told of any."""
        told = self.told[list(areas)].sum(axis=0)[:, None]
        shares: np.ndarray = self.absent[list(areas)].sum(axis=0) / np.maximum(told, 1)
        return shares


@dataclass(frozen=True, slots=True, eq=False)
class ModalityShares:
    """One modality in all areas."""

    modality: str
    n_there: Int32[np.ndarray, " N"]
    n_told: Int32[np.ndarray, " N"]
    """Channels that are there, or of which it is told that they are not; 0 where nothing is told of the chip."""
    is_failed: Bool[np.ndarray, " N"]
    """Chips of which something could not be read."""
    whys: tuple[Why, ...]
    """By status, then the commonest first."""
    parts: tuple[str, ...]
    """Months in order, then kinds of channel."""
    by_part: Worth
    whole: Worth
    """All parts as one; each channel of a chip counts alike."""

    @property
    def present(self) -> Float32[np.ndarray, " N"]:
        """Share of each chip's channels that are there, 0 to 1; NaN where nothing is told."""
        told = self.n_told.astype(np.float32)
        return np.divide(self.n_there, told, out=np.full(len(told), np.nan, np.float32), where=told > 0)

    def absent(self, areas: Sequence[int]) -> float:
        """Share of the channels of these areas that is absent, mean over their chips."""
        return float(self.whole.shares(areas).sum())


@dataclass(frozen=True, slots=True, eq=False)
class PresenceShares:
    """All modalities in all areas."""

    areas: tuple[str, ...]
    """In the order of their first chips."""
    area: Int64[np.ndarray, " N"]
    """Position of each chip's area."""
    modalities: tuple[ModalityShares, ...]

    def lacking(self, areas: Sequence[int]) -> list[ModalityShares]:
        """The modalities that lack anything in these areas."""
        return [own for own in self.modalities if own.whole.absent[list(areas)].any()]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Channels of one modality, as positions."""

    chip: Int64[np.ndarray, " R"]
    part: Int64[np.ndarray, " R"]
    """-1: of the whole modality."""
    why: Int64[np.ndarray, " R"]
    """-1 where the channel is there."""

    def spread(self, n_parts: int) -> "_Rows":
        """The same, those of a whole modality in each of its parts."""
        named, whole = np.flatnonzero(self.part >= 0), np.flatnonzero(self.part < 0)
        again = np.concatenate([named, np.repeat(whole, n_parts)])
        part = np.concatenate([self.part[named], np.tile(np.arange(n_parts), len(whole))])
        return _Rows(self.chip[again], part, self.why[again])

    def as_one_part(self) -> "_Rows":
        """The same, all of one part."""
        return _Rows(self.chip, np.zeros_like(self.part), self.why)


def presence_shares(states: ChannelStates, areas: Sequence[str]) -> PresenceShares:
    """The shares of every modality of which something is told, in the order of the states.

    Args:
        areas: of each chip.
    """
    names = {name: number for number, name in enumerate(dict.fromkeys(areas))}
    area = np.array([names[name] for name in areas], dtype=np.int64)
    modalities = dict.fromkeys(its.modality for its in states.states)
    return PresenceShares(tuple(names), area, tuple(_modality(name, states, area, len(names)) for name in modalities))


def _modality(name: str, states: ChannelStates, area: Int64[np.ndarray, " N"], n_areas: int) -> ModalityShares:
    is_own = np.array([its.modality == name for its in states.states])
    own = np.flatnonzero(is_own[states.state])
    chip, state, n_chips = states.chip[own].astype(np.int64), states.state[own], len(area)
    whys, why_of = _whys(states.states, is_own, np.bincount(state, minlength=len(is_own)))
    parts, part_of = _parts(states.states, is_own)
    is_failed = np.array([its.status == "failed" for its in states.states])[state]
    rows = _Rows(chip, part_of[state], why_of[state])
    return ModalityShares(
        name, _count(chip[rows.why < 0], n_chips), _count(chip, n_chips), _count(chip[is_failed], n_chips) > 0, whys, parts,
        by_part=_worth(rows.spread(len(parts)), area, (n_areas, len(parts), len(whys))),
        whole=_worth(rows.as_one_part(), area, (n_areas, 1, len(whys))),
    )  # fmt: skip


def _count(chip: Int64[np.ndarray, " R"], n_chips: int) -> Int32[np.ndarray, " N"]:
    return np.bincount(chip, minlength=n_chips).astype(np.int32)


def _whys(
    states: Sequence[ChannelState], is_own: Bool[np.ndarray, " S"], counts: Int64[np.ndarray, " S"]
) -> tuple[tuple[Why, ...], Int64[np.ndarray, " S"]]:
    """The ways in which channels are absent, and the position of each state's; -1 where the channel is there. S: states."""
    each = [
        Why(its.status, its.reason) if own and its.status != "ok" else None
        for its, own in zip(states, is_own, strict=True)
    ]
    total: Counter[Why] = Counter()
    for why, count in zip(each, counts.tolist(), strict=True):
        if why is not None:
            total[why] += count
    whys = sorted(total, key=lambda why: (STATUSES.index(why.status), -total[why], why.reason))
    return tuple(whys), np.array([-1 if why is None else whys.index(why) for why in each], dtype=np.int64)


def _parts(
    states: Sequence[ChannelState], is_own: Bool[np.ndarray, " S"]
) -> tuple[tuple[str, ...], Int64[np.ndarray, " S"]]:
    """The parts, and the position of each state's; -1 where it is of the whole modality. S: states."""
    found = dict.fromkeys(its.part for its, own in zip(states, is_own, strict=True) if own and its.part is not None)
    parts = sorted(found, key=lambda part: part if MONTH.fullmatch(part) else LAST) or [WHOLE]
    place = {part: number for number, part in enumerate(parts)}
    of_state = [-1 if its.part is None else place.get(its.part, -1) for its in states]
    return tuple(parts), np.array(of_state, dtype=np.int64)


def _worth(rows: _Rows, area: Int64[np.ndarray, " N"], shape: tuple[int, int, int]) -> Worth:
    n_areas, n_parts, n_whys = shape
    place = rows.chip * n_parts + rows.part
    n_rows = np.bincount(place, minlength=len(area) * n_parts)
    gone = np.flatnonzero(rows.why >= 0)
    target = (area[rows.chip[gone]] * n_parts + rows.part[gone]) * n_whys + rows.why[gone]
    absent = np.bincount(target, 1 / n_rows[place[gone]], minlength=n_areas * n_parts * n_whys)
    told = np.flatnonzero(n_rows)
    counts = np.bincount(area[told // n_parts] * n_parts + told % n_parts, minlength=n_areas * n_parts)
    # Without a reason numpy returns whole numbers, weights or not.
    return Worth(absent.astype(np.float64).reshape(shape), counts.reshape(n_areas, n_parts))
