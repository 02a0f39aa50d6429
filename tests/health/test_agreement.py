"""Whether two descriptions of the same chips agree; whether one modality finds the other."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from tests.health.simulated_vectors import in_rows, sound_table, with_blocks

from terrashot.domain.tables import Embeddings
from terrashot.health.agreement import agreement_measure
from terrashot.health.card import card_of
from terrashot.health.features import block_features, image_features
from terrashot.health.partners import partner_measure
from terrashot.health.survey import make_survey


def agreement(table, floors=None):
    survey = make_survey(table, 0)
    other = image_features(table, floors)["optical"] if floors else block_features(table, "radar")
    return agreement_measure(survey, block_features(table, "optical"), other, rows=survey.order)


def partners(table):
    survey = make_survey(table, 0)
    return partner_measure(survey, "optical", "radar", survey.order)


def small(seed=0, **more):
    return sound_table(seed, side=9, **more)


def dealt(table, seed=0):
    order = np.random.default_rng(seed).permutation(len(table.chips))
    return with_blocks(table, lambda block: block[order])


def test_it_is_the_rank_correlation_of_distances_within_areas():
    table, _ = small()
    views = []
    for block in table.blocks.values():
        view = block.astype(np.float64)
        for own in (slice(0, 81), slice(81, 162)):
            view[own] -= view[own].mean(axis=0)
        views.append(pdist(view))
    assert agreement(table).value == pytest.approx(spearmanr(*views).statistic, abs=1e-3)


def test_nothing_needs_to_be_comparable_between_the_two():
    table, floors = small()
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(24, 24)))[0].astype(np.float32)
    turned = replace(table, blocks={**table.blocks, "radar": 7 * table.blocks["radar"].astype(np.float32) @ turn + 3})
    assert agreement(turned).value == pytest.approx(agreement(table).value, abs=1e-3)
    scaled = replace(floors, blocks={name: block * np.float32(100) + 1 for name, block in floors.blocks.items()})
    assert agreement(table, scaled).value == pytest.approx(agreement(table, floors).value, abs=1e-3)


def test_shuffled_chips_fail_and_sound_ones_pass_many_times():
    for seed in range(3):
        table, floors = small(seed)
        assert agreement(table, floors).verdict == "good"
        assert agreement(dealt(table, seed), floors).verdict == "bad"


def test_floors_in_another_order_or_of_some_chips_are_met_by_id():
    table, floors = small()
    backwards = in_rows(floors, range(len(floors.chips) - 1, -1, -1))
    assert agreement(table, backwards).value == agreement(table, floors).value
    assert agreement(table, in_rows(floors, range(0, 162, 2))).verdict == "good"
    assert agreement(table, in_rows(floors, range(5))).verdict is None


def test_a_handful_of_chips_is_never_called_bad_for_chance():
    for seed in range(20):
        table, floors = sound_table(seed, side=4)
        assert agreement(table, floors).verdict != "bad"


@pytest.mark.parametrize("step", [1, -1])
def test_rows_moved_by_one_either_way_are_told(step):
    table, floors = sound_table()
    found = agreement(with_blocks(table, lambda block: np.roll(block, step, axis=0)), floors)
    assert (found.verdict, "rows are moved by one" in found.sentence) == ("bad", True)


def test_images_of_a_block_of_another_name_are_those_that_most_chips_have():
    table, floors = small()
    floors = replace(floors, blocks={**floors.blocks, "image_stats:radar": np.full((162, 12), np.nan, np.float32)})
    other = Embeddings(table.chips, {"clay": table.blocks["optical"]})
    assert image_features(other, floors)["clay"].name == "image_stats:optical"
    assert image_features(other, Embeddings(table.chips, {"random_conv:a": table.blocks["radar"]})) == {}


def test_the_other_modality_is_found_near_the_top_or_at_chance():
    table, _ = small()
    assert partners(table).verdict == "good"
    assert partners(table).value > 0.9
    mixed = replace(table, blocks={**table.blocks, "radar": dealt(table).blocks["radar"]})
    assert partners(mixed).verdict == "bad"
    assert partners(mixed).value == pytest.approx(0, abs=0.2)


def test_collapsed_modalities_find_nothing():
    table, _ = small()
    alike = with_blocks(table, lambda block: np.repeat(block[:1], len(block), axis=0))
    assert (partners(alike).verdict, partners(alike).value) == ("bad", -1.0)


def test_parts_of_other_kinds_are_compared_by_their_means():
    table, _ = small()
    # Three parts of one modality, one of the other.
    wide = replace(
        table,
        blocks={**table.blocks, "optical": np.tile(table.blocks["optical"], 3)},
        kinds={"optical": ("r", "g", "b")},
    )
    assert partners(wide).value == pytest.approx(partners(table).value, abs=1e-3)
    assert partners(replace(wide, kinds={})).sentence == "not measured: vectors of unlike length"


def test_what_modalities_do_not_share_changes_neither_measure():
    table, _ = small()
    noise = np.random.default_rng(0).normal(size=(len(table.chips), 7)).astype(np.float32)
    blocks = {
        name: np.hstack([9 * noise[:, :wide], block])
        for (name, block), wide in zip(table.blocks.items(), (7, 3), strict=True)
    }
    mixed = replace(table, blocks=blocks, shared={name: block.shape[1] for name, block in table.blocks.items()})
    assert partners(mixed).value == pytest.approx(partners(table).value, abs=1e-3)
    plain, found = (next(m for m in card_of(one).measures if m.block == "optical & radar") for one in (table, mixed))
    assert found.value == pytest.approx(plain.value, abs=1e-3)


def test_another_makers_modalities_are_not_asked_to_share_a_space():
    assert partners(replace(small()[0], model=None)).verdict is None


def test_blocks_of_no_common_model_need_not_agree_and_must_with_their_images():
    table, floors = small()
    other = {**table.blocks, "radar": dealt(table).blocks["radar"]}
    assert agreement(replace(table, blocks=other)).verdict == "bad"
    assert agreement(replace(table, blocks=other, model=None)).verdict == "look"
    assert agreement(dealt(replace(table, model=None)), floors).verdict == "bad"
