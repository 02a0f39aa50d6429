"""Every row of the table, in its order."""

from collections.abc import Mapping
from importlib import import_module

from faults.outcome import Row

NAMES = (
    "write_points",
    "random_kills",
    "training_kills",
    "bit_flips",
    "storage",
    "power_cuts",
    "concurrent",
    "determinism",
    "memory",
    "chip_content",
    "georeferencing",
    "missing_data",
    "dates",
    "store_machine",
    "formats",
    "damaged_scenes",
    "coherence",
    "coherence_places",
    "coherence_dates",
    "bombs",
    "hostile_files",
    "bad_labels",
    "fuzz",
    "network",
)  # fmt: skip


def all_rows() -> Mapping[str, Row]:
    """The rows by name."""
    rows = [import_module(f"faults.rows.{name}").ROW for name in NAMES]
    return {row.name: row for row in rows}
