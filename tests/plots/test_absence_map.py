"""The map of what is absent: where, when and why, whatever the number of chips, modalities and reasons."""

import io
import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from matplotlib import image
from tests.simulated_presence import NO_PAIR, OK, UNREAD, optical, states_of

from terrashot.domain.presence_shares import presence_shares
from terrashot.domain.tables import Chips
from terrashot.plots import presence_panel as panel
from terrashot.plots.absence_bars import COLOURS, MOST_BARS, MOST_REASONS
from terrashot.plots.absence_map import absence_map
from terrashot.plots.style import house_style, rendered

MONTHS_OF_CHIPS = ["oo", "oc", "cc", "fo"] * 25


def chips(n=100, areas=("all",)):
    lon, lat = 8 + np.arange(n) % 10 * 0.01, 50 + np.arange(n) // 10 * 0.01
    boxes = shapely.box(lon - 0.005, lat - 0.005, lon + 0.005, lat + 0.005)
    names = tuple(areas[number % len(areas)] for number in range(n))
    return Chips(tuple(f"c{i}" for i in range(n)), names, (None,) * n, ("train",) * n, boxes, lon, lat)


def shares(of=None, rows=()):
    of = of or chips()
    return presence_shares(states_of([*optical(*MONTHS_OF_CHIPS), *rows]), of.area)


def texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_each_chip_is_coloured_by_its_share_and_black_where_it_has_nothing():
    where = absence_map(shares(), 0, chips()).axes[0]
    colours = where.collections[0].get_facecolors()
    light = colours[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert light[0] > light[1] > light[2] and tuple(colours[2]) == (0, 0, 0, 1)
    assert (where.get_xlabel(), where.get_ylabel()) == ("longitude, degrees east", "latitude, degrees north")


def test_bars_are_shares_of_chips_by_month_and_reason():
    figure = absence_map(shares(), 0, chips())
    bars = figure.axes[1]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["2020-01", "2020-02"]
    assert [bar.get_width() for bar in bars.patches] == pytest.approx([25, 50, 25, 0])
    assert bars.get_xlabel() == "share of chips, %"
    assert texts(figure) == ["all clouded (empty)", "failed to read", "on the map: something failed to read"]


def test_a_modality_that_lacks_nothing_has_no_column():
    whole = [(chip, "gunw", "coherence", OK) for chip in range(100)]
    lacking = [*whole[:99], (99, "gunw", None, NO_PAIR)]
    titles = [
        [ax.get_title() for ax in absence_map(shares(rows=rows), 0, chips()).axes if ax.get_title()]
        for rows in (whole, lacking)
    ]
    assert titles == [
        ["all\noptical (Sentinel-2)"], ["all\noptical (Sentinel-2)", "all\ncoherence (Sentinel-1 pairs)"]
    ]  # fmt: skip


def test_chips_without_a_place_have_bars_and_no_map():
    figure = absence_map(shares(), 0, replace(chips(), footprint=None, lon_deg=None, lat_deg=None))
    (bars,) = figure.axes
    assert bars.get_title() == "all\noptical (Sentinel-2)" and "on the map" not in " ".join(texts(figure))


def test_many_chips_are_drawn_in_cells_of_the_mean_of_theirs(monkeypatch):
    monkeypatch.setattr(panel, "MOST_DRAWN", 10)
    (picture,) = absence_map(shares(), 0, chips()).axes[0].images
    cells = np.asarray(picture.get_array())
    assert cells.shape[0] * cells.shape[1] < 100 and not (cells[..., 3] == 0).any()


def test_failures_that_lie_close_together_bear_one_mark(monkeypatch):
    everywhere = [(chip, "s1grdm", "2020-01", UNREAD) for chip in range(100)]
    assert len(absence_map(shares(rows=everywhere), 0, chips()).axes[2].lines[0].get_xdata()) == 100
    monkeypatch.setattr(panel, "MARKS_A_SIDE", 3)
    assert len(absence_map(shares(rows=everywhere), 0, chips()).axes[2].lines[0].get_xdata()) <= 16


def test_only_the_chips_of_the_area_are_drawn():
    two = chips(areas=("north", "south"))
    figure = absence_map(shares(two), 1, two)
    assert len(figure.axes[0].collections[0].get_paths()) == 50 and figure.axes[0].get_title().startswith("south")


def test_rare_reasons_are_drawn_as_one_of_their_status():
    rows = [(chip, "s1grdm", "2020-01", ("missing", f"reason {chip % 20}")) for chip in range(100)]
    figure = absence_map(shares(rows=rows), 0, chips())
    assert len(texts(figure)) == MOST_REASONS + 2 and "other reasons (missing)" in texts(figure)
    assert sum(bar.get_width() for bar in figure.axes[3].patches) == pytest.approx(100)


def test_of_many_kinds_those_that_lack_most_are_drawn_and_it_says_so():
    rows = [(chip, "s1grdm", f"band{kind}", NO_PAIR if chip < kind else OK) for chip in range(40) for kind in range(30)]
    bars = absence_map(shares(rows=rows), 0, chips()).axes[3]
    assert len(bars.get_yticklabels()) == MOST_BARS and bars.get_ylabel() == "those 24 of 30 that lack most"
    assert bars.get_yticklabels()[0].get_text() == "band6"


@pytest.mark.parametrize("n_more", [0, 3])
def test_any_number_of_modalities_is_drawn_and_no_panel_lies_on_another(n_more):
    rows = [(chip, f"other{number}", "c1", NO_PAIR) for number in range(n_more) for chip in range(100)]
    with house_style():
        figure = absence_map(shares(rows=rows), 0, chips())
        picture = rendered(figure, "png")
    assert image.imread(io.BytesIO(picture)).std() > 0.05
    boxes = [ax.get_window_extent() for ax in figure.axes]
    assert not any(a.overlaps(b) for number, a in enumerate(boxes) for b in boxes[:number])


def test_statuses_and_shares_grow_steadily_lighter_so_that_grey_tells_as_much():
    weights = [0.2126, 0.7152, 0.0722]
    assert (np.diff(panel.shades().to_rgba(np.linspace(0, 1, 64))[:, :3] @ weights) > 0).all()
    empty, missing, failed = (np.dot(mpl.colors.to_rgb(colour), weights) for colour in COLOURS.values())
    assert empty - missing > 0.3 and missing - failed > 0.3


def test_the_same_map_gives_the_same_bytes_and_an_svg_holds_its_chips_as_one_picture():
    with house_style():
        first, again = (rendered(absence_map(shares(), 0, chips()), "svg") for _ in range(2))
    assert first == again and len(re.findall(b"<image", first)) <= 2 and len(first) < 400_000
