"""Small file systems that fill up, run out of inodes, or turn read-only."""

import contextlib
import functools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


@functools.cache
def may_mount() -> bool:
    """This process may mount a file system in memory."""
    if os.getuid() != 0:
        return False
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        if _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder) != 0:
            return False
        return subprocess.run(["umount", folder], check=False).returncode == 0


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int, inodes: int = 0) -> Iterator[Path]:
    """A file system of this size at `folder`, gone afterwards; no limit of inodes with 0."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes},nr_inodes={inodes}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, options: str) -> None:
    """The file system at `folder` goes on with other options: `size=1g`, `ro`."""
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def used_bytes(folder: Path) -> int:
    """Bytes that a folder takes on a file system in memory: whole pages, and one a folder."""
    return sum(-(-path.stat().st_size // 4096) * 4096 if path.is_file() else 4096 for path in folder.rglob("*"))


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode
