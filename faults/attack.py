"""One hostile file, and the command that meets it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faults.asks import Arguments, Write

Ask = Callable[[Path, Write], Arguments]


@dataclass(frozen=True, slots=True)
class Attack:
    """A hostile file and the command that meets it."""

    name: str
    named: str
    """What the refusal must name."""
    ask: Callable[[Path], Arguments]
    """Makes all of it in a folder; the command's arguments."""
    difference: Callable[[Path], str] | None = None
    """For what may be ignored: how the result differs from that without the file."""


def attack(name: str, named: str, ask: Ask, write: Write, difference: Callable[[Path], str] | None = None) -> Attack:
    return Attack(name, named, lambda folder: ask(folder, write), difference)


def canary_of(folder: Path) -> Path:
    """The file that code in a hostile file would make."""
    return folder / "canary"
