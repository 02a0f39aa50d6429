"""The figures of the embeddings say what they show, how good the search is, and beside what."""

from dataclasses import replace

import numpy as np
from tests.report.simulated_report import content

from terrashot.domain.answers import Answers
from terrashot.plots.chip_plates import Plate
from terrashot.plots.located_chips import LocatedChips
from terrashot.plots.nearest_plates import Hit, Query, Search
from terrashot.plots.tsne import Layout
from terrashot.report.embedding_figures import embedding_figures
from terrashot.report.figures import write_figures
from terrashot.report.page import page

IMAGE = np.random.default_rng(0).random((1, 8, 8)).astype(np.float32)


def search(asking, among):
    hits = [Hit(IMAGE, 0.9 - 0.1 * i, i == 1 and asking != among) for i in range(5)]
    across = asking != among
    queries = [Query("north", IMAGE, hits, IMAGE if across else None, 2 if across else None)]
    return Search(asking, among, 400, queries, {1: 0.125, 5: 0.5, 10: 0.75} if across else {})


def full():
    base = content()
    layout = next(iter(base.layouts.values()))
    plates = tuple(Plate(f"c{i}", f"water 0.{i}", {"s2rgbm": IMAGE}) for i in (1, 9))
    return replace(
        base,
        components={name: replace(one, variance=(0.6, 0.2)) for name, one in base.layouts.items()},
        located=LocatedChips("s1grdm", layout, "water", base.labels.targets["water"], (1, 9), plates),
        searches=[search("s2rgbm", "s1grdm"), search("s1grdm", "s2rgbm"), search("s2rgbm", "gunw"), search("gunw", "s2rgbm"), search("gunw", "gunw")],
    )  # fmt: skip


def captions(shown):
    return {recipe.name: recipe.caption for recipe in embedding_figures(shown)}


def test_without_images_or_components_only_the_map_is_there():
    assert list(captions(content())) == ["tsne"]


def test_each_figure_stands_in_the_section_of_the_embeddings_and_the_first_ones_open(tmp_path):
    shown = replace(full(), points=(), dots=(), answers=Answers(), plates=(), metrics=())
    text = page(shown, write_figures(shown, tmp_path))
    own = text.partition('<section id="embeddings">')[2].partition("</section>")[0]
    names = ["tsne", "pca", "located", "nearest-1", "nearest-2", "nearest-within"]
    assert [name for name in names if f"figures/{name}.png" in own] == names
    recipes = {recipe.name: recipe for recipe in embedding_figures(shown)}
    assert [recipes[name].is_folded for name in names] == [False, True, False, False, True, True]


def test_the_caption_of_a_search_tells_recall_and_chance():
    said = captions(full())["nearest-1"]
    assert (
        "Of 400 test chips optical finds its own radar image among the 1, 5 or 10 most similar in 12.5 %, 50.0 %, 75.0 % of cases; "
        "guessing: 0.2 %, 1.2 %, 2.5 %." in said
    )
    assert "radar finds its own optical image" in said and "drawn at random" in said


def test_chips_that_came_later_are_counted():
    base = content()
    layouts = {name: Layout(one.places, 40, 7) for name, one in base.layouts.items()}
    assert "Up to 7 of the chips shown came after the map was made" in captions(replace(base, layouts=layouts))["tsne"]
    assert "came after" not in captions(base)["tsne"]
