"""The figures of the data: all of it where it is small, a fair picture of it where it is large."""

import io
import re

import numpy as np
import pytest
import shapely
from matplotlib import image
from matplotlib.colors import LogNorm, to_rgba
from matplotlib.figure import Figure

from terrashot.domain.tables import Chips
from terrashot.plots import area_map as areas
from terrashot.plots.area_map import FILLS, area_map
from terrashot.plots.label_quantiles import MOST_POINTS, quantile_panel
from terrashot.plots.style import in_few_colours, rendered
from terrashot.plots.tsne import Layout, colour_scale, tsne_grid


def chips(side=40, *, places=True):
    """Left half train, right half test, one column of buffer between."""
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    lon, lat = 9 + 0.01 * x.ravel(), 45 + 0.01 * y.ravel()
    split = np.where(x.ravel() < side // 2, "train", np.where(x.ravel() == side // 2, "buffer", "test"))
    shapes = shapely.box(lon - 0.005, lat - 0.005, lon + 0.005, lat + 0.005)
    n = side * side
    return Chips(
        tuple(map(str, range(n))), ("all",) * n, (None,) * n, tuple(map(str, split)), shapes if places else None
    )


def test_a_small_area_is_drawn_chip_by_chip_with_degrees_on_both_axes():
    ax = area_map(chips()).axes[0]
    assert len(ax.collections[0].get_paths()) == 1600
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("longitude, degrees east", "latitude, degrees north")


def test_a_large_area_is_drawn_in_cells_of_the_commonest_split(monkeypatch):
    monkeypatch.setattr(areas, "MOST_DRAWN", 100)
    ax = area_map(chips()).axes[0]
    (picture,) = ax.images
    cells = np.asarray(picture.get_array())
    assert cells[0, 0] == pytest.approx(to_rgba(FILLS["train"])) and cells[-1, -1] == pytest.approx(
        to_rgba(FILLS["test"])
    )
    west, east, south, north = picture.get_extent()
    assert (west, south, north) == pytest.approx((9, 45, 45.39)) and east == pytest.approx(9.39)
    assert not (cells[..., 3] == 0).any(), "a covered area has no hole"


def test_cells_without_a_chip_stay_empty(monkeypatch):
    monkeypatch.setattr(areas, "MOST_DRAWN", 100)
    ring = chips().take(np.array([i for i in range(1600) if i // 40 in (0, 39) or i % 40 in (0, 39)]))
    cells = np.asarray(area_map(ring).axes[0].images[0].get_array())
    assert cells[len(cells) // 2, cells.shape[1] // 2, 3] == 0 and cells[0, 0, 3] == 1


def test_chips_without_a_place_are_counted():
    ax = area_map(chips(places=False)).axes[0]
    assert ax.get_xlabel() == "chips" and [bar.get_width() for bar in ax.patches] == [800, 0, 760, 40]


def test_a_long_column_of_labels_is_thinned_and_keeps_its_ends():
    values = np.random.default_rng(0).random(30_000)
    ax = Figure().subplots()
    quantile_panel(ax, {"a": values, "b": values[:30], "c": np.full(3, np.nan)}, {"a": 0.5})
    long, cut, short, none = ax.get_lines()
    assert len(long.get_xdata()) == MOST_POINTS and len(short.get_xdata()) == 30 and len(none.get_xdata()) == 0
    assert (long.get_ydata()[0], long.get_ydata()[-1]) == (values.min(), values.max())
    assert cut.get_xdata()[0] == pytest.approx((values <= 0.5).mean())


def test_the_colour_of_shares_and_of_wide_values_is_logarithmic_and_of_others_plain():
    share, tonnes = colour_scale(np.array([0, 0.2, np.nan])), colour_scale(np.array([0.0, 3000.0]))
    assert isinstance(share, LogNorm) and (share.vmin, share.vmax) == (1e-3, 1)
    assert isinstance(tonnes, LogNorm) and (tonnes.vmin, tonnes.vmax) == (3, 3000)
    for values in (np.array([-3.0, 20.0]), np.array([1990.0, 2020.0])):
        assert not isinstance(colour_scale(values), LogNorm)


def test_rows_are_tasks_and_columns_modalities_and_only_placed_chips_are_drawn():
    places = np.full((50, 2), np.nan, dtype=np.float32)
    places[:20] = np.random.default_rng(0).normal(size=(20, 2))
    values = np.linspace(0, 1, 50)
    values[:3] = np.nan
    layouts = {name: Layout(places, 50) for name in ("s2rgbm", "s1grdm")}
    classes = np.array(["a", "b", None, "c", None] * 10, dtype=object)
    figure = tsne_grid(layouts, {"cropland": values, "kind": classes})
    assert [ax.get_title() for ax in figure.axes[:2]] == ["optical (Sentinel-2)", "radar (Sentinel-1)"]
    assert [ax.get_ylabel() for ax in figure.axes[:4:2]] == ["cropland", "kind"]
    unknown, known = figure.axes[0].collections
    assert (len(unknown.get_offsets()), len(known.get_offsets())) == (3, 17)
    assert [len(own.get_offsets()) for own in figure.axes[2].collections] == [4, 4, 4]
    assert {ax.get_ylabel() for ax in figure.axes} >= {"cropland, share of the chip"}


def test_an_svg_holds_many_dots_as_one_picture():
    places = np.random.default_rng(0).normal(size=(20_000, 2)).astype(np.float32)
    picture = rendered(tsne_grid({"s2rgbm": Layout(places, 20_000)}, {"water": places[:, 0].astype(float)}), "svg")
    assert len(picture) < 400_000 and len(re.findall(b"<image", picture)) == 2


def test_few_colours_are_a_third_of_the_bytes_and_look_the_same():
    places = np.random.default_rng(0).normal(size=(3000, 2)).astype(np.float32)
    full = rendered(tsne_grid({"s2rgbm": Layout(places, 3000)}, {"water": np.abs(places[:, 0]).astype(float)}), "png")
    few = in_few_colours(full)
    assert len(few) < len(full) / 2.5
    left, right = (image.imread(io.BytesIO(png))[..., :3] for png in (full, few))
    assert np.abs(left - right).max() < 24 / 255
