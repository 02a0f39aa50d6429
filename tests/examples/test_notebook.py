"""The notebook runs from top to bottom, and shows what it says it shows."""

import ast
import json
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "few_labels.ipynb"


def shown_by(source: str, names: dict) -> object:
    """What a notebook would show of a cell: the value of its last line, if that is an expression."""
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    return eval(compile(last, str(NOTEBOOK), "eval"), names) if last else None


def test_every_cell_runs_and_shows_sentences_a_table_and_curves(capsys):
    names: dict = {}
    cells = [cell for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    _, found, table, figure = (shown_by("".join(cell["source"]), names) for cell in cells)
    html = found._repr_html_()
    assert "labels (vectors, " in html and 'src="data:image/png;base64,' in html
    assert set(table["features"]) == {"vectors", "majority", "coordinates"}
    assert len(figure.axes) == 1
    assert capsys.readouterr().out.endswith("100%")
    assert all(not cell["outputs"] for cell in cells), "outputs are made anew, not kept"
