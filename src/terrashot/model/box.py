"""Models that come with the package, by name."""

from importlib.resources import files
from pathlib import Path

from terrashot.model.checkpoint import CARD

BOX = "terrashot.model.boxed"


def boxed_models() -> tuple[str, ...]:
    """Names of the models in the box."""
    return tuple(sorted(folder.name for folder in Path(str(files(BOX))).iterdir() if (folder / CARD).is_file()))


def model_folder(given: Path) -> Path:
    """The folder that is named: a folder on disk, else the model of this name in the box, else as it was given."""
    is_name = str(given) == given.name and given.name in boxed_models()
    return Path(str(files(BOX))) / given.name if is_name and not given.exists() else given
