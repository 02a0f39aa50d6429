"""As many chips of each class: for targets that most chips do not have."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int64

from terrashot.errors import InputError
from terrashot.evaluate.protocol.sampling import seed_of
from terrashot.evaluate.protocol.target import Target


def balanced(target: Target, parts: Sequence[np.ndarray], ids: Sequence[str], names: Sequence[object]) -> Target:
    """The same labels, of which so many are unknown that each part has as many chips of each class.

    A chip stays or goes by its id and the names alone, so that neither the order of the rows nor another chip's pixels decide.

    Args:
        parts: rows of the training, validation and test chips.
        names: of the draw, the seed first.

    Raises:
        InputError: training or test chips lack one of the classes.
    """
    y = np.full(len(target.y), -1, dtype=np.int64)
    for what, rows in zip(("training", "validation", "test"), parts, strict=True):
        found = target.y[rows]
        counts = np.bincount(found[found >= 0], minlength=len(target.names))
        if counts.min() == 0 and what != "validation":
            raise InputError(
                f"{what} chips have none of '{target.names[int(counts.argmin())]}': no balance can be drawn; use balance = \"given\""
            )
        kept = _drawn(found, [ids[row] for row in rows.tolist()], int(counts.min()), (*names, what))
        y[rows[kept]] = found[kept]
    return replace(target, y=y)


def _drawn(
    y: Int64[np.ndarray, " n"], ids: Sequence[str], size: int, names: Sequence[object]
) -> Int64[np.ndarray, " k"]:
    """Positions of so many of each class, drawn among them in the order of their ids."""
    by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    kept = [np.empty(0, dtype=np.int64)]
    for number in np.unique(y[y >= 0]).tolist():
        rng = np.random.default_rng(seed_of(*names, "balanced", number))
        kept.append(rng.permutation(by_id[y[by_id] == number])[:size])
    return np.sort(np.concatenate(kept))
