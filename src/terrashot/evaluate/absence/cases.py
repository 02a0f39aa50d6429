"""What is left out, case by case."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool

from terrashot.domain.absence_scores import CaseKind
from terrashot.domain.channel_vectors import ChannelVectors, ModalityChannels
from terrashot.domain.modality import is_difference


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Something that is left out of every chip."""

    kind: CaseKind
    left_out: tuple[str, ...]
    """Names of what is left out."""
    gone: Mapping[str, Bool[np.ndarray, "_ C"]]
    """By modality that is touched: which channels go, one row for all chips or a row a chip."""

    @property
    def title(self) -> str:
        """The names in one text."""
        return ", ".join(self.left_out)


def cases_of(vectors: ChannelVectors) -> list[Case]:
    """Nothing; each subset of modalities, kind, month and channel; half of the pairs. One that leaves out the same as an
    earlier one, or all that there is, is not told.

    Differences of a channel that is left out, as `vv-vh` of `vv`, cannot be taken and go with it. Those in spreads, which the
    model takes of the channels by itself, are never absent alone and have no case of their own.
    """
    found: list[Case] = []
    seen: set[bytes] = set()
    for case in _all(vectors):
        fingerprint = _fingerprint(case, vectors)
        leaves_something = case.kind == "nothing" or _leaves_something(case, vectors)
        if leaves_something and fingerprint not in seen:
            seen.add(fingerprint)
            found.append(case)
    return found


def _all(vectors: ChannelVectors) -> Iterator[Case]:
    yield Case("nothing", (), {})
    names = list(vectors.modalities)
    for n_gone in range(1, len(names)):
        for gone in combinations(names, n_gone):
            yield Case("modality", gone, {name: _every(vectors.modalities[name]) for name in gone})
    yield from _kinds(vectors)
    yield from _months(vectors)
    for name, own in vectors.modalities.items():
        for place, channel in enumerate(own.names):
            if channel is not None and not is_difference(channel):
                fallen = own.fall_with(place)
                titles = tuple(str(own.names[one]) for one in fallen if not is_difference(str(own.names[one])))
                yield Case("channel", titles, {name: _mask(own, fallen)})
        if all(channel is None for channel in own.names) and len(own.names) > 1:
            yield Case("pairs", (f"half of {name}",), {name: _every_second(own)})


def _kinds(vectors: ChannelVectors) -> Iterator[Case]:
    for name, own in vectors.modalities.items():
        for kind in (kind for kind in dict.fromkeys(own.kinds) if not is_difference(kind)):
            fallen = _fallen(own, [place for place, its in enumerate(own.kinds) if its == kind])
            also = dict.fromkeys(own.kinds[one] for one in sorted(fallen))
            kinds = [kind, *(its for its in also if its != kind and not is_difference(its))]
            yield Case("kind", tuple(_told_apart(vectors, name, kinds)), {name: _mask(own, fallen)})


def _told_apart(vectors: ChannelVectors, modality: str, kinds: Iterable[str]) -> list[str]:
    """The kinds, with the modality's name where another one has the like."""
    others = {kind for name, own in vectors.modalities.items() if name != modality for kind in own.kinds}
    return [f"{modality} {kind}" if kind in others else kind for kind in kinds]


def _months(vectors: ChannelVectors) -> Iterator[Case]:
    months = sorted({month for own in vectors.modalities.values() for month in own.months if month is not None})
    for month in months:
        masks = {
            name: _mask(own, _fallen(own, [place for place, its in enumerate(own.months) if its == month]))
            for name, own in vectors.modalities.items() if month in own.months
        }  # fmt: skip
        yield Case("month", (month,), masks)


def _fallen(own: ModalityChannels, places: Iterable[int]) -> set[int]:
    """These places, and those of what is computed from them."""
    return {one for place in places for one in own.fall_with(place)}


def _mask(own: ModalityChannels, places: Iterable[int]) -> Bool[np.ndarray, "1 C"]:
    mask = np.zeros((1, len(own.kinds)), dtype=bool)
    mask[0, list(places)] = True
    return mask


def _every(own: ModalityChannels) -> Bool[np.ndarray, "1 C"]:
    return _mask(own, range(len(own.kinds)))


def _every_second(own: ModalityChannels) -> Bool[np.ndarray, "N C"]:
    """Every second of the channels that a chip has, so that it keeps at least one."""
    present = own.present
    second: np.ndarray = present & (np.cumsum(present, axis=1) % 2 == 0)
    return second


def _leaves_something(case: Case, vectors: ChannelVectors) -> bool:
    """Whether any chip has a channel left."""
    return any(
        (own.present & ~case.gone.get(name, np.zeros((1, 1), dtype=bool))).any()
        for name, own in vectors.modalities.items()
    )


def _fingerprint(case: Case, vectors: ChannelVectors) -> bytes:
    """The same for cases that leave out the same channels."""
    gone = (
        np.packbits(own.present & case.gone.get(name, np.zeros((1, 1), dtype=bool)))
        for name, own in vectors.modalities.items()
    )
    return b"".join(one.tobytes() for one in gone)
