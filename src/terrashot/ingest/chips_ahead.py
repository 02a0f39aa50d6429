"""Imagery of chips asked for one after the other, while the next modality's is already being read where its source allows it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from terrashot.domain.modality import Imagery
from terrashot.ingest.look_ahead import LookAhead
from terrashot.ingest.source import BegunAhead, ImagerySource

AT_ONCE: Final = 2
"""Sources that read at the same time: the readers of one would run dry at a chip's end, while its last month is made."""


class ChipsAhead:
    """Asks each source in the order in which its chips are wanted. To be used in a `with`."""

    def __init__(self, sources: Sequence[ImagerySource], wanted: Sequence[tuple[int, str]]) -> None:
        """
        Args:
            wanted: number of the source and id of the chip, as they will be asked for.
        """
        self._sources = sources
        ahead = [(number, chip_id) for number, chip_id in wanted if _is_begun_ahead(sources[number])]
        # Two chips of one source are never read at once: each would fetch what they share.
        in_turn = all(one != other for (one, _), (other, _) in pairwise(ahead))
        self._ahead = LookAhead(self._read, ahead, AT_ONCE if in_turn else 1, "chips")

    def __enter__(self) -> "ChipsAhead":
        return self

    def __exit__(self, *_: object) -> None:
        self._ahead.__exit__()

    def __call__(self, number: int, chip_id: str) -> Imagery:
        """What the source reads of the chip, or what it raised."""
        return (self._ahead if _is_begun_ahead(self._sources[number]) else self._read)((number, chip_id))

    def _read(self, at: tuple[int, str]) -> Imagery:
        number, chip_id = at
        return self._sources[number].read(chip_id)


def _is_begun_ahead(source: ImagerySource) -> bool:
    return isinstance(source, BegunAhead) and source.is_begun_ahead
