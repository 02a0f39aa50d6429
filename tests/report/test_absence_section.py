"""The page's section on what absences cost: sentences, means, every number; nothing where it was not measured."""

import pytest
from tests.report.simulated_report import content
from tests.simulated_absence import absence_report

from terrashot.domain.absence_scores import AbsenceReport
from terrashot.report.absence import absence_figures, missing_data
from terrashot.report.page import page
from terrashot.report.result_figures import of_results

TWO = ("north", "south")


@pytest.fixture(scope="module")
def text():
    return missing_data(content(absence=absence_report(("water", "cropland"), TWO)))


def cells(text, first):
    """Cells of the first row that begins with a text."""
    row = text.partition(f"<tr><td>{first}</td>")[2].partition("</tr>")[0]
    return [cell.partition(">")[2] for cell in row.replace("</td>", "").split("<td")[1:]]


def test_means_over_tasks_and_areas_stand_beside_nothing_left_out(text):
    assert cells(text, "s1grdm") == ["–", "-8.0", "-16.0", "-25.0", "-4.0", "0.920", "22 %", "52 %"]
    assert cells(text, "nothing") == ["+0.0", "–", "–", "–", "–", "1.000", "30 %", "60 %"]
    assert cells(text, "2020-01_red")[0] == "-0.1"


def test_sentences_and_notes_come_first_and_every_number_waits_folded(text):
    assert (
        text.index("something was sampled") < text.index("without s1grdm, on average over 4 tasks") < text.index("<h3>")
    )
    folded = text.partition("All of them by task and area")[2]
    assert "-8.0 (-9.5 to -6.5)" in folded and "0.720 (0.680 to 0.750)" in folded and "2020-01_red" not in folded


def test_each_area_has_a_figure_and_the_page_shows_the_section():
    shown = content(areas=TWO, absence=absence_report(("water",), TWO))
    recipes = [one for one in of_results(shown) if one.section == "missing"]
    assert [(one.name, one.title, one.is_folded) for one in recipes] == [
        ("missing-1", "What absences cost in north", False), ("missing-2", "What absences cost in south", True),
    ]  # fmt: skip
    assert [ax.get_title() for ax in recipes[1].draw().axes] == ["water"]
    assert '<section id="missing"><h2>What absences cost</h2>' in page(shown, [])


def test_without_a_report_there_is_no_section():
    for absence in (None, AbsenceReport(())):
        bare = content(absence=absence)
        assert missing_data(bare) == "" and list(absence_figures(())) == []
        assert 'id="missing"' not in page(bare, [])


def test_names_are_shown_as_text():
    hostile = absence_report(("<b>water</b>",), ("<i>north</i>",))
    text = missing_data(content(absence=hostile))
    assert "<b>water" not in text and "<i>" not in text and "&lt;b&gt;water" in text
