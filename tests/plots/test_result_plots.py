"""The figures of results show the numbers that they are given, with a name and a unit on every axis."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.report.simulated_report import answers, results

from terrashot.domain.results import dots, summarize
from terrashot.plots.curves import LOWEST_R2, RING, accuracy_curves
from terrashot.plots.forecast import forecast_dots
from terrashot.plots.leakage import leakage_dots, scheme_title
from terrashot.plots.transfer import common_budget, transfer_matrices

AREAS = ("north", "south", "east")
POINTS = summarize(results(("water", "cropland"), AREAS, sizes=(10, 100, 250, None)))
ANSWERS = answers(POINTS)
MEASURES = {"water": "accuracy", "cropland": "accuracy"}


def line(ax, name):
    return next(found for found in ax.get_lines() if found.get_label() == name)


def test_rows_are_tasks_columns_areas_lines_feature_sets():
    figure = accuracy_curves(POINTS, dots(POINTS), "forest")
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == [f"{task}, {area}" for task in ("water", "cropland") for area in AREAS]
    own = [p for p in POINTS if (p.task, p.area, p.head, p.features) == ("cropland", "north", "forest", "s2rgbm")]
    np.testing.assert_array_equal(line(figure.axes[3], "s2rgbm").get_ydata(), [p.score for p in own])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["s2rgbm", "modsconcat", "floor: image_stats", "floor: majority", RING]


def test_a_band_is_the_interval_and_without_one_the_spread_over_draws():
    own = [p for p in POINTS if (p.task, p.area, p.head) == ("water", "north", "forest")]
    for points, half in ((own, None), ([replace(p, low=p.score - 0.2, high=p.score + 0.2) for p in own], 0.2)):
        figure = accuracy_curves(points, [], "forest")
        first = next(p for p in points if p.features == "s2rgbm")
        edges = figure.axes[0].collections[0].get_paths()[0].vertices
        at_first = edges[np.isclose(edges[:, 0], first.n_labels), 1]
        assert np.ptp(at_first) == pytest.approx(2 * (half or first.score_sd))


def test_the_axis_says_the_measure_and_a_hopeless_r2_does_not_flatten_the_rest():
    rows = results(("height",), ("north", "south"), r2=("height",), heads=("forest",))
    rows = [replace(row, r2=-40.0 if row.n_labels == 10 else 0.3 if row.area == "north" else row.r2) for row in rows]
    figure = accuracy_curves(summarize(rows), [], "forest")
    assert [(ax.get_ylabel(), ax.get_xlabel()) for ax in figure.axes] == [
        ("R2", "labelled chips"),
        ("", "labelled chips"),
    ]
    best = max(row.r2 for row in rows)
    for ax in figure.axes:
        assert ax.get_ylim()[0] == LOWEST_R2 and ax.get_ylim()[1] > best > 0.5, "the best area is not cut off"
    assert accuracy_curves(POINTS, [], "forest").axes[0].get_ylabel() == "accuracy"


def test_numbers_on_the_axis_of_labels_never_lie_on_each_other():
    points = summarize(results(areas=AREAS, sizes=(5, 10, 100, 250, 500, 1000, 5000, 20_000, None), full=100_000))
    figure = accuracy_curves(points, [], "forest")
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels() if label.get_text()]
    assert len(boxes) >= 7
    assert not [left for left, right in pairwise(boxes) if left.x1 > right.x0]


def test_a_ring_marks_the_dot_of_each_embedding_alone():
    found = dots(POINTS)
    ax = accuracy_curves(POINTS, found, "forest").axes[0]
    ringed = sorted(n for ring in ax.get_lines() if ring.get_label() == RING for n in ring.get_xdata())
    own = [
        d.n_labels
        for d in found
        if (d.task, d.area, d.head) == ("water", "north", "forest") and d.features in ("s2rgbm", "modsconcat")
    ]
    assert ringed == sorted(own)


def test_leakage_shows_each_scheme_at_the_largest_number_of_labels_with_the_range_beside_it():
    figure = leakage_dots(ANSWERS.leakage, ANSWERS.ranges, MEASURES, AREAS)
    ax = figure.axes[1]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [
        "random chips",
        "bands",
        "bands, adjoining",
        "other areas",
    ]
    assert ax.get_xlabel() == "accuracy with 250 labels" and "alike within 12.4 km" in ax.get_title()
    np.testing.assert_allclose(line(ax, "modsconcat").get_xdata(), [0.86, 0.8, 0.82, 0.71])
    assert scheme_title("groups_adjoining") == "groups, adjoining"


def test_transfer_puts_training_areas_in_rows_and_test_areas_in_columns():
    moved = ANSWERS.transfer
    assert common_budget(moved) == 250
    figure = transfer_matrices(moved, MEASURES, "modsconcat")
    table = np.asarray(figure.axes[0].images[0].get_array())
    found = {
        (row.train_area, row.area): row.score
        for row in moved
        if (row.task, row.features, row.n_labels) == ("water", "modsconcat", 250)
    }
    assert table.shape == (3, 3)
    for (train, test), score in found.items():
        assert table[AREAS.index(train), AREAS.index(test)] == score


def test_labels_that_were_not_tried_stay_empty():
    some = [row for row in ANSWERS.transfer if (row.train_area, row.area) != ("north", "east")]
    table = np.asarray(transfer_matrices(some, MEASURES, "modsconcat").axes[0].images[0].get_array())
    assert np.isnan(table).sum() == 1 and np.isnan(table[0, 2])


def test_a_forecast_has_its_interval_and_one_that_never_arrives_says_so():
    figure = forecast_dots(ANSWERS.forecasts)
    ax = figure.axes[0]
    assert ax.get_xlabel() == "labelled chips" and ax.get_yticklabels()[0].get_text() == "water, north → 0.85"
    ends = [tuple(found.get_xdata()) for found in ax.get_lines() if len(found.get_xdata()) == 2]
    assert ends[0] == (900, 5200) and ends[1][0] == 900 < 5200 < ends[1][1]
    assert [text.get_text().strip() for text in ax.texts] == ["not expected"] * 6
