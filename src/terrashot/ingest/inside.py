"""Nothing that a chip folder names may lie elsewhere: a folder from a stranger could show any file of the reader's disk."""

import os
from pathlib import Path

from terrashot.errors import InputError


def refuse_outside(path: Path, folder: Path) -> None:
    """Nothing, if a file of a chip folder lies in it once every link is followed; the folder itself may be a link.

    Raises:
        InputError: it lies elsewhere.
    """
    # Not Path.resolve, which raises at a loop of links: that is no file, and said so where it is read.
    real, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    if not real.is_relative_to(root):
        raise InputError(
            f"{path}: leads out of the chip folder, to {real}; copy the file there, or keep all files where it leads "
            "and make the whole folder a link"
        )
