"""terrashot: from an outline on a map to an honest curve of accuracy against number of labels."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terrashot.steps.from_python import fewshot

__version__ = "0.1.0"
__all__ = ["__version__", "fewshot"]


def __getattr__(name: str) -> object:
    """`fewshot`, imported when it is first asked for: the command line starts without numpy."""
    if name == "fewshot":
        from terrashot.steps.from_python import fewshot

        return fewshot
    raise AttributeError(f"module 'terrashot' has no attribute '{name}'")
