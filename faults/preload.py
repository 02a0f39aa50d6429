"""Imports, once and in the parent, of all that its children will need."""

import contextlib
import functools
import gc
import importlib
import json
import sys
import tempfile
from pathlib import Path

import terrashot.cli
import terrashot.console
import terrashot.steps.all_steps
import terrashot.steps.embed_chips
import terrashot.steps.fewshot_tables
import terrashot.steps.run
import terrashot.steps.verify  # noqa: F401
from faults.child import command_line, run_child


@functools.cache
def preload() -> None:
    """Everything that a whole run imports late is imported here: a forked child then need not, and costs half a second less."""
    from faults.studies import make_study

    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        study = make_study(Path(folder) / "study")

        def work() -> None:
            try:
                command_line("run", study)()
            finally:
                print(json.dumps(list(sys.modules)))

        ended = run_child(work, Path(folder) / "notes")
    for name in json.loads(ended.out.splitlines()[-1]):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # Objects of the parent are left alone by its children's collectors, whose touch would copy every page of them.
    gc.freeze()
