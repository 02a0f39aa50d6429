"""Files made as a forger would make them: small folders to hand to a command, and content whose digests and seals all fit."""

import json
import os
import pickle
import resource
import sqlite3
import struct
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from terrashot.durable.backup import backup_path, digest_line, digest_path
from terrashot.durable.files import sha256_of
from terrashot.store.layout import LEDGER

Json = dict[str, Any]
MODEL = ("--model", "study/model")


def chip_folder(folder: Path, n_chips: int = 4) -> Path:
    """A chip folder of a few chips of 8 px, all in order."""
    ids = [f"c{number}" for number in range(n_chips)]
    (folder / "s2rgbm").mkdir(parents=True)
    for number, chip_id in enumerate(ids):
        pixels = np.random.default_rng(number).integers(0, 200, (3, 8, 8)).astype(np.uint8)
        np.save(folder / "s2rgbm" / f"{chip_id}.npy", pixels)
    (folder / "chips.csv").write_text("".join(f"{line}\n" for line in ("id,area", *(f"{i},a" for i in ids))))
    (folder / "labels.csv").write_text("".join(f"{line}\n" for line in ("id,wet", *(f"{i},0.5" for i in ids))))
    return folder


def study_of(folder: Path, text: str) -> Path:
    """A study folder with this study file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(text)
    return folder


FOLDER_STUDY = '[source]\nkind = "folder"\npath = "{path}"\n[study]\nworkers = 1\n'
OUTLINE_STUDY = '[areas.a]\noutline = "{path}"\n'


def sparse(size_bytes: int, head: bytes = b"") -> Callable[[Path], None]:
    """Writes a file that claims so many bytes and takes next to none."""

    def write(path: Path) -> None:
        path.write_bytes(head)
        os.truncate(path, size_bytes)

    return write


def limit_memory(more_bytes: int = 2 << 30) -> None:
    """From now on this process gets so much address space and no more: a bomb must not take the machine with it."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more_bytes,) * 2)


class _Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


def canary_pickle(canary: Path) -> bytes:
    """A pickle that makes a file where anything loads it."""
    return pickle.dumps(_Canary(canary), protocol=2)


def torch_archive(canary: Path) -> bytes:
    """The same as torch.save would pack it."""
    return zipped({"archive/data.pkl": canary_pickle(canary), "archive/version": b"3\n"})


def zipped(members: Mapping[str, bytes]) -> bytes:
    """An archive of these members, whatever their names."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def object_npy(canary: Path) -> bytes:
    """A .npy of one object, whose pickle makes the file."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + canary_pickle(canary)


def with_digest(path: Path) -> None:
    """The digest beside the file fits it."""
    digest_path(path).write_bytes(digest_line(path))


def recard(model: Path, change: Callable[[Json], None]) -> None:
    """The model's card after a change, its own digest made to fit."""
    content = json.loads((model / "model.json").read_bytes())
    content.pop("digest")
    change(content)
    content["digest"] = sha256_of(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
    (model / "model.json").write_text(json.dumps(content, indent=1, sort_keys=True))


def reweigh(model: Path, weights: bytes) -> None:
    """Other weights, and a card whose digests fit them."""
    (model / "weights.safetensors").write_bytes(weights)
    recard(model, lambda content: content.update(weights_sha256=sha256_of(weights)))


def reseal(folder: Path, entries: Mapping[tuple[str, str], Any], drop: tuple[tuple[str, str], ...] = ()) -> None:
    """The ledger of a store with these entries, all sealed and counted, digest and copy beside it; bytes are JSON as is."""
    path = folder / LEDGER
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for kind, key in drop:
            connection.execute("DELETE FROM entry WHERE kind = ? AND key = ?", (kind, key))
        for (kind, key), content in entries.items():
            _insert(connection, kind, key, content.decode() if isinstance(content, bytes) else _text(content))
        kinds = {kind for kind, _ in [*entries, *drop]}
        for kind in sorted(kinds):
            count = connection.execute("SELECT count(*) FROM entry WHERE kind = ?", (kind,)).fetchone()[0]
            _insert(connection, "count", kind, _text(count))
    connection.close()
    backup_path(path).write_bytes(path.read_bytes())
    with_digest(path)
    with_digest(backup_path(path))


def ledger_entry(folder: Path, kind: str, key: str) -> Any:
    """The content of one entry."""
    with sqlite3.connect(folder / LEDGER) as connection:
        row = connection.execute("SELECT content FROM entry WHERE kind = ? AND key = ?", (kind, key)).fetchone()
    connection.close()
    return json.loads(row[0])


def _insert(connection: sqlite3.Connection, kind: str, key: str, text: str) -> None:
    seal = sha256_of(f"{kind}\0{key}\0{text}".encode())[:32]
    connection.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", (kind, key, text, seal))


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
