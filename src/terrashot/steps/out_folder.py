"""The folder that a command on files writes into: free, or begun with the same inputs and not finished."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from terrashot.durable.files import LEFTOVER_SUFFIX, remove, sha256_of_file, sweep_leftovers, write_bytes
from terrashot.durable.lock import LOCK
from terrashot.errors import StorageError

INPUTS = "inputs.json"


@dataclass(frozen=True, slots=True)
class OutFolder:
    """Where the outcome goes, and all that it follows from."""

    path: Path
    read: Mapping[str, Path | None]
    """The files that are read, by role."""
    last: str
    """Name of the file that is written last: there, the folder is finished."""
    chosen: Mapping[str, str | None] = field(default_factory=dict)

    def refuse_if_taken(self) -> None:
        """Nothing, if the folder is free or holds unfinished work on the same inputs, which is then done again.

        Raises:
            StorageError: it holds anything else.
        """
        if not self.path.exists() or all(_is_of_a_dead_beginning(name.name) for name in self.path.iterdir()):
            return
        begun = self.path / INPUTS
        if begun.is_file() and begun.read_bytes() == self._text() and not (self.path / self.last).exists():
            return
        raise StorageError(f"{self.path} is not empty; name another folder, or add --overwrite")

    def begin(self) -> None:
        """The folder says what it is begun with, and that it is not finished."""
        sweep_leftovers(self.path)
        remove(self.path / self.last)
        write_bytes(self.path / INPUTS, self._text())

    @property
    def digests(self) -> dict[str, str]:
        """Digest of each file that is named and there, by its role.

        Worked out when asked for: a file that is refused for its size must not be read through first.
        """
        return {role: sha256_of_file(path) for role, path in self.read.items() if path is not None and path.is_file()}

    def _text(self) -> bytes:
        return json.dumps({**self.digests, **self.chosen}, indent=1, sort_keys=True).encode()


def _is_of_a_dead_beginning(name: str) -> bool:
    """Whether a process that died before it could say what it begins with has left the file."""
    return name == LOCK or (name.startswith(f".{INPUTS}.") and name.endswith(LEFTOVER_SUFFIX))
