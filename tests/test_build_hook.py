"""The wheel takes coastlines in where npm is at hand, only those that are known, and is built without them too."""

import hashlib
import importlib.util
import io
import sys
import tarfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "hatch_build.py"
INTERFACE = "hatchling.builders.hooks.plugin.interface"
FILES = {"land-50m.json": b"{}", "LICENSE": b"ISC"}


@pytest.fixture
def hook(monkeypatch):
    """The script, with the one class of the build backend that it stands on."""
    interface = ModuleType(INTERFACE)
    interface.BuildHookInterface = object
    monkeypatch.setitem(sys.modules, INTERFACE, interface)
    spec = importlib.util.spec_from_file_location("hatch_build", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(
        module, "SHA256", {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    )
    return module


def build(hook, version="standard"):
    """What a build is told to take in, what each file holds, and what was said."""
    said = []
    coastlines = hook.Coastlines()
    coastlines.app = SimpleNamespace(display_warning=said.append)
    data = {"force_include": {}, "force_include_editable": {}}
    coastlines.initialize(version, data)
    taken = {inside: Path(path).read_bytes() for path, inside in data["force_include"].items()}
    coastlines.finalize(version, data, "")
    assert not coastlines.folder.exists()
    return data, taken, said


def put_npm(folder, monkeypatch, files):
    """An npm that packs these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (folder / "packed").write_bytes(packed.getvalue())
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n/bin/cp {folder}/packed world-atlas.tgz\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_with_npm_the_wheel_holds_land_and_its_licence(hook, tmp_path, monkeypatch):
    put_npm(tmp_path, monkeypatch, FILES)
    data, taken, said = build(hook)
    assert taken == {f"terrashot_coastlines/{name}": content for name, content in FILES.items()}
    assert said == [] and data["force_include_editable"] == {}


def test_an_editable_install_has_them_too(hook, tmp_path, monkeypatch):
    put_npm(tmp_path, monkeypatch, FILES)
    data, _, _ = build(hook, "editable")
    assert data["force_include_editable"] == data["force_include"] != {}


@pytest.mark.parametrize("files", [FILES | {"land-50m.json": b"[]"}, {"LICENSE": b"ISC"}, {}])
def test_a_package_that_is_not_the_known_one_is_left_out(hook, tmp_path, monkeypatch, files):
    put_npm(tmp_path, monkeypatch, files)
    _, taken, (warning,) = build(hook)
    assert taken == {} and "without coastlines" in warning


def test_without_npm_or_where_it_fails_the_build_goes_on_and_says_so(hook, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build(hook)[1:] == ({}, ["built without coastlines, maps will show outlines alone: npm is not installed"])
    (tmp_path / "npm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    _, taken, (warning,) = build(hook)
    assert taken == {} and "exit status 1" in warning
