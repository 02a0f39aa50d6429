"""Pictures of single chips: each image where its vector says, each with its words."""

import numpy as np
import pytest

from terrashot.plots.chip_plates import Plate, shrunk
from terrashot.plots.located_chips import LocatedChips, located_chips
from terrashot.plots.nearest_plates import FRAME, Hit, Query, Search, nearest_plates
from terrashot.plots.style import VERMILION, fix_layout, house_style, rendered
from terrashot.plots.tsne import Layout, tsne_grid

PLACES = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
UPPER, LOWER = int(PLACES[:, 1].argmax()), int(PLACES[:, 1].argmin())


def image(level=0.5, planes=1):
    return np.full((planes, 4, 4), level, np.float32) + np.arange(4, dtype=np.float32) / 10


def located(values=None, images=("s2rgbm", "s1grdm")):
    values = np.linspace(0, 1, 50) if values is None else values
    plates = tuple(Plate(name, f"vegetation {name}", {m: image() for m in images}) for name in ("low", "high"))
    return located_chips(LocatedChips("s1grdm", Layout(PLACES, 50), "vegetation", values, (LOWER, UPPER), plates))


def words(figure):
    return [text.get_text() for ax in figure.axes for text in [ax.title, ax._left_title, ax.xaxis.label, *ax.texts]] + [
        text.get_text() for text in figure.texts
    ]


def boxes(figure):
    """Where all words lie on the page, in pixels."""
    figure.canvas.draw()
    found = [t for ax in figure.axes for t in [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]]
    return {t.get_text(): t.get_window_extent() for t in [*found, *figure.texts] if t.get_text()}


def test_the_map_names_its_axes_and_its_modality_and_a_bar_the_unit():
    figure = located()
    on_map = figure.axes[0]
    assert (on_map.get_xlabel(), on_map.get_ylabel()) == ("t-SNE 1", "t-SNE 2")
    assert on_map.get_title() == "map of radar (Sentinel-1) embeddings"
    assert "tree cover, share of the chip" in words(figure)


def test_rings_lie_on_the_two_chips_and_the_upper_chip_has_the_upper_row():
    figure = located()
    rings = [line.get_xydata()[0] for line in figure.axes[0].get_lines()]
    np.testing.assert_allclose(rings, PLACES[[UPPER, LOWER]])
    titled = {ax._left_title.get_text(): ax.get_position().y0 for ax in figure.axes if ax._left_title.get_text()}
    assert titled["A: vegetation high"] > titled["B: vegetation low"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["A", "B"]


def test_each_chip_has_an_image_of_each_modality_and_absent_ones_say_so():
    figure = located(images=("s2rgbm", "s1grdm", "gunw"))
    assert sum(len(ax.images) for ax in figure.axes) == 6
    assert words(figure).count("radar\n(Sentinel-1)") == 1


def test_classes_have_names_and_room_for_them():
    few, many = (located(np.array([f"class {i % n}" for i in range(50)], dtype=object)) for n in (3, 40))
    assert len(few.axes[0].get_legend().get_texts()) == 3
    assert many.get_figheight() > few.get_figheight()
    many.canvas.draw()
    assert many.axes[0].get_legend().get_window_extent().y0 >= 0


@pytest.mark.parametrize("n_images", [1, 3])
def test_words_stay_on_the_page(n_images):
    figure = located(images=("s2rgbm", "s1grdm", "gunw")[:n_images])
    width, height = figure.canvas.get_width_height()
    for text, box in boxes(figure).items():
        assert 0 <= box.x0 <= box.x1 <= width and 0 <= box.y0 <= box.y1 <= height, text


def search(*, among="s1grdm", own=2, rank=3):
    hits = [Hit(image(), 0.9 - 0.1 * i, i == own) for i in range(5)]
    across = among != "s2rgbm"
    return Search("s2rgbm", among, 1845, [Query("north", image(planes=3), hits, image() if across else None, rank)])


def framed(figure):
    return [
        ax.get_xlabel()
        for ax in figure.axes
        if ax.spines["top"].get_visible() and ax.spines["top"].get_linewidth() == FRAME
    ]


def test_a_query_its_hits_in_order_and_its_own_image_stand_in_one_row():
    figure = nearest_plates([search()])
    row = sorted(figure.axes, key=lambda ax: ax.get_position().x0)
    assert [ax.get_xlabel() for ax in row] == [
        "north",
        "1: 0.900",
        "2: 0.800",
        "3: 0.700 (its own)",
        "4: 0.600",
        "5: 0.500",
        "comes 3rd",
    ]
    assert len({round(ax.get_position().y0, 6) for ax in row}) == 1
    assert {"query: optical", "most similar radar images of 1,845", "its own radar\nimage"} <= set(words(figure))


def test_its_own_image_is_framed_wherever_it_stands():
    assert framed(nearest_plates([search()])) == ["3: 0.700 (its own)", "comes 3rd"]
    assert framed(nearest_plates([search(own=None, rank=21)])) == ["comes 21st"]
    assert nearest_plates([search()]).axes[-1].spines["left"].get_edgecolor()[:3] == pytest.approx(
        tuple(int(VERMILION[i : i + 2], 16) / 255 for i in (1, 3, 5))
    )


@pytest.mark.parametrize(("rank", "said"), [(1, "1st"), (2, "2nd"), (11, "11th"), (113, "113th"), (1022, "1,022nd")])
def test_the_place_of_its_own_image_is_said_in_english(rank, said):
    assert f"comes {said}" in words(nearest_plates([search(own=None, rank=rank)]))


def test_a_search_within_one_modality_has_no_own_image():
    figure = nearest_plates([search(among="s2rgbm", own=None, rank=None)])
    assert len(figure.axes) == 6 and framed(figure) == []
    assert figure.get_figwidth() < nearest_plates([search()]).get_figwidth()


def test_words_of_several_searches_do_not_lie_on_each_other():
    figure = nearest_plates([search(), search()])
    figure.suptitle("simulated", x=0.995, ha="right", fontsize=8)
    fix_layout(figure)
    figure.canvas.draw()
    found = [text.get_window_extent() for text in figure.texts]
    found += [ax.xaxis.label.get_window_extent() for ax in figure.axes] + [ax.get_window_extent() for ax in figure.axes]
    # A frame of a word's own height is not asked for: half a pixel may be shared.
    overlapping = [
        (a, b) for i, a in enumerate(found) for b in found[i + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]  # fmt: skip
    assert overlapping == []


def test_pictures_of_chips_repeat_to_the_byte():
    with house_style():
        assert rendered(located(), "svg") == rendered(located(), "svg")
        assert rendered(nearest_plates([search()]), "svg") == rendered(nearest_plates([search()]), "svg")


def test_a_smaller_image_holds_the_means_of_squares_of_what_is_known():
    large = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert shrunk(large, 4) is not large and (shrunk(large, 4) == large).all()
    assert shrunk(large, 2).tolist() == [[[2.5, 4.5], [10.5, 12.5]]]
    large[0, 0, 0], large[0, 2:, 2:] = np.nan, np.nan
    np.testing.assert_array_equal(shrunk(large, 2), [[[np.float32(10 / 3), 4.5], [10.5, np.nan]]])
    assert shrunk(np.ones((3, 7, 7), np.float32), 3).shape == (3, 2, 2)


def test_a_scale_of_decades_is_labelled_in_plain_digits_on_every_bar():
    rows = tsne_grid({"s1grdm": Layout(PLACES, 50)}, {"vegetation": np.linspace(0, 1, 50)})
    for figure, axis in ((located(), "x"), (rows, "y")):
        figure.canvas.draw()
        bar = figure.axes[-1] if axis == "y" else next(ax for ax in figure.axes if "tree cover" in ax.get_xlabel())
        labels = [text.get_text() for text in getattr(bar, f"get_{axis}ticklabels")()]
        assert {"0.001", "0.01", "0.1", "1"} <= set(labels) and not any("$" in label for label in labels)
