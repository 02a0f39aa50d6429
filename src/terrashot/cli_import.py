"""`terrashot import`: embeddings of other makers into a table, published chips into a chip folder.

Heavy libraries are imported inside the functions, so that `--help` answers at once.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from terrashot.cli_answers import Debug, Json, Overwrite, show, tell
from terrashot.errors import UsageError

IMPORT_EXAMPLE: Final = (
    "Example: `terrashot import alphaearth 2024/32N --out alphaearth.parquet`, "
    "`terrashot import geetiles published --out chips --months 2020-01,2020-02,2020-03`"
)
CHIPS: Final = ("geetiles", "m3leo")
FOR_CHIPS, FOR_TABLES = "Published chips", "Embedding tables"

Kind = Annotated[
    str, typer.Argument(metavar="KIND", help="geetiles or m3leo (chips); alphaearth, tessera, majortom or clay.")
]
Source = Annotated[Path, typer.Argument(metavar="SRC", help="A file as its maker publishes it, or a folder of them.")]
Out = Annotated[Path, typer.Option(help="The embedding table to write, or the chip folder (geetiles, m3leo).")]
Chips = Annotated[
    Path | None,
    typer.Option(
        help="Table of chips to pool pixels over (alphaearth, tessera): our ids, or polygons.",
        rich_help_panel=FOR_TABLES,
    ),
]
ChipM = Annotated[
    float | None,
    typer.Option(
        help="Or the side of chips of our own grid over the rasters, in metres; 4480 if not said.",
        rich_help_panel=FOR_TABLES,
    ),
]
Months = Annotated[
    str | None,
    typer.Option(
        help="Months to take, between commas: 2020-01,2020-02; of coherence, those of the later day. All if not said.",
        rich_help_panel=FOR_CHIPS,
    ),
]
MaxDays = Annotated[
    int | None, typer.Option(help="Longest span of a coherence pair; any if not said.", rich_help_panel=FOR_CHIPS)
]
Orbits = Annotated[
    str, typer.Option(help="Radar passes: mixed, apart, ascending or descending.", rich_help_panel=FOR_CHIPS)
]
Zero = Annotated[
    str,
    typer.Option(
        help="Which stored zeros are no data: together (of all bands of a month), no-data (all) or value (none).",
        rich_help_panel=FOR_CHIPS,
    ),
]
Lattice = Annotated[
    str,
    typer.Option(
        help="degrees keeps pixels as published; utm brings them onto 10 m of the chip's zone.",
        rich_help_panel=FOR_CHIPS,
    ),
]
Splits = Annotated[
    str | None,
    typer.Option(
        help="Which splits file, where there are several: 60bands_angle09_60-20-20.", rich_help_panel=FOR_CHIPS
    ),
]
Group = Annotated[
    str | None,
    typer.Option(help="Column of the GeoJSON whose chips belong together: foreignid_NAME.", rich_help_panel=FOR_CHIPS),
]
MaxFailedShare = Annotated[
    float, typer.Option(min=0, max=1, help="Share of chips that may fail.", rich_help_panel=FOR_CHIPS)
]
Workers = Annotated[int, typer.Option(min=0, help="Processes; one a core if 0.", rich_help_panel=FOR_CHIPS)]


def import_(
    kind: Kind,
    source: Source,
    out: Out,
    chips: Chips = None,
    chip_m: ChipM = None,
    months: Months = None,
    max_days: MaxDays = None,
    orbits: Orbits = "mixed",
    zero: Zero = "together",
    lattice: Lattice = "degrees",
    splits: Splits = None,
    group: Group = None,
    max_failed_share: MaxFailedShare = 0.0,
    workers: Workers = 0,
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Bring another maker's embeddings in, for `fewshot` and `map`; or chips as the paper's authors publish them."""
    if kind not in CHIPS:
        _refuse_options(kind, months, max_days, splits, group)
        from terrashot.steps.import_table import ImportRequest, import_files  # late: see the module's first lines

        tell(show(import_files(ImportRequest(kind, source, out, chips, chip_m, overwrite))), json_)
        return
    if chips is not None or chip_m is not None:
        raise UsageError(f"import {kind}: its tiles are chips already; leave out --chips and --chip-m")
    from terrashot.steps.import_chips import ChipImport, choices_of, import_chip_folder  # late, as above

    choices = choices_of(months, max_days, orbits, zero, lattice)
    request = ChipImport(kind, source, out, choices, splits, group, max_failed_share, workers, overwrite)
    tell(show(import_chip_folder(request)), json_)


def _refuse_options(kind: str, *given: Any) -> None:
    if any(value is not None for value in given):
        raise UsageError(f"import {kind}: --months, --max-days, --splits and --group belong to geetiles and m3leo")
