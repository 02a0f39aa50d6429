"""`terrashot new`: a study file that runs as it is."""

import json
from importlib.resources import files
from pathlib import Path

from terrashot.areas.partition_files import is_partitions
from terrashot.durable.files import make_folder, write_bytes
from terrashot.errors import InputError, StorageError, UsageError
from terrashot.steps.answer import Answer

TEMPLATES = ("simulated", "folder", "open-data")


def make_study(folder: Path, template: str, chips: Path | None) -> Answer:
    """Where the new study file lies; nothing that is there already is touched.

    Raises:
        UsageError: no such template, or `chips` given or missing against the template.
        InputError: the chip folder has no chips.csv.
        StorageError: the folder holds something.
    """
    if template not in TEMPLATES:
        raise UsageError(f"--template {template}: no such template; templates are {', '.join(TEMPLATES)}")
    if (template == "folder") != (chips is not None):
        raise UsageError("--chips PATH belongs to --template folder, which needs it")
    if chips is not None and not (chips / "chips.csv").is_file():
        raise InputError(f"{chips}: no chips.csv in it; docs/files.md tells what a chip folder holds")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"{folder} is not empty; name a new folder, nothing was changed")
    path = make_folder(folder) / "study.toml"
    write_bytes(path, _filled(template, folder, chips).encode())
    return Answer((f"wrote {path}", f"next: terrashot run {folder}"), {"study": str(path)})


def _filled(template: str, folder: Path, chips: Path | None) -> str:
    text = (files("terrashot.steps") / "templates" / f"{template}.toml").read_text("utf-8")
    name = (
        "".join(c if (c.isalnum() and c.isascii()) or c in "._-" else "-" for c in folder.resolve().name)[:64]
        or "study"
    )
    # A JSON string is a TOML basic string, whatever stands in the path.
    where = json.dumps(str(chips.resolve())) if chips else ""
    text = text.replace("{name}", name).replace("{folder}", str(folder)).replace("{chips}", where)
    return f"{text}{_partitions(chips.resolve())}" if chips else text


def _partitions(chips: Path) -> str:
    """The areas whose outlines lie in the chip folder, as `terrashot import` leaves them; chips.csv tells no outline."""
    return "".join(_area(path) for path in sorted(chips.glob("*.geojson")) if is_partitions(path))


def _area(path: Path) -> str:
    text = f"\n[areas.{json.dumps(path.stem)}]\npartitions = {json.dumps(str(path))}\n"
    splits = path.with_name(f"{path.stem}_splits.csv")
    return f"{text}splits = {json.dumps(str(splits))}\n" if splits.is_file() else text
