"""The section of the study file that says how accuracy against number of labels is measured."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from terrashot.scene_sections import Section

HeadName = Literal["forest", "extra_trees", "logistic", "ridge", "knn", "prototype", "svm", "boosted", "mlp"]
Trees = Annotated[int, Field(ge=1, le=10_000)]
Depth = Annotated[int, Field(ge=1, le=16)]


class FewshotSection(Section):
    """Accuracy against number of labels."""

    sizes: tuple[Annotated[int, Field(ge=1)], ...] = (5, 10, 100, 250, 500, 1000, 5000, 20000)
    """Numbers of labelled chips to try; the full training set always comes last. Sizes an area lacks are cut."""
    repeats: int = Field(10, ge=1, le=10_000)
    """Fresh draws of each size."""
    most_repeats: int = Field(40, ge=1, le=10_000)
    """From 100 labels on, draws are added up to so many, until the draws alone leave a mean uncertain by under 2 points."""
    heads: tuple[HeadName, ...] = ("forest", "logistic")
    """Supervised heads; `forest` is the paper's."""
    trees: Trees | tuple[Trees, ...] = 50
    """Trees of a forest; of several numbers the best on validation chips, by task, area and feature set."""
    depth: Depth | tuple[Depth, ...] = 7
    """Depth of a tree; several as above."""
    pooled: bool = False
    """Also the chips of all areas together, as one more area; a numeric label is then cut once for all."""
    leakage: bool = True
    """Also compare training chips from elsewhere with training chips beside the test chips, on the same test chips."""
    transfer: bool = True
    """Also train in each area and test in each other (where there are several)."""

    @property
    def all_trees(self) -> tuple[int, ...]:
        """`trees` as numbers to choose among."""
        return (self.trees,) if isinstance(self.trees, int) else self.trees

    @property
    def all_depths(self) -> tuple[int, ...]:
        """`depth` as numbers to choose among."""
        return (self.depth,) if isinstance(self.depth, int) else self.depth

    @model_validator(mode="after")
    def _lists_hold_something(self) -> "FewshotSection":
        if not self.sizes or list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError("sizes must be growing numbers, at least one")
        if not self.heads or len(set(self.heads)) != len(self.heads):
            raise ValueError("heads must name at least one head, each once")
        if not self.all_trees or not self.all_depths:
            raise ValueError("trees and depth must hold at least one number")
        return self
