"""The picture of the model tells its sizes, and no text lies on another, whatever the sizes."""

from dataclasses import replace
from itertools import combinations

import pytest
from tests.report.simulated_report import content

from terrashot.plots.model_diagram import ModelShape, TowerInput, model_diagram
from terrashot.plots.style import house_style, rendered
from terrashot.report.content import ReportContent
from terrashot.report.data_figures import of_training
from terrashot.report.figures import write_figures
from terrashot.report.page import page

INPUTS = (
    TowerInput("optical (Sentinel-2)", 3, 9),
    TowerInput("radar (Sentinel-1)", 9, 9),
    TowerInput("coherence (Sentinel-1 pairs)", 1, 40),
)
TINY = ModelShape(INPUTS, 64, 8, 64, 4, 2, 64, 637_633)
PAPER = ModelShape(INPUTS, 448, 16, 768, 12, 12, 768, 259_340_545)
SMALL = ModelShape(
    tuple(replace(seen, views=2, differences=True) for seen in INPUTS), 64, 8, 128, 4, 4, 128, 2_960_000, 3
)
LARGEST = ModelShape((TowerInput("x" * 64, 1, 1), *INPUTS * 5), 8192, 4, 16_384, 128, 1024, 65_536, 10**12)
SHAPES = {
    "tiny": TINY,
    "paper": PAPER,
    "small": SMALL,
    "two": ModelShape(INPUTS[:2], 448, 16, 192, 8, 3, 192, 7_000_000),
    "largest": LARGEST,
}


def texts_of(figure):
    return [text for axes in figure.axes for text in axes.texts]


def boxes_of(figure):
    figure.suptitle("simulated", x=0.995, ha="right", fontsize=8)
    rendered(figure, "png")
    renderer = figure.canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in (*texts_of(figure), *figure.texts)]


@pytest.mark.parametrize("name", SHAPES)
def test_no_text_lies_on_another_or_beyond_the_page(name):
    with house_style():
        figure = model_diagram(SHAPES[name])
        boxes = boxes_of(figure)
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    page_box = figure.bbox
    for box in boxes:
        assert page_box.x0 <= box.x0 and box.x1 <= page_box.x1
        assert page_box.y0 <= box.y0 and box.y1 <= page_box.y1


def test_it_tells_the_sizes_of_the_model():
    told = "\n".join(text.get_text() for text in texts_of(model_diagram(PAPER)))
    for words in ("448 × 448 px", "784 patches\nof 16 × 16 px", "12 layers of 768", "12 heads, 784 + 1 tokens", "259.3 million",
                  "768 dimensions", "1 of 3 to 9 channels", "1 of 9 channels", "1 of 1 to 40 channels", "mean over the 3 pairs"):  # fmt: skip
        assert words in told


def test_it_tells_how_towers_behind_a_stem_are_read_out_and_taught():
    told = "\n".join(text.get_text() for text in texts_of(model_diagram(SMALL)))
    for words in ("2 random channels", "2 of 9 channels\nor their differences", "3 convolutions,\ntransformer", "4 heads, 64 tokens",
                  "mean, spread,\ntwo layers", "256\n→ 128", "the 15 pairs\nof views", "contrastive\nloss"):  # fmt: skip
        assert words in told


def test_every_tower_has_a_row():
    for count in (2, 5, 16):
        shape = ModelShape(LARGEST.inputs[:count], 64, 8, 64, 4, 2, 64, 1)
        told = [text.get_text() for text in texts_of(model_diagram(shape))]
        assert sum("transformer" in text for text in told) == count


@pytest.mark.slow
def test_the_report_shows_it_in_pretraining_where_a_model_was_trained(tmp_path):
    without = content()
    shown = ReportContent(**{name: getattr(without, name) for name in without.__slots__} | {"model": TINY})
    figures = write_figures(shown, tmp_path)
    section = page(shown, figures).partition('<section id="pretraining">')[2].partition("</section>")[0]
    assert "<strong>The model.</strong>" in section and "<strong>Pretraining.</strong>" in section
    assert (tmp_path / "model.svg").is_file()
    assert "model" not in [recipe.name for recipe in of_training(without)]
