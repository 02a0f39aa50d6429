"""`ID.skipped` beside images: why a chip has none, as sartiles and `terrashot import` leave it."""

from pathlib import Path
from typing import Final

SKIPPED: Final = ".skipped"
REASON_BYTES: Final = 1000


def skipped_reason(path: Path) -> str:
    """One line of a `.skipped` file, without what no terminal shows."""
    with path.open("rb") as file:
        text = file.read(REASON_BYTES).decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200] or "skipped"
