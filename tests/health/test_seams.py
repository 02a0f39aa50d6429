"""Seams: a jump across a border is told from rough land, and from nothing at all."""

from dataclasses import replace

import numpy as np
import pytest
from tests.health.simulated_vectors import chips_of, sound_table, with_blocks

from terrashot.health.places import places_km
from terrashot.health.seams import seam_measures
from terrashot.health.survey import make_survey

SIDE = 20


def tiled(seed=0):
    """A sound table whose chips come in tiles of 5 x 5."""
    table, _ = sound_table(seed, side=SIDE)
    number = np.arange(len(table.chips))
    row, col = number // SIDE, number % SIDE
    tile = row // 5 * 100 + col // 5
    return with_blocks(
        replace(table, chips=replace(table.chips, group=tuple(map(str, tile)))), lambda block: block
    ), tile


def measured(table):
    survey = make_survey(table, 0)
    return {m.name: m for m in seam_measures(survey, "optical", survey.order, places_km(table.chips))}


def moved_tiles(table, tile, spreads):
    rng = np.random.default_rng(5)
    by_tile = rng.normal(size=(tile.max() + 1, 24))
    by_tile /= np.linalg.norm(by_tile, axis=1, keepdims=True)
    return with_blocks(
        table, lambda block: (block + spreads * np.sqrt(block.var(axis=0).sum()) * by_tile[tile]).astype(np.float32)
    )


@pytest.mark.parametrize("seed", range(5))
def test_borders_that_nothing_changes_at_are_no_seams(seed):
    table, _ = tiled(seed)
    found = measured(table)
    assert set(found) == {"seam_group"}
    assert found["seam_group"].verdict == "good"
    assert found["seam_group"].value == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("spreads", "expected"), [(0.05, "good"), (1.0, "bad"), (3.0, "bad")])
def test_tiles_that_were_not_prepared_alike_are_told(spreads, expected):
    table, tile = tiled()
    assert measured(moved_tiles(table, tile, spreads))["seam_group"].verdict == expected


def test_rough_land_along_a_border_is_no_seam():
    table, tile = tiled()
    beside = (np.arange(len(tile)) % SIDE % 5 == 0) | (np.arange(len(tile)) % SIDE % 5 == 4)
    noise = np.random.default_rng(0).normal(size=(len(tile), 24)) * 0.3 * beside[:, None]
    rough = with_blocks(table, lambda block: (block + noise).astype(np.float32))
    assert measured(rough)["seam_group"].verdict == "good"


def test_a_border_of_areas_and_one_of_zones_are_seen_where_chips_lie_on_both_sides():
    table, _ = sound_table(side=60)
    chips = chips_of(60, areas=("one", "two"), lon=6 - 30 * 0.64 / 111)  # the border of two zones is at 6 degrees
    half = tuple("east" if lon > 6.02 else "west" for lon in chips.lon_deg)
    found = measured(replace(table, chips=replace(chips, area=half)))
    assert {name: found[name].verdict for name in found} == {"seam_area": "good", "seam_zone": "good"}


def test_chips_that_are_the_same_do_not_outweigh_the_others():
    table, _ = tiled()

    def water(block):
        block[::7] = block[0]
        return block

    assert measured(with_blocks(table, water))["seam_group"].value == pytest.approx(1, abs=0.2)


def test_where_no_border_is_crossed_nothing_is_measured():
    table, _ = sound_table()
    assert {m.verdict for m in measured(table).values()} == {None}
