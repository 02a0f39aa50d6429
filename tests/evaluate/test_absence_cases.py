"""What is left out, case by case: everything once, and nothing twice."""

from dataclasses import replace

import numpy as np
from tests.simulated_channels import MONTHS, chips_of, modality, study

from terrashot.domain.channel_vectors import ChannelVectors
from terrashot.evaluate.absence.cases import cases_of

VECTORS, _ = study(40)


def left_out(kind, vectors=VECTORS):
    return [case.title for case in cases_of(vectors) if case.kind == kind]


def alone(**modalities):
    return ChannelVectors(chips_of(40), modalities)


def noise(n=40):
    return np.random.default_rng(0).standard_normal((n, 3))


def test_three_modalities_have_seven_subsets_with_the_whole_one_first():
    first = cases_of(VECTORS)[0]
    assert (first.kind, first.title, dict(first.gone)) == ("nothing", "", {})
    assert left_out("modality") == ["s2rgbm", "s1grdm", "gunw", "s2rgbm, s1grdm", "s2rgbm, gunw", "s1grdm, gunw"]


def test_a_difference_goes_with_each_of_the_channels_that_it_is_taken_from():
    assert left_out("kind") == ["red", "blue", "vv, vv-vh", "vh, vv-vh", "vv-vh"]
    radar = [title for title in left_out("channel") if title.startswith("2020-02_v")]
    assert radar == ["2020-02_vv, 2020-02_vv-vh", "2020-02_vh, 2020-02_vv-vh", "2020-02_vv-vh"]


def test_differences_in_spreads_go_with_their_channels_and_are_no_case_of_their_own():
    kinds = ("red", "nir", "nir~red", "red~before")
    names = ("1_red", "1_nir", "1_nir~1_red", None, "2_red", "2_nir", "2_nir~2_red", "2_red~1_red")
    own = modality(noise(), kinds, MONTHS)
    months = (*own.months[:3], None, *own.months[4:7], None)
    vectors = alone(s2rgbm=replace(own, names=names, months=months))
    found = {case.title: list(np.flatnonzero(case.gone["s2rgbm"][0])) for case in cases_of(vectors) if case.gone}
    assert found == {
        "red": [0, 2, 4, 6, 7], "nir": [1, 2, 5, 6], MONTHS[0]: [0, 1, 2, 7], MONTHS[1]: [4, 5, 6, 7],
        "1_red": [0, 2, 7], "1_nir": [1, 2], "2_red": [4, 6, 7], "2_nir": [5, 6],
    }  # fmt: skip


def test_a_kind_that_is_all_of_its_modality_is_told_once():
    assert "coherence" not in left_out("kind") and "gunw" in left_out("modality")


def test_a_month_is_left_out_of_all_modalities_that_have_months():
    assert left_out("month") == list(MONTHS)
    (case,) = [case for case in cases_of(VECTORS) if case.title == MONTHS[1]]
    assert {name: list(np.flatnonzero(mask[0])) for name, mask in case.gone.items()} == {
        "s2rgbm": [2, 3],
        "s1grdm": [3, 4, 5],
    }


def test_half_of_the_pairs_leaves_each_chip_at_least_one():
    own = modality(noise(), ("coherence",), (None,) * 5, absent=0.4)
    (case,) = [case for case in cases_of(alone(gunw=own)) if case.kind == "pairs"]
    before, gone = own.present.sum(axis=1), (own.present & case.gone["gunw"]).sum(axis=1)
    np.testing.assert_array_equal(gone, before // 2)
    assert case.title == "half of gunw"


def test_what_leaves_nothing_of_any_chip_is_not_told():
    one_month = alone(s2rgbm=modality(noise(), ("red", "blue"), MONTHS[:1]))
    assert left_out("month", one_month) == [] and left_out("modality", one_month) == []
    assert left_out("kind", one_month) == ["red", "blue"]
    assert left_out("channel", one_month) == [], "each is the only one of its kind"


def test_kinds_of_the_same_name_are_told_apart_by_their_modality():
    both = alone(before=modality(noise(), ("red", "blue"), MONTHS), after=modality(noise(), ("red", "nir"), MONTHS))
    assert left_out("kind", both) == ["before red", "blue", "after red", "nir"]


def test_a_channel_that_no_chip_has_is_no_case():
    own = modality(noise(), ("red", "blue"), MONTHS)
    own.vectors[:, 1] = np.nan
    assert "2020-01_blue" not in left_out("channel", alone(s2rgbm=own, gunw=modality(noise(), ("coherence",), (None,))))
