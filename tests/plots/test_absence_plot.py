"""The picture of what absences cost shows each change in points where its row says."""

import pytest
from tests.simulated_absence import absence_report

from terrashot.plots.absence import MARKS, absence_dots, lines_of
from terrashot.plots.style import house_style

SCORES = absence_report(("water", "cropland")).scores


def drawn(scores=SCORES):
    with house_style():
        return absence_dots(scores)


def marks(ax, key):
    """Change by row of the markers of one answer and strategy."""
    found = [line for line in ax.get_lines() if line.get_label() == MARKS[key].label]
    names = [text.get_text() for text in ax.get_yticklabels()]
    return {names[round(y)]: x for line in found for x, y in zip(*line.get_data(), strict=True)}


def test_rows_stand_under_headings_the_costliest_first_and_months_in_order():
    lines = lines_of(SCORES)
    assert [line.case for line in lines if not line.left_out] == ["modalities", "kinds of channel", "months", "pairs"]
    names = [line.left_out for line in lines if line.left_out]
    assert names[:4] == ["s2rgbm, s1grdm", "s1grdm", "s2rgbm", "gunw"]
    assert names[4:] == ["vv, vv-vh", "red", "2020-01", "2020-02", "half of gunw"]


def test_each_panel_is_a_task_and_says_measure_unit_and_labels():
    figure = drawn()
    assert [ax.get_title() for ax in figure.axes] == ["water", "cropland"]
    assert {ax.get_xlabel() for ax in figure.axes} == {"change of accuracy, points\n(250 labels)"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [mark.label for mark in MARKS.values()]


def test_a_marker_is_the_change_in_points_and_its_line_the_interval():
    ax = drawn().axes[0]
    assert marks(ax, ("met", "ridge")) == pytest.approx(
        {"s2rgbm": -2, "s1grdm": -8, "gunw": -1, "s2rgbm + s1grdm": -15}
    )
    assert marks(ax, ("met", "training-mean"))["s1grdm"] == pytest.approx(-16)
    assert marks(ax, ("learnt", ""))["s1grdm"] == pytest.approx(-4)
    assert marks(ax, ("met", "rest"))["half of gunw"] == 0
    ends = [
        tuple(line.get_xdata()) for line in ax.get_lines() if len(line.get_xdata()) == 2 and line.get_ydata()[0] != 0
    ]
    assert any(pair == pytest.approx((-9.5, -6.5)) for pair in ends)


def test_dropped_chips_and_single_channels_are_left_to_the_table():
    ax = drawn().axes[0]
    assert "2020-01_red" not in [text.get_text() for text in ax.get_yticklabels()]
    assert min(x for line in ax.get_lines() for x in line.get_xdata()) > -100 * 0.32


def test_markers_of_a_row_never_hide_each_other():
    ax = drawn().axes[0]
    places = [
        (x, y)
        for key in MARKS
        for line in ax.get_lines()
        if line.get_label() == MARKS[key].label
        for x, y in zip(*line.get_data(), strict=True)
    ]
    assert len({round(y, 6) for _, y in places}) == len(places)


def test_panels_of_one_measure_share_their_scale_and_others_keep_their_own():
    scores = absence_report(("water", "height"), r2=("height",)).scores
    axes = drawn(scores).axes
    assert [ax.get_xlabel().split(",")[0] for ax in axes] == ["change of accuracy", "change of R2"]
    same = drawn().axes
    assert same[0].get_xlim() == same[1].get_xlim()


def test_many_tasks_wrap_and_without_intervals_there_are_no_lines():
    scores = absence_report(tuple("abcdef"), sizes=(None,)).scores
    figure = drawn(scores)
    assert [ax.get_visible() for ax in figure.axes] == [True] * 6 + [False] * 2
    assert "(400 labels)" in figure.axes[0].get_xlabel()
