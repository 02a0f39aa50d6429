"""What a figure is drawn from."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Recipe:
    """One figure to come."""

    name: str
    """Of its files."""
    section: str
    """Of the page."""
    title: str
    caption: str
    draw: Callable[[], Figure]
    is_folded: bool = False
    """Whether it waits behind its title until somebody asks."""
    is_photo: bool = False
    """Whether it needs more than 256 colours."""
