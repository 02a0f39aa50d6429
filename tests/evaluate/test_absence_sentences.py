"""Sentences on absences name what costs most, with numbers and intervals, and claim no loss that is not clear."""

from dataclasses import replace

from tests.simulated_absence import absence_report

from terrashot.domain.absence_scores import at_budget
from terrashot.evaluate.absence.sentences import absence_sentences

REPORT = absence_report(("water", "cropland"), ("north", "south"))


def test_each_modality_alone_is_told_over_all_tasks_and_areas():
    first = absence_sentences(REPORT.scores)[:3]
    assert first[1] == (
        "without s1grdm, on average over 4 tasks and areas with 250 labels: -8.0 points with the ridge in its place, -16.0 with the "
        "training mean in its place, -25.0 where such chips are dropped and guessed, -4.0 for heads learnt without it"
    )
    assert [sentence.split(",")[0] for sentence in first] == ["without s2rgbm", "without s1grdm", "without gunw"]


def test_the_costliest_and_the_cheapest_kind_and_month_are_named():
    found = absence_sentences(REPORT.scores)
    assert (
        "of 2 kinds of channel, a test chip's loss of vv with vv-vh costs most, -3.0 points on average, and of red least, -1.0"
        in found
    )
    assert (
        "of 2 months, a test chip's loss of 2020-02 costs most, -2.0 points on average, and of 2020-01 least, -0.2"
        in found
    )


def test_each_task_and_area_has_its_costliest_modality_with_intervals():
    assert absence_sentences(REPORT.scores)[5] == (
        "water in north: without s1grdm -8.0 points (-9.5 to -6.5) with 250 labels, the ridge in its place, 8.0 better than with the "
        "training mean; -4.0 points (-5.5 to -2.5) for heads learnt without it"
    )
    assert len(absence_sentences(REPORT.scores)) == 3 + 2 + 4


def test_a_loss_whose_interval_holds_0_is_no_clear_one():
    wide = [replace(row, change_low=-0.3, change_high=0.1) for row in REPORT.scores]
    assert absence_sentences(wide)[5].startswith(
        "water in north: no clear loss; at most without s1grdm -8.0 points (-30.0 to +10.0)"
    )
    unknown = [replace(row, change_low=None, change_high=None) for row in REPORT.scores]
    assert "no clear loss; at most without s1grdm -8.0 points with 250 labels" in absence_sentences(unknown)[5]


def test_one_modality_is_told_by_its_kinds():
    kinds = [row for row in absence_report(areas=("all",)).scores if row.case != "modality"]
    found = absence_sentences(kinds)
    assert found[-1].startswith(
        "water: without vv with vv-vh -3.0 points (-4.5 to -1.5) with 250 labels, what is left standing for it"
    )


def test_all_areas_together_count_in_no_mean_but_have_their_own_sentence():
    both = absence_report(areas=("north", "all areas")).scores
    found = absence_sentences(both)
    assert found[0].startswith("without s2rgbm with 250 labels: -2.0 points")
    assert found[-1].startswith("water in all areas: without s1grdm")


def test_nothing_measured_gives_no_sentence():
    assert absence_sentences([]) == []


def test_the_budget_is_the_largest_number_of_labels_that_was_drawn():
    assert {row.n_labels for row in at_budget(REPORT.scores)} == {250}
    assert {row.n_labels for row in at_budget(absence_report(sizes=(None,)).scores)} == {400}
