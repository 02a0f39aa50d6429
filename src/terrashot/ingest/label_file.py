"""The labels of a study's chips out of a table that a person wrote."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from terrashot.domain.tables import Labels
from terrashot.errors import InputError
from terrashot.store.label_table import read_labels


def read_labels_of(path: Path, chip_ids: Sequence[str], listed_in: str) -> Labels:
    """The labels of a CSV or Parquet file, in the order of these chips; chips without a row have none.

    Args:
        listed_in: where the chips stand, for messages.

    Raises:
        InputError: no such file, bad rows, or rows of chips that are none of these.
    """
    labels = read_labels(path)
    row_of = {chip_id: row for row, chip_id in enumerate(labels.chip_ids)}
    known = set(chip_ids)
    strangers = [chip_id for chip_id in labels.chip_ids if chip_id not in known]
    if strangers:
        raise InputError(
            f"{path}: {len(strangers)} labels are of no chip in {listed_in}, the first "
            f"{', '.join(repr(chip_id) for chip_id in strangers[:3])}; add the chips or drop the rows"
        )
    kept = tuple(chip_id for chip_id in chip_ids if chip_id in row_of)
    rows = np.array([row_of[chip_id] for chip_id in kept], dtype=np.int64)
    targets = {name: values[rows] for name, values in labels.targets.items()}
    return Labels(kept, targets, {name: values[rows] for name, values in labels.valid_fraction.items()})
