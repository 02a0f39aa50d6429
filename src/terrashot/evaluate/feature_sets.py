"""The feature sets that a study compares: embeddings, their concatenation, and the floors."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32

from terrashot.domain.tables import Chips, Embeddings

CONCATENATED = "modsconcat"
KINDS_OF_FLOORS = ("image_stats", "random_conv", "untrained")


def feature_sets(embeddings: Embeddings, floors: Embeddings | None) -> dict[str, Float32[np.ndarray, "N D"]]:
    """Vectors by feature set, in the embeddings' rows; a row of NaN where a chip lacks one.

    Each modality; all of them concatenated (`modsconcat`); of each kind of floor the same; `coordinates` where every chip
    has a place; `majority`, which has no column at all.
    """
    sets = {name: block.astype(np.float32) for name, block in embeddings.blocks.items()}
    if len(embeddings.blocks) > 1:
        sets[CONCATENATED] = _joined(embeddings.blocks)
    if floors is not None:
        rows = _rows(embeddings.chips, floors.chips)
        for kind in KINDS_OF_FLOORS:
            own = {name: _taken(block, rows) for name, block in floors.blocks.items() if name.startswith(f"{kind}:")}
            if own:
                sets[kind] = _joined(own)
            if len(own) > 1:
                sets |= own
    places = _places(embeddings.chips)
    if places is not None:
        sets["coordinates"] = places
    sets["majority"] = np.empty((len(embeddings.chips), 0), dtype=np.float32)
    return sets


def _joined(blocks: Mapping[str, np.ndarray]) -> Float32[np.ndarray, "N D"]:
    return np.concatenate([block.astype(np.float32) for block in blocks.values()], axis=1)


def _rows(chips: Chips, other: Chips) -> np.ndarray:
    row_of = {chip_id: row for row, chip_id in enumerate(other.ids)}
    return np.array([row_of.get(chip_id, -1) for chip_id in chips.ids], dtype=np.int64)


def _taken(block: np.ndarray, rows: np.ndarray) -> np.ndarray:
    taken = block[rows].astype(np.float32)
    taken[rows < 0] = np.nan
    return taken


def _places(chips: Chips) -> Float32[np.ndarray, "N 2"] | None:
    if chips.lon_deg is None or chips.lat_deg is None or np.isnan(chips.lon_deg).any():
        return None
    # About the middle first: float32 alone would round a place to a metre.
    return np.column_stack([axis - axis.mean() for axis in (chips.lon_deg, chips.lat_deg)]).astype(np.float32)
