"""A column of a user's table as classes, or as numbers."""

from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float64, Int64

from terrashot.errors import InputError
from terrashot.labels.own.bad_rows import BadRows, shown
from terrashot.store.csv_columns import DECIMAL_COMMA, numbers_of
from terrashot.store.label_table import UNKNOWN

MOST_CLASSES = 255
LONGEST_CLASS = 100


@dataclass(frozen=True, slots=True, eq=False)
class ClassColumn:
    """Class of each row."""

    names: tuple[str, ...]
    code: Int64[np.ndarray, " R"]
    """-1 where the row is bad."""


def classes_of(
    where: str, column: pa.ChunkedArray, number: Int64[np.ndarray, " R"], known: tuple[str, ...], bad: BadRows
) -> ClassColumn:
    """Classes by name, as they are written but for spaces around them; rows without one, or with an unknown one, are bad.

    Args:
        known: all that may stand there; none means any.

    Raises:
        InputError: a column of another type than text or numbers, or far too many classes.
    """
    coded = pc.dictionary_encode(_text(where, column)).combine_chunks()
    names = [str(name) for name in coded.dictionary.to_pylist()]
    code = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    complaint = [_complaint(name, known) for name in names]
    is_bad = np.array([*(text is not None for text in complaint), True])
    reasons = [*complaint, "has no class"]
    bad.add(number, is_bad[code], lambda row: str(reasons[code[row]]))
    good = sorted(name for name, text in zip(names, complaint, strict=True) if text is None)
    if len(good) > MOST_CLASSES:
        raise InputError(f"{where}: {len(good):,} different classes, such as {shown(good[0])}; is it the right column?")
    at = {name: index for index, name in enumerate(good)}
    renumber = np.array([*(at.get(name, -1) for name in names), -1], dtype=np.int64)
    return ClassColumn(tuple(good), renumber[code])


def amounts_of(
    where: str, column: pa.ChunkedArray, number: Int64[np.ndarray, " R"], bad: BadRows
) -> Float64[np.ndarray, " R"]:
    """Finite numbers; rows without one are bad, and NaN here.

    Raises:
        InputError: a column of another type than text or numbers.
    """
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        found = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
        bad.add(
            number,
            ~np.isfinite(found),
            lambda row: "has no number" if np.isnan(found[row]) else "has an infinite number",
        )
        return np.where(np.isfinite(found), found, np.nan)
    cells = pc.fill_null(_text(where, column), "")
    found = numbers_of(cells)
    bad.add(number, ~np.isfinite(found), lambda row: no_number(cells[row].as_py()))
    return found


def no_number(cell: str) -> str:
    """Why a cell is none."""
    if cell in UNKNOWN:
        return "has no number"
    if DECIMAL_COMMA.fullmatch(cell):
        return f"{shown(cell)} has a comma; write it with a point: {cell.replace(',', '.')}"
    return f"{shown(cell)} is no number"


def _text(where: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Stripped; null where nothing stands."""
    kind = column.type
    if pa.types.is_floating(kind):  # whole numbers beside an absent one
        whole = pc.all(pc.equal(pc.floor(column), column), min_count=0).as_py()
        column = pc.cast(column, pa.int64()) if whole else column
    elif pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
    elif not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
    ):
        raise InputError(f"{where}: holds {str(kind)[:40]}, which is neither text nor a number")
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    return pc.if_else(pc.is_in(text, pa.array(sorted(UNKNOWN))), None, text)


def _complaint(name: str, known: tuple[str, ...]) -> str | None:
    if len(name) > LONGEST_CLASS:
        return f"{shown(name)} has {len(name):,} characters; a class has {LONGEST_CLASS} at most"
    if not name.isprintable():
        return f"{shown(name)} holds signs that cannot be shown"
    if known and name not in known:
        near = get_close_matches(name, known, n=1)
        return f"unknown class {shown(name)}; {f'did you mean {near[0]!r}?' if near else 'classes are ' + ', '.join(known)[:80]}"
    return None
