"""The command line: parse, call one function, show its progress, print its result.

Heavy libraries are imported inside the commands, so that `--help` answers at once.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from terrashot import __version__
from terrashot.cli_answers import Debug, Json, Overwrite, show, tell
from terrashot.cli_import import IMPORT_EXAMPLE, import_
from terrashot.errors import StorageError, TerrashotError

app = typer.Typer(
    name="terrashot",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="From an outline on a map to an honest curve of accuracy against number of labels.",
)

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study's TOML file, or its folder.")]
Steps = Annotated[
    list[str] | None,
    typer.Option(metavar="STEP", help="chips, ingest, labels, pretrain, embed, fewshot, missing, report"),
]


@app.command(epilog="Example: `terrashot new demo --template simulated`")
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    template: Annotated[str, typer.Option(help="simulated, folder or open-data")] = "simulated",
    chips: Annotated[Path | None, typer.Option(help="The chip folder (--template folder).")] = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Write a commented study file that runs as it is."""
    from terrashot.steps.new import make_study  # late: see the module's first lines

    tell(make_study(folder, template, chips), json_)


@app.command(epilog="Example: `terrashot run demo`")
def run(
    study: StudyPath,
    only: Steps = None,
    redo: Steps = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and why; do nothing.")] = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Run the steps of a study that are missing or stale, and say why each runs or not."""
    from terrashot.steps.run import Wishes, run_and_report  # late: see the module's first lines
    from terrashot.store.study import find_study  # late: see the module's first lines

    tell(show(run_and_report(find_study(study), Wishes(only or (), redo or (), dry_run))), json_)


@app.command(epilog="Example: `terrashot status demo`")
def status(study: StudyPath, json_: Json = False, debug: Debug = False) -> None:
    """Tell what is done, what is stale, and what is missing in the data."""
    from terrashot.steps.status import study_status  # late: see the module's first lines
    from terrashot.store.study import find_study  # late: see the module's first lines

    tell(study_status(find_study(study)), json_)


@app.command(epilog="Example: `terrashot verify demo`")
def verify(
    path: Annotated[Path, typer.Argument(help="A study, a chip store, a model folder or a table.")],
    repair: Annotated[bool, typer.Option("--repair", help="Mark what is damaged; the next run redoes it.")] = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Check every digest of a study, a store, a model or a table."""
    from terrashot.steps.verify import verify_path  # late: see the module's first lines

    tell(show(verify_path(path, repair=repair)), json_)


@app.command(epilog="Example: `terrashot embed --model demo/model --chips my-chips --out embeddings.parquet`")
def embed(
    model: Annotated[Path, typer.Option(help="A model folder, as `run` leaves it.")],
    chips: Annotated[Path, typer.Option(help="A chip folder, or a study with a chip store.")],
    out: Annotated[Path, typer.Option(help="The embedding table to write.")],
    channels: Annotated[
        str, typer.Option(help="each, each-date, mean, random, or names of channels or kinds between commas.")
    ] = "each",
    absent: Annotated[
        str, typer.Option(help="ridge or training-mean: what stands in for a kind of channel that a chip lacks.")
    ] = "ridge",
    dtype: Annotated[str, typer.Option(help="float16, float32 or int8: numbers of the table.")] = "float16",
    precision: Annotated[str, typer.Option(help="float32 or bfloat16: of the matrix products.")] = "float32",
    statistics: Annotated[str, typer.Option(help="model or chips: whose channel means and spreads.")] = "model",
    floors: Annotated[Path | None, typer.Option(help="Also write the simple features of the same chips here.")] = None,
    zarr: Annotated[Path | None, typer.Option(help="Also write the vectors as Zarr, into this folder.")] = None,
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Embed chips with a trained model."""
    from terrashot.steps.embed_chips import (  # late: see the module's first lines
        EmbedRequest,
        embed_choices,
        embed_files,
    )

    choices = embed_choices(channels, absent, dtype, precision)
    request = EmbedRequest(model, chips, out, statistics, floors, overwrite, choices, zarr)
    tell(show(embed_files(request)), json_)


@app.command(
    epilog="Example: `terrashot missing --model demo/model --chips demo --labels demo/labels.parquet --out gone`"
)
def missing(
    model: Annotated[Path, typer.Option(help="A model folder, as `run` leaves it.")],
    chips: Annotated[Path, typer.Option(help="A chip folder, or a study with a chip store.")],
    labels: Annotated[Path, typer.Option(help="CSV or Parquet with `id` and a column a target.")],
    out: Annotated[Path, typer.Option(help="Folder for the table and the figures.")],
    channels: Annotated[str, typer.Option(help="each, each-date or mean: what a vector is made of.")] = "each",
    statistics: Annotated[str, typer.Option(help="model or chips: whose channel means and spreads.")] = "model",
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Tell what each absent sensor, month and channel costs."""
    from terrashot.steps.missing_files import MissingRequest, missing_files  # late: see the module's first lines

    request = MissingRequest(model, chips, labels, out, channels, statistics, overwrite)
    tell(show(missing_files(request)), json_)


@app.command(epilog="Example: `terrashot fewshot --embeddings embeddings.parquet --labels labels.csv --out curves`")
def fewshot(
    embeddings: Annotated[Path, typer.Option(help="Any embedding table: Parquet, or .npy with its ids beside it.")],
    labels: Annotated[Path, typer.Option(help="CSV or Parquet with `id` and a column a target.")],
    out: Annotated[Path, typer.Option(help="Folder for results, figures and the report.")],
    floors: Annotated[Path | None, typer.Option(help="Simple features of the same chips.")] = None,
    chips: Annotated[Path | None, typer.Option(help="Table with area, group, split, lon, lat of the chips.")] = None,
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Run the whole few-label protocol on any embedding table."""
    from terrashot.steps.fewshot_tables import FewshotRequest, fewshot_files  # late: see the module's first lines

    request = FewshotRequest(embeddings, labels, out, floors, chips, overwrite)
    tell(show(fewshot_files(request)), json_)


@app.command(
    name="map", epilog="Example: `terrashot map --embeddings embeddings.parquet --labels labels.csv --out map`"
)
def map_(
    embeddings: Annotated[Path, typer.Option(help="Any embedding table: Parquet, or .npy with its ids beside it.")],
    labels: Annotated[Path, typer.Option(help="CSV or Parquet with `id` and a column a target; a few rows will do.")],
    out: Annotated[Path, typer.Option(help="Folder for the map: GeoParquet, GeoTIFF, PNG.")],
    chips: Annotated[Path | None, typer.Option(help="Table with area, group, lon, lat, geometry of the chips.")] = None,
    target: Annotated[str | None, typer.Option(help="Which target, where there are several.")] = None,
    features: Annotated[str | None, typer.Option(help="Which vectors; all together if not said.")] = None,
    head: Annotated[str | None, typer.Option(help="forest if not said, or logistic, svm, ...")] = None,
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Fit one head on your labels and write probability and distance for every chip."""
    from terrashot.steps.map_files import MapRequest, map_files  # late: see the module's first lines

    request = MapRequest(embeddings, labels, out, chips, target, features, head, overwrite)
    tell(show(map_files(request)), json_)


app.command(name="import", epilog=IMPORT_EXAMPLE)(import_)


@app.command(epilog="Example: `terrashot export geetiles demo/chips.parquet --out partitions`")
def export(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="geetiles.")],
    chips: Annotated[Path, typer.Argument(metavar="CHIPS", help="A study's chips.parquet.")],
    out: Annotated[Path, typer.Option(help="Folder for the files: of each area a GeoJSON and a CSV.")],
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Write chips and their split in the layout of another program."""
    from terrashot.steps.export_partitions import ExportRequest, export_files  # late: see the module's first lines

    tell(show(export_files(ExportRequest(kind, chips, out, overwrite))), json_)


@app.command(epilog="Example: `terrashot health --embeddings embeddings.parquet --floors floors.parquet`")
def health(
    embeddings: Annotated[Path, typer.Option(help="Any embedding table: Parquet, or .npy with its ids beside it.")],
    floors: Annotated[Path | None, typer.Option(help="Simple features of the same chips, to compare with.")] = None,
    chips: Annotated[Path | None, typer.Option(help="Table with area, group, lon, lat of the chips.")] = None,
    out: Annotated[Path | None, typer.Option(help="The card; beside the table if not said.")] = None,
    overwrite: Overwrite = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Measure whether an embedding table can be trusted: a number, a verdict and a sentence for each thing."""
    from terrashot.steps.health import HealthRequest, health_files  # late: see the module's first lines

    tell(show(health_files(HealthRequest(embeddings, floors, chips, out, overwrite))), json_)


def main() -> None:
    """Run the command line and leave with its exit code (docs/commands.md)."""
    # Threads that wait must sleep: where another process shares the cores, spinning ones slow training twentyfold.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        code = app(standalone_mode=False)
    except TerrashotError as error:
        code = _failed(str(error), error.exit_code)
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = _failed("interrupted; the same command goes on where it stopped", 130)
    except typer.TyperException as error:
        code = _failed(f"{error}; see: terrashot --help", 2)
    except OSError as error:
        # What no one foresaw of a disk: a file of ours that may not be read, a cable that came loose.
        what = f"{error.filename or 'a disk'}: {error.strerror or error}"
        code = _failed(f"{what}; give permission, make room or put it back, then run again", StorageError.exit_code)
    except Exception as error:
        code = _failed(f"a defect of ours: {type(error).__name__}: {error}; run again with --debug and report it", 1)
    sys.exit(code or 0)


def _failed(message: str, code: int) -> int:
    """The exit code, after telling the person on standard error and a program on standard output."""
    if "--debug" in sys.argv:
        import traceback  # only on the way out

        traceback.print_exc()
    line = " ".join(message.split())
    print(f"terrashot: {line}", file=sys.stderr)
    if "--json" in sys.argv:
        print(json.dumps({"ok": False, "error": line, "exit_code": code}))
    return code


@app.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """Few labels, whole maps."""
    if version:
        print(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
