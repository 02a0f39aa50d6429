"""The report is one page that asks for nothing, escapes everything, and says what it must."""

from html.parser import HTMLParser

import numpy as np
import pytest
import shapely

from terrashot.domain.results import Result, dots, summarize
from terrashot.domain.tables import Chips, Labels
from terrashot.evaluate.verdict import verdicts
from terrashot.plots.chip_plates import Plate
from terrashot.report.content import ReportContent
from terrashot.report.figures import write_figures
from terrashot.report.page import page

HOSTILE = "<script>alert(1)</script>"


def results(task="water", areas=("north",), features=("s2rgbm", "modsconcat", "image_stats", "majority")):
    rng = np.random.default_rng(0)
    level = {"s2rgbm": 0.7, "modsconcat": 0.8, "image_stats": 0.75, "majority": 0.5}
    return [
        Result(task, area, area, "bands", name, head, asked, asked or 400, repeat, 1, 90, 0.1, 0.5,
               level[name] + 0.05 * np.log10(asked or 400) / 3 + 0.01 * rng.normal(), 0.7, None, None, None, None, None)
        for area in areas for name in features for head in ("forest", "logistic") for asked in (10, 250, None) for repeat in range(3)
    ]  # fmt: skip


def content(rows=None, *, n=40, area="north", simulated=True, places=True, classes=False):
    rows = rows if rows is not None else results(areas=(area,))
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(9, 9.2, n), rng.uniform(45, 45.2, n)
    shapes = np.array([shapely.box(x, y, x + 0.01, y + 0.01) for x, y in zip(lon, lat, strict=True)], dtype=object)
    split = tuple(("train", "val", "test", "buffer")[i % 4] for i in range(n))
    chips = Chips(
        tuple(f"c{i}" for i in range(n)), (area,) * n, (None,) * n, split, shapes if places else None, lon, lat
    )
    values = (
        np.array([("wet", "dry", HOSTILE)[i % 3] for i in range(n)], dtype=object) if classes else rng.random(n) ** 4
    )
    points = summarize(rows)
    return ReportContent(
        title="demo", simulated=simulated, chips=chips, labels=Labels(chips.ids, {"water": values}),
        cuts={("water", area): None if classes else 0.1}, points=points, dots=dots(points), verdicts=verdicts(points, rows),
        layouts={"s2rgbm": rng.normal(size=(n, 2)).astype(np.float32)},
        metrics=[{"epoch": i, "train_loss": 4.0 - i, "val_loss": 4.1 - i, "temperature": 0.07, "recall": {"a>b": {"1": 0.1, "5": 0.2, "10": 0.3, "n": 50}}} for i in range(3)],
        best_epoch=2, plates=[Plate("c0", "north", {"s2rgbm": rng.random((3, 8, 8)).astype(np.float32), "gunw": None})],
        absent=[("gunw", "missing", "no pair", 4)], facts={"seed": "0"}, notes=["something was left out"],
    )  # fmt: skip


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(text):
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    return parser


def test_the_page_is_well_formed_and_holds_every_figure(tmp_path):
    figures = write_figures(content(), tmp_path)
    text = page(content(), figures)
    assert parsed(text).tags.count("img") == len(figures) == 7
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".svg"}
    assert "script" not in parsed(text).tags


def test_a_simulated_study_says_so_in_title_banner_and_a_real_one_does_not(tmp_path):
    figures = write_figures(content(), tmp_path)
    assert "demo (simulated)" in page(content(), figures)
    assert "<strong>Simulated.</strong>" in page(content(), figures)
    assert "imulated" not in page(content(simulated=False), figures).partition("</style>")[2]


def test_names_from_users_are_shown_as_text(tmp_path):
    rows = results(task=HOSTILE, areas=(HOSTILE,))
    hostile = content(rows, area=HOSTILE, classes=True)
    text = page(hostile, write_figures(hostile, tmp_path))
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    parsed(text)


def test_a_loss_to_a_floor_is_said_plainly(tmp_path):
    losing = [row for row in results() if row.features != "modsconcat"]
    text = page(content(losing), [])
    assert 'class="loses">loses to it' in text
    assert "loses to it in 1" in text


@pytest.mark.parametrize("places", [True, False])
def test_the_same_content_gives_the_same_bytes(tmp_path, places):
    for folder in ("a", "b"):
        write_figures(content(places=places), tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
