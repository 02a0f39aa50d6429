"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
CHANGES_A_DISK = {
    "write_text", "write_bytes", "unlink", "rename", "rmtree", "mkdir", "makedirs", "mkdtemp", "touch", "symlink_to", "hardlink_to",
    "rmdir", "copy", "copy2", "copyfile", "copytree", "move", "truncate", "tofile", "savetxt", "savez", "to_csv", "to_parquet", "to_file",
    "NamedTemporaryFile", "TemporaryDirectory",
}  # fmt: skip
HARMLESS = {"copy"}
"""Also the name of a method of arrays and dictionaries, which takes no path."""


def disk_changes(code: str) -> list[int]:
    """Lines that call something which changes a disk, as far as names and modes tell."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return sorted(call.lineno for call in calls if _changes_a_disk(call))


def _changes_a_disk(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    text = ast.unparse(call)
    if isinstance(call.func, ast.Attribute):
        if name in HARMLESS and not call.args:
            return False
        # `str.replace` takes two; `dataclasses.replace` is called by its own name.
        if name in CHANGES_A_DISK or (name == "replace" and len(call.args) == 1 and not call.keywords):
            return True
        if text.startswith("os.open(") and re.search("O_(WRONLY|RDWR|CREAT|APPEND|TRUNC)", text):
            return True
        if re.match(
            r"(np|numpy|torch|sqlite3|zarr)\.(save|savez|connect|open_group|open|create_array|save_array)\(", text
        ):
            return "memory" not in text
        if name == "savefig":
            return "buffer" not in text
    modes = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
    return name == "open" and any(isinstance(m, str) and re.fullmatch(r"[rbt]*[wax+][rwbt+]*", m) for m in modes)


def test_only_the_durable_layer_changes_what_is_on_a_disk():
    offenders = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in SOURCES
        if "durable" not in path.parts
        for line in disk_changes(path.read_text("utf-8"))
    ]
    assert offenders == [], "write through terrashot.durable"


@pytest.mark.parametrize(
    "code",
    ["p.write_bytes(b'')", "open(p, 'w')", "p.open('ab')", "p.open(mode='r+b')", "os.open(p, os.O_RDWR)", "p.replace(q)", "p.unlink()",
     "shutil.rmtree(p)", "np.save(p, a)", "zarr.open_group(p)", "figure.savefig(p)", "sqlite3.connect(p)", "p.parent.mkdir()"],
)  # fmt: skip
def test_that_rule_sees_every_way_to_write(code):
    assert disk_changes(code) == [1]


def test_that_rule_lets_reading_pass():
    assert (
        disk_changes(
            "open(p); p.open('rb'); a.copy(); text.replace('a', 'b'); replace(x, y=1); os.open(p, os.O_RDONLY)"
        )
        == []
    )


def reached_networks(code: str) -> list[str]:
    """Modules by which the code reaches a network."""
    found = []
    for node in ast.walk(ast.parse(code)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found += [name for name in names if re.match(NETWORK, name)]
    return found


OTHER_CLIENTS = r"(ftplib|urllib\.request|urllib3|requests|httpx|aiohttp|fsspec|planetary_computer)\b"
NETWORK = rf"(socket|ssl|http\.client|pystac_client|ee|google)\b|{OTHER_CLIENTS}"


def test_only_the_remote_layer_reaches_a_network():
    package = ROOT / "src" / "terrashot"
    # The lock asks for this machine's own name.
    others = [
        p for p in SOURCES if p.relative_to(package).parts[0] != "remote" and p != package / "durable" / "lock.py"
    ]
    found = {p.name: reached_networks(p.read_text("utf-8")) for p in others}
    assert {name: modules for name, modules in found.items() if modules} == {}, "ask through terrashot.remote"


def test_there_is_one_door_to_the_network():
    found = [name for path in SOURCES for name in reached_networks(path.read_text("utf-8"))]
    assert [name for name in found if re.match(OTHER_CLIENTS, name)] == [], "ask through terrashot.remote.client"


@pytest.mark.parametrize(
    "code", ["import socket", "from urllib import request", "import http.client as h", "from requests import get"]
)
def test_that_rule_sees_every_way_to_import_one(code):
    assert reached_networks(code) and not reached_networks(
        "from urllib.parse import quote; import http; from . import requests"
    )


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
