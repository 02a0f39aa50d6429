"""No number in the tables of docs/scaling.md is typed by hand."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_tables_of_scaling_are_what_the_formulas_say():
    spec = importlib.util.spec_from_file_location("scaling_tables", ROOT / "docs" / "scaling_tables.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    written = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    assert written == maker.filled(written), "run: python docs/scaling_tables.py --write"
