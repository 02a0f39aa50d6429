"""Drift between areas: how much differs between them, and whether like chips are found across."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.health.simulated_vectors import HALF, sound_table, with_blocks

from terrashot.health.card import card_of
from terrashot.health.drift import between_areas
from terrashot.health.features import image_features
from terrashot.health.mixing import mixing, mixing_measure
from terrashot.health.places import places_km
from terrashot.health.survey import make_survey


def measured(table, floors=None):
    survey = make_survey(table, 0)
    images = image_features(table, floors).get("optical")
    return mixing_measure(survey, "optical", survey.order, places_km(table.chips), images)


def in_one_area(table, change):
    def both(block):
        block[:HALF] = change(block[:HALF])
        return block

    return with_blocks(table, both)


def turned(block):
    return block @ np.linalg.qr(np.random.default_rng(3).normal(size=(24, 24)))[0].astype(np.float32)


def moved(block):
    return block + np.float32(np.sqrt(block.var(axis=0).sum())) * np.eye(1, 24, dtype=np.float32)


@given(st.integers(2, 5), st.integers(0, 200))
@settings(max_examples=20)
def test_areas_that_do_not_matter_hold_no_variance_and_mix_freely(n_areas, seed):
    rng = np.random.default_rng(seed)
    vectors, area = rng.normal(size=(600, 6)).astype(np.float32), rng.integers(n_areas, size=600)
    assert between_areas(vectors, area) == pytest.approx(0, abs=0.02)
    assert mixing(vectors, area) == pytest.approx(1, abs=0.2)


def test_the_share_between_areas_is_one_less_the_share_within():
    rng = np.random.default_rng(0)
    area = np.arange(3000) % 3
    vectors = (rng.normal(size=(3000, 4)) + rng.normal(size=(3, 4))[area] * 2).astype(np.float32)
    within = np.mean([vectors[area == a].var(axis=0).sum() for a in range(3)])
    assert between_areas(vectors, area) == pytest.approx(1 - within / vectors.var(axis=0).sum(), abs=1e-3)


def test_areas_far_from_each_other_do_not_mix():
    vectors = np.random.default_rng(0).normal(size=(200, 3)) + 100 * (np.arange(200) % 2)[:, None]
    assert mixing(vectors.astype(np.float32), np.arange(200) % 2) == 0


def test_two_halves_that_are_the_same_chips_mix_wholly():
    vectors = np.repeat(np.random.default_rng(0).normal(size=(100, 3)), 2, axis=0).astype(np.float32)
    # Every nearest other lies in the other area; by chance it would be half of them, of 199 others 100.
    assert mixing(vectors, np.arange(200) % 2) == pytest.approx(199 / 100)


@pytest.mark.parametrize("change", [turned, moved])
def test_an_area_of_another_model_or_unit_is_worth_a_look_alone_and_bad_beside_the_images(change):
    table, floors = sound_table()
    broken = in_one_area(table, change)
    assert measured(table, floors).verdict == "good"
    assert measured(broken).verdict == "look"
    assert measured(broken, floors).verdict == "bad"


def test_areas_whose_images_do_not_mix_either_are_not_bad():
    table, floors = sound_table()
    apart = in_one_area(floors, lambda block: block + 100 * block.std(axis=0))
    apart = type(apart)(apart.chips, {"image_stats:optical": apart.blocks[next(iter(apart.blocks))]})
    assert measured(in_one_area(table, moved), apart).verdict == "look"


def test_one_area_is_no_comparison():
    table, _ = sound_table()
    whole = type(table)(table.chips.take(range(HALF)), {"optical": table.blocks["optical"][:HALF]})
    assert {m.verdict for m in card_of(whole).measures if m.name in ("drift", "mixing")} == {None}
