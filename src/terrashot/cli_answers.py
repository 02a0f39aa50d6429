"""What every command of the command line shares: its options, and how work is shown and told."""

import json
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object on the last line of standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


def show(work: Any) -> Any:
    """The outcome of some work, its progress shown on standard error."""
    from terrashot.console import show as show_work  # late, so that `--help` answers at once

    return show_work(work)


def tell(outcome: Any, as_json: bool) -> None:
    """An outcome's sentences for a person, or its facts for a program; nothing where another process tells them."""
    if outcome is None:
        return
    if as_json:
        print(json.dumps({"ok": True, **outcome.facts}, default=str))
        return
    for line in outcome.lines:
        print(line)
