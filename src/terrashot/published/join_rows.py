"""Rows of several files of one maker, joined into one table of chips.

N: rows of one file.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import InputError, IntegrityError
from terrashot.published.source_files import one_maker

ID_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]")
MAX_ID_CHARACTERS = 128


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one file; what is not known is None."""

    path: Path
    vectors: Float32[np.ndarray, "N D"]
    """NaN where the row has none."""
    ids: Sequence[str]
    group: Sequence[str | None]
    lon_deg: Float64[np.ndarray, " N"] | None
    lat_deg: Float64[np.ndarray, " N"] | None
    footprint: np.ndarray | None
    maker: str | None
    """What the file says of the model that made the vectors."""


def one_table(kind: str, files: Sequence[Rows]) -> tuple[Embeddings, tuple[str, ...]]:
    """All rows, in the order of the files, as one block called `kind`; and what must be said of them.

    Ids keep to letters, digits, point, hyphen and underscore: any other character becomes an underscore.

    Raises:
        InputError: an id too long or twice, or a place beyond the globe.
        IntegrityError: files of different models, or of vectors of different lengths.
    """
    maker = one_maker(kind, [(rows.path, rows.maker) for rows in files if rows.maker is not None])
    _refuse_other_lengths(files)
    ids, notes = _clean([chip_id for rows in files for chip_id in rows.ids])
    _refuse_twice(ids, files)
    chips = Chips(
        ids=ids,
        area=("all",) * len(ids),
        group=tuple(group for rows in files for group in rows.group),
        split=(None,) * len(ids),
        footprint=_joined(files, lambda rows: rows.footprint),
        lon_deg=_joined(files, lambda rows: rows.lon_deg),
        lat_deg=_joined(files, lambda rows: rows.lat_deg),
    )
    _refuse_beyond_globe(kind, chips)
    vectors = np.concatenate([rows.vectors for rows in files])
    return Embeddings(chips, {kind: vectors}, model=f"{kind}/{maker or f'{vectors.shape[1]}d'}"), notes


def _refuse_other_lengths(files: Sequence[Rows]) -> None:
    first = files[0]
    other = next((rows for rows in files if rows.vectors.shape[1] != first.vectors.shape[1]), None)
    if other is not None:
        raise IntegrityError(
            f"{other.path}: vectors of {other.vectors.shape[1]} numbers, {first.path} has {first.vectors.shape[1]}: they are of "
            "different models; import each alone"
        )


def _clean(ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    cleaned = tuple(ID_CHARACTERS.sub("_", chip_id) for chip_id in ids)
    odd = next((chip_id for chip_id in cleaned if not 1 <= len(chip_id) <= MAX_ID_CHARACTERS), None)
    if odd is not None:
        raise InputError(f"id '{odd[:40]}...': {len(odd)} characters; an id has 1 to {MAX_ID_CHARACTERS}")
    changed = [(old, new) for old, new in zip(ids, cleaned, strict=True) if old != new]
    if not changed:
        return cleaned, ()
    old, new = changed[0]
    return cleaned, (
        f"{len(changed)} ids hold other characters than A-Z a-z 0-9 . _ -; '{old[:60]}' is now '{new[:60]}'",
    )


def _refuse_twice(ids: Sequence[str], files: Sequence[Rows]) -> None:
    if len(set(ids)) == len(ids):
        return
    twice, count = Counter(ids).most_common(1)[0]
    owners = np.repeat(np.arange(len(files)), [len(rows.ids) for rows in files])
    rows = [row for row, chip_id in enumerate(ids) if chip_id == twice]
    first, second = (files[owners[row]].path for row in rows[:2])
    raise InputError(f"id '{twice}' stands in {count} rows, in {first} and {second}; give each vector once")


def _joined(files: Sequence[Rows], column: Callable[[Rows], np.ndarray | None]) -> np.ndarray | None:
    """A column of all files; None unless each has it."""
    parts = [part for part in map(column, files) if part is not None]
    return np.concatenate(parts) if len(parts) == len(files) else None


def _refuse_beyond_globe(kind: str, chips: Chips) -> None:
    if chips.lon_deg is None or chips.lat_deg is None:
        return
    beyond = ~((np.abs(chips.lon_deg) <= 180) & (np.abs(chips.lat_deg) <= 90))
    if beyond.any():
        row = int(np.flatnonzero(beyond)[0])
        raise InputError(
            f"{kind}: {int(beyond.sum())} places are none on the globe, first that of '{chips.ids[row]}': longitude "
            f"{chips.lon_deg[row]:.6g}, latitude {chips.lat_deg[row]:.6g}"
        )
