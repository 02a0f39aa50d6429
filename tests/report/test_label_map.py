"""The picture of a label map: drawn for any number of classes and areas, with and without places."""

import io
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from matplotlib import image

from terrashot.domain.tables import Chips
from terrashot.plots import label_map as module
from terrashot.plots.label_map import MapLayers, label_map
from terrashot.plots.style import house_style, rendered


def chips(n=100, areas=("all",)) -> Chips:
    lon, lat = 8 + np.arange(n) % 10 * 0.01, 50 + np.arange(n) // 10 * 0.01
    boxes = shapely.box(lon - 0.005, lat - 0.005, lon + 0.005, lat + 0.005)
    nothing = (None,) * n
    return Chips(
        tuple(f"c{i}" for i in range(n)),
        tuple(areas[i % len(areas)] for i in range(n)),
        nothing,
        nothing,
        boxes,
        lon,
        lat,
    )


def layers(n=100, classes=("dry", "wet")) -> MapLayers:
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(len(classes)), n).astype(np.float32)
    probability[3] = np.nan
    distance = rng.random(n).astype(np.float32)
    distance[3] = np.nan
    return MapLayers(
        "flooded",
        classes,
        probability,
        distance,
        0.7,
        np.where(np.arange(n) % 9 == 0, np.arange(n) // 9 % len(classes), -1),
    )


def titles(figure):
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def test_probability_and_distance_stand_side_by_side_with_their_axes_named():
    figure = label_map(chips(), layers())
    assert titles(figure) == ["flooded: probability of 'wet'", "distance to 12 labelled chips"]
    assert {ax.get_xlabel() for ax in figure.axes[:2]} == {"longitude, degrees east"}
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {
        "labelled 'wet'",
        "labelled 'dry'",
        "no vector",
    }


def test_each_area_has_its_row_and_those_left_out_are_counted(monkeypatch):
    assert len(titles(label_map(chips(areas=("a", "b")), layers()))) == 4
    monkeypatch.setattr(module, "MOST_AREAS", 2)
    figure = label_map(chips(areas=("a", "b", "c")), layers())
    assert len(titles(figure)) == 4 and "1 more areas are in the table" in figure.legends[0].get_texts()[-1].get_text()


@pytest.mark.parametrize("classes", [("dry", "wet"), ("a", "b", "c"), tuple("abcdefghijkl")])
@pytest.mark.parametrize("most_drawn", [60_000, 10])
def test_any_number_of_classes_and_of_chips_is_drawn(monkeypatch, classes, most_drawn):
    monkeypatch.setattr(module, "MOST_DRAWN", most_drawn)
    with house_style():
        picture = rendered(label_map(chips(), layers(classes=classes)), "png")
    assert image.imread(io.BytesIO(picture)).std() > 0.05


def test_chips_without_places_are_shown_as_histograms():
    bare = replace(chips(), footprint=None, lon_deg=None, lat_deg=None)
    assert titles(label_map(bare, layers())) == ["flooded: probability of 'wet'", "distance to the labelled chips"]


def test_shades_grow_steadily_lighter_so_that_grey_tells_as_much():
    colours = mpl.colormaps["cividis"](np.linspace(0, 1, 64))[:, :3]
    light = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > 0).all()


def test_the_same_map_gives_the_same_bytes():
    with house_style():
        assert rendered(label_map(chips(), layers()), "png") == rendered(label_map(chips(), layers()), "png")
