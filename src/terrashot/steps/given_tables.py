"""How the commands on tables (`fewshot`, `map`) have their chips described."""

from pathlib import Path

import numpy as np

from terrashot.domain.tables import Chips, shared_rows
from terrashot.errors import InputError
from terrashot.ingest.folder import read_chip_table
from terrashot.store.tables import read_chips

EXAMPLES = 3
"""Ids that a message names."""


def described(chips: Chips, path: Path | None) -> Chips:
    """The table's chips, with area, group, split and place as another table gives them; as they are without one.

    Raises:
        InputError: the other table lacks some of the chips.
    """
    if path is None:
        return chips
    other = read_chip_table(path) if path.suffix == ".csv" else read_chips(path)
    ours, theirs = shared_rows(chips.ids, other.ids)
    if len(ours) == len(chips):
        return other.take(theirs[np.argsort(ours)])
    raise InputError(f"{path}: {len(chips) - len(ours)} embedded chips are not in it; it must describe all of them")
