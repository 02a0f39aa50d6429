"""Takes coastlines into the wheel while it is built, where npm is at hand; without them the wheel is whole all the same.

They lie in a package of their own, `terrashot_coastlines`, beside an installed and an editable terrashot alike.
Source: Natural Earth 1:50 million (public domain) as TopoJSON in `world-atlas` of npm (ISC).
"""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "world-atlas@2.0.2"
SHA256 = {
    "land-50m.json": "619477ff690c086885e45cb91707d783805561bd75ae8e437b7d4694b0204e0f",
    "LICENSE": "8048290dfdb6e83fbed17e8985c8cfc4ce9da9b842642f3d3e497280790cfa31",
}
MOST_S = 60
"""A build waits no longer for npm."""


class Coastlines(BuildHookInterface):
    """Adds the land of the Earth to the files of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetches them; says so and goes on where that cannot be done."""
        self.folder = Path(tempfile.mkdtemp(prefix="coastlines-"))
        try:
            files = fetched(self.folder)
        except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, ValueError) as error:
            self.app.display_warning(f"built without coastlines, maps will show outlines alone: {error}")
            return
        wanted = {str(path): f"terrashot_coastlines/{path.name}" for path in files}
        build_data["force_include"].update(wanted)
        if version == "editable":
            build_data["force_include_editable"].update(wanted)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leaves nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)


def fetched(folder: Path) -> list[Path]:
    """The files of the npm package that the wheel carries, each as its digest says.

    Raises:
        FileNotFoundError: there is no npm.
        subprocess.SubprocessError: npm failed, or took too long.
        ValueError: a file is not the one that was looked at when this was written.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    command = [npm, "pack", PACKAGE, "--silent", "--ignore-scripts", "--fetch-retries=0"]
    subprocess.run(command, cwd=folder, check=True, timeout=MOST_S, stdout=subprocess.DEVNULL)
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as archive:
        return [_checked(archive, name, folder) for name in SHA256]


def _checked(archive: tarfile.TarFile, name: str, folder: Path) -> Path:
    member = archive.extractfile(f"package/{name}")
    content = member.read() if member else b""
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise ValueError(f"{name} of {PACKAGE} is not the file whose digest is known")
    path = folder / name
    path.write_bytes(content)
    return path
