"""Chips in memory, of twelve months, three kinds of optical and two of radar channels, and five date pairs: any may be absent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise

import numpy as np

from terrashot.domain.modality import Channel
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.domain.tables import Chips, Presence, make_presence
from terrashot.store.layout import StoredChannel

SIDE_PX = 8
N_TRAINING = 24
"""Whole chips, each with pixels of its own; a chip to be tested shows those of one of them."""
MONTHS = tuple(f"2020-{month:02d}" for month in range(1, 13))
KINDS = {"s2rgbm": ("red", "green", "blue"), "s1grdm": ("vv", "vh"), "gunw": ("coherence",)}
DAYS = ("2020-01-05", "2020-01-17", "2020-02-10", "2020-03-05", "2020-06-09", "2020-12-18")
PAIRS = tuple(
    Channel(f"{later}_{earlier}".replace("-", ""), "coherence", "coherence", earlier, later)
    for earlier, later in pairwise(DAYS)
)
CHANNELS = {
    "s2rgbm": tuple(Channel(f"{m}_{kind}", kind, "reflectance", f"{m}-01") for m in MONTHS for kind in KINDS["s2rgbm"]),
    "s1grdm": tuple(Channel(f"{m}_{kind}", kind, "dB", f"{m}-01") for m in MONTHS for kind in KINDS["s1grdm"]),
    "gunw": PAIRS,
}
STATS = ChannelStats(
    {
        name: {kind: KindStats(0.1 * place, 1.0 + 0.2 * place, 9, None) for place, kind in enumerate(kinds)}
        for name, kinds in KINDS.items()
    }
)
Lack = frozenset[tuple[str, str]]
"""Modality and name of every channel that a chip does not have."""
NOTHING: Lack = frozenset()


@dataclass(frozen=True, eq=False)
class MonthStore:
    """A chip store in memory."""

    shows: Mapping[str, int]
    """Number of the training chip whose pixels each chip shows."""
    lacks: Mapping[str, Lack]
    """By chip; one that is not here lacks nothing."""
    order: int | None = None
    """Seed of the order in which channels lie; None: by month."""
    is_listed: bool = False
    """What a chip lacks is listed as if it were there, and has no valid pixel."""

    modalities = tuple(CHANNELS)
    chip_px = SIDE_PX

    @property
    def chip_ids(self) -> tuple[str, ...]:
        return tuple(self.shows)

    def read(self, modality: str, picks: Sequence[tuple[str, int]]) -> np.ndarray:
        places = _places(modality, self.order)
        images = np.empty((len(picks), SIDE_PX, SIDE_PX), dtype=np.float32)
        for image, (chip_id, slot) in zip(images, picks, strict=True):
            is_absent = (modality, CHANNELS[modality][places[slot]].name) in self.lacks.get(chip_id, NOTHING)
            assert self.is_listed or not is_absent, f"asked for an absent channel: {modality} {chip_id} {slot}"
            image[:] = np.nan if is_absent else pixels_of(self.shows[chip_id], modality)[places[slot]]
        return images

    def channels(self, chip_id: str, modality: str) -> tuple[StoredChannel, ...]:
        lack = self.lacks.get(chip_id, NOTHING)
        every = _stored(modality, self.shows[chip_id], self.order)
        return tuple(s for s in every if self.is_listed or (modality, s.channel.name) not in lack)

    def presence(self) -> Presence:
        return make_presence(())


@cache
def _places(modality: str, order: int | None) -> tuple[int, ...]:
    """Which channel lies in each slot."""
    n_channels = len(CHANNELS[modality])
    return tuple(range(n_channels) if order is None else np.random.default_rng(order).permutation(n_channels))


@cache
def _stored(modality: str, number: int, order: int | None) -> tuple[StoredChannel, ...]:
    """All channels of a chip that shows what this training chip does."""
    shares = shares_of(number, modality)
    return tuple(
        StoredChannel(slot, CHANNELS[modality][place], float(shares[place]))
        for slot, place in enumerate(_places(modality, order))
    )


@cache
def pixels_of(number: int, modality: str) -> np.ndarray:
    """What a training chip shows (C, H, W): a pattern of its own, a gain a channel, noise, and some gaps."""
    rng = np.random.default_rng([number, *modality.encode()])
    shape = (len(CHANNELS[modality]), SIDE_PX, SIDE_PX)
    pattern, gain = rng.normal(size=(1, *shape[1:])), rng.uniform(0.2, 1, (shape[0], 1, 1))
    pixels = (gain * pattern + 0.3 * rng.normal(size=shape)).astype(np.float32)
    pixels[rng.random(shape) < rng.uniform(0, 0.4, (shape[0], 1, 1))] = np.nan
    return pixels


def shares_of(number: int, modality: str) -> np.ndarray:
    """Share of valid pixels of each channel."""
    share: np.ndarray = np.isfinite(pixels_of(number, modality)).mean(axis=(1, 2))
    return share


def store_of(lacks: Mapping[str, Lack], *, order: int | None = None, is_listed: bool = False) -> MonthStore:
    """The training chips, and after them a chip for each of these absences."""
    training = {f"train{number:02d}": number for number in range(N_TRAINING)}
    tested = {chip_id: number % N_TRAINING for number, chip_id in enumerate(lacks)}
    return MonthStore({**training, **tested}, lacks, order, is_listed)


def chips_of(store: MonthStore) -> Chips:
    """The chips of a store, in its order."""
    ids = store.chip_ids
    split = tuple("train" if chip_id.startswith("train") else "test" for chip_id in ids)
    return Chips(ids, ("a",) * len(ids), (None,) * len(ids), split)


def absences() -> dict[str, Lack]:
    """Every absence of the quick table, by what is told of it: channels, months, kinds, modalities, and pairs of them."""
    single = {
        f"channel {name} {channel.name}": frozenset({(name, channel.name)})
        for name, found in CHANNELS.items()
        for channel in found
    }
    months = {f"month {month}": of_months({month}) for month in MONTHS}
    kinds = {f"kind {kind}": _of_kind(name, kind) for name, found in KINDS.items() for kind in found}
    whole = {f"modality {name}": of_modality(name) for name in CHANNELS}
    found = {**_with_pairs(single, _is_one_modality), **_with_pairs(months), **_with_pairs(kinds), **_with_pairs(whole)}
    rest = {
        "all months": of_months(MONTHS),
        "every channel": frozenset().union(*map(of_modality, CHANNELS)),
        "all months but one": of_months(MONTHS[1:]),
    }
    of_one = {
        f"{month} of {name} alone": _of_months_in(name, {month}) for month in MONTHS for name in ("s2rgbm", "s1grdm")
    }
    return {**found, **rest, **of_one}


def of_months(months: Sequence[str] | set[str]) -> Lack:
    """All optical and radar channels of these months."""
    return _of_months_in("s2rgbm", months) | _of_months_in("s1grdm", months)


def of_modality(name: str) -> Lack:
    """All its channels."""
    return frozenset((name, channel.name) for channel in CHANNELS[name])


def _of_months_in(name: str, months: Sequence[str] | set[str]) -> Lack:
    return frozenset((name, channel.name) for channel in CHANNELS[name] if channel.name[:7] in months)


def _of_kind(name: str, kind: str) -> Lack:
    return frozenset((name, channel.name) for channel in CHANNELS[name] if channel.kind == kind)


def _is_one_modality(left: Lack, right: Lack) -> bool:
    return {name for name, _ in left} == {name for name, _ in right}


def _with_pairs(single: Mapping[str, Lack], wanted=lambda left, right: True) -> dict[str, Lack]:  # type: ignore[no-untyped-def]
    pairs = combinations(single.items(), 2)
    return {**single, **{f"{a} and {b}": left | right for (a, left), (b, right) in pairs if wanted(left, right)}}
