"""Arrays of many chips that lie in finished parts: memory holds those of one group of chips at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from terrashot.durable.parts import Parts, read_part
from terrashot.engine import cut, give_back_memory
from terrashot.errors import IntegrityError
from terrashot.store.arrays import arrays_as_bytes, arrays_of_bytes

PART_PIXELS = 1 << 26
"""334 chips of 448 px: minutes of work on one core, and a matrix product's batch is still far smaller."""


def chips_a_part(chip_px: int) -> int:
    """Chips between two parts; of their size alone, so that parts do not depend on where a run was killed."""
    return max(1, PART_PIXELS // chip_px**2)


@dataclass(frozen=True, slots=True, eq=False)
class KeptArrays:
    """Arrays of consecutive groups of chips, a row a chip, in parts that outlive the process."""

    chip_ids: Sequence[str]
    group_size: int
    parts: Parts
    name: str
    """Of these arrays among the parts."""

    def begun(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Number and ids of each group, in order; one empty group of no chips."""
        return enumerate(cut(self.chip_ids, self.group_size) if len(self.chip_ids) else [()])

    def has(self, number: int) -> bool:
        """Whether a group is there and whole."""
        return self._read(number) is not None

    def put(self, number: int, arrays: Sequence[np.ndarray]) -> None:
        """Keeps the arrays of a group."""
        self.parts.put(f"{self.name}-{number}", arrays_as_bytes(arrays))
        # Else the holes that freed images leave between what lives on take as much again as the work itself.
        give_back_memory()

    def groups(self) -> Iterator[tuple[Sequence[str], list[np.ndarray]]]:
        """Ids and arrays, group by group.

        Raises:
            IntegrityError: a part is not there, or was damaged since it was written.
        """
        for number, ids in self.begun():
            arrays = self._read(number)
            if arrays is None:
                raise IntegrityError(f"{self.parts.where}/{self.name}-{number}: gone or damaged; run again")
            yield ids, arrays

    def _read(self, number: int) -> list[np.ndarray] | None:
        return read_part(self.parts, f"{self.name}-{number}", arrays_of_bytes)
