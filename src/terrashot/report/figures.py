"""The figures of a study, each as PNG and SVG."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from terrashot.durable.files import make_folder, write_bytes
from terrashot.plots.style import fix_layout, house_style, in_few_colours, rendered
from terrashot.report.content import ReportContent
from terrashot.report.data_figures import of_data, of_training
from terrashot.report.recipe import Recipe
from terrashot.report.result_figures import of_results


@dataclass(frozen=True, slots=True)
class Drawn:
    """One finished figure."""

    name: str
    section: str
    """Of the page."""
    title: str
    caption: str
    """How to read it; also the text for those who cannot see it."""
    png: bytes
    width_in: float
    is_folded: bool


def write_figures(content: ReportContent, folder: Path) -> list[Drawn]:
    """The figures, after `folder` holds each as PNG and SVG."""
    return write_recipes(_recipes(content), folder, is_simulated=content.simulated)


def write_recipes(recipes: Iterable[Recipe], folder: Path, *, is_simulated: bool) -> list[Drawn]:
    """These figures, after `folder` holds each as PNG and SVG."""
    make_folder(folder)
    with house_style():
        return [_drawn(recipe, folder, is_simulated=is_simulated) for recipe in recipes]


def _drawn(recipe: Recipe, folder: Path, *, is_simulated: bool) -> Drawn:
    figure = recipe.draw()
    if is_simulated:
        figure.suptitle("simulated", x=0.995, ha="right", fontsize=8, color="#777777")
    fix_layout(figure)
    png = rendered(figure, "png")
    write_bytes(folder / f"{recipe.name}.png", png)
    write_bytes(folder / f"{recipe.name}.svg", rendered(figure, "svg"))
    shown = png if recipe.is_photo else in_few_colours(png)
    width = float(figure.get_figwidth())
    return Drawn(recipe.name, recipe.section, recipe.title, recipe.caption, shown, width, recipe.is_folded)


def _recipes(content: ReportContent) -> Iterator[Recipe]:
    yield from of_results(content)
    yield from of_data(content)
    yield from of_training(content)
