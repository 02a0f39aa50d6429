"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
WRITES = re.compile(
    r"\.write_text\(|\.write_bytes\(|open\([^)]*[\"'][wax]b?[\"']|\.open\([\"'][wax]b?[\"']|np\.save\(|\.savefig\("
)


def test_only_the_durable_layer_opens_files_for_writing():
    allowed = {"durable"}
    offenders = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if not allowed & set(path.parts)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if WRITES.search(line) and "temporary" not in line and "buffer" not in line
    ]
    assert offenders == [], "write through terrashot.durable.files"


def test_nothing_reads_a_pickle():
    forbidden = re.compile(r"pickle\.load|joblib\.load|torch\.load|allow_pickle=True|yaml\.load\(")
    offenders = [str(path.relative_to(ROOT)) for path in SOURCES if forbidden.search(path.read_text("utf-8"))]
    assert offenders == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "terrashot")))
def test_a_file_begins_with_what_it_is_for_and_stays_short(path):
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)) or text.strip() == "" or path.name == "__init__.py"
    assert text.count("\n") <= 400


@pytest.mark.parametrize("code", ["import terrashot", "import terrashot.cli"])
def test_neither_the_package_nor_its_command_line_imports_torch_or_gdal(code):
    code += "; import sys; print([m for m in ('torch', 'rasterio', 'numpy') if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"
