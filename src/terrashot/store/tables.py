"""The study's tables as Parquet: chips, labels, presence."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from terrashot.domain.tables import Chips, Labels, Presence
from terrashot.store.geoparquet import chip_columns, chips_of_table, geo_footer
from terrashot.store.parquet import read_table, write_table

VALID_FRACTION = "_valid_fraction"


def write_chips(path: Path, chips: Chips) -> None:
    """chips.parquet."""
    write_table(path, pa.table(chip_columns(chips)), footer=geo_footer(chips))


def read_chips(path: Path) -> Chips:
    """The chips of chips.parquet, in its order."""
    return chips_of_table(read_table(path), str(path))


def write_labels(path: Path, labels: Labels) -> None:
    """labels.parquet: `id`, a column a target, `<target>_valid_fraction`; unknown is null."""
    columns: dict[str, pa.Array] = {"id": pa.array(labels.chip_ids, pa.string())}
    for target, values in labels.targets.items():
        columns[target] = _target_column(values)
        if target in labels.valid_fraction:
            columns[target + VALID_FRACTION] = pa.array(labels.valid_fraction[target], pa.float64(), from_pandas=True)
    write_table(path, pa.table(columns))


def read_own_labels(path: Path) -> Labels:
    """The labels that `write_labels` wrote."""
    table = read_table(path)
    targets = {name: _target_values(table.column(name)) for name in _target_names(table.column_names)}
    fractions = {
        name: table.column(name + VALID_FRACTION).to_numpy().astype(np.float64)
        for name in targets
        if name + VALID_FRACTION in table.column_names
    }
    return Labels(tuple(table.column("id").to_pylist()), targets, fractions)


def write_presence(path: Path, presence: Presence) -> None:
    """presence.parquet: what is there of each chip, and why the rest is not."""
    number: Mapping[str, np.ndarray] = {"slot": presence.slot, "n_acquisitions": presence.n_acquisitions}
    text = {
        "id": presence.chip_id, "modality": presence.modality, "channel": presence.channel, "kind": presence.kind,
        "status": presence.status, "reason": presence.reason,
        "first_date": presence.first_date, "second_date": presence.second_date,
    }  # fmt: skip
    columns = {name: pa.array(values, pa.string()) for name, values in text.items()}
    columns |= {name: pa.array(values, mask=values < 0) for name, values in number.items()}
    for name, share in (("valid_fraction", presence.valid_fraction), ("mean_count", presence.mean_count)):
        columns[name] = pa.array(share, pa.float32(), from_pandas=True)
    order = ["id", "modality", "channel", "kind", "slot", "status", "reason", "valid_fraction", "n_acquisitions",
             "mean_count", "first_date", "second_date"]  # fmt: skip
    write_table(path, pa.table({name: columns[name] for name in order}))


def read_presence(path: Path) -> Presence:
    """The rows that `write_presence` wrote; tables from before there were mean counts have none."""
    table = read_table(path)

    def text(name: str) -> np.ndarray:
        column = np.empty(len(table), dtype=object)
        column[:] = table.column(name).to_pylist()
        return column

    def number(name: str, dtype: type[np.generic]) -> np.ndarray:
        return table.column(name).fill_null(-1).to_numpy().astype(dtype)

    is_counted = "mean_count" in table.column_names
    mean_count = table.column("mean_count").to_numpy() if is_counted else np.full(len(table), np.nan)
    return Presence(
        text("id"), text("modality"), text("channel"), text("kind"), number("slot", np.int16),
        text("status"), text("reason"), table.column("valid_fraction").to_numpy().astype(np.float32),
        number("n_acquisitions", np.int32), text("first_date"), text("second_date"), mean_count.astype(np.float32),
    )  # fmt: skip


def _target_names(columns: list[str]) -> list[str]:
    return [name for name in columns if name != "id" and not name.endswith(VALID_FRACTION)]


def _target_column(values: np.ndarray) -> pa.Array:
    if values.dtype == object:
        return pa.array(values, pa.string())
    return pa.array(values, pa.float64(), from_pandas=True)


def _target_values(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_floating(column.type):
        return column.to_numpy().astype(np.float64)
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return values
