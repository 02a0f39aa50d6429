"""Who trains, validates and tests in a partitions file: by its column `split`, or by the CSV beside it (`identifier,split`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from terrashot.errors import InputError
from terrashot.store.csvfile import CsvTable, read_csv, refuse_rows, repeated

SPLITS = ("train", "val", "test")
"""The names that geetiles knows. A chip of a buffer has none: null in the column, and no row in the CSV."""
NO_SPLIT: Final = "\0"
"""Stands where a feature has no such column at all."""
Told = str | None


def splits_of(
    path: Path, ids: Sequence[str], told: Sequence[Told], splits: Path | None
) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """The split of each chip, all None where nothing is said of any; and what a person must be told.

    Args:
        told: what the column says of each chip.

    Raises:
        InputError: bad rows, or a chip of which one of the files says nothing.
    """
    if splits is not None:
        return _by_csv(path, ids, told, splits)
    if not any(name in SPLITS for name in told):
        return (None,) * len(ids), ()
    without = [(number, "no 'split', while others have one") for number, name in enumerate(told, 1) if name is NO_SPLIT]
    refuse_rows(path, without, "feature")
    return tuple(name or "buffer" for name in told), ()


def _by_csv(
    path: Path, ids: Sequence[str], told: Sequence[Told], splits: Path
) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    listed = _listed(splits, set(ids), path)
    lost = [number for number, chip_id in enumerate(ids) if chip_id not in listed and told[number] is not None]
    if lost:
        raise InputError(
            f"{splits}: no row of {len(lost)} chips of {path.name}, the first feature {lost[0] + 1}, '{ids[lost[0]]}'; "
            "add the rows, or name the CSV of these partitions"
        )
    found = tuple(listed.get(chip_id, "buffer") for chip_id in ids)
    n_other = sum(name in SPLITS and name != own for name, own in zip(told, found, strict=True))
    note = f"{splits.name} puts {n_other} chips elsewhere than the column 'split' of {path.name}; the CSV counts"
    return found, (note,) if n_other else ()


def _listed(path: Path, known: set[str], partitions: Path) -> dict[str, str]:
    """Split by identifier."""
    table = read_csv(path)
    missing = [name for name in ("identifier", "split") if name not in table.names]
    if missing:
        raise InputError(f"{path}: line 1: no column {' and no '.join(missing)}; found {', '.join(table.names)[:120]}")
    ids, names = table.column("identifier"), table.column("split")
    refuse_rows(path, [*repeated(ids, table.lines), *_bad_rows(table, ids, names, known, partitions)])
    return dict(zip(ids, names, strict=True))


def _bad_rows(
    table: CsvTable, ids: Sequence[str], names: Sequence[str], known: set[str], partitions: Path
) -> list[tuple[int, str]]:
    bad = []
    for line, chip_id, name in zip(table.lines, ids, names, strict=True):
        if chip_id not in known:
            bad.append((line, f"identifier '{chip_id[:40]}' is of no chip in {partitions.name}"))
        elif name not in SPLITS:
            bad.append((line, f"split '{name[:40]}' is none of {', '.join(SPLITS)}"))
    return bad
