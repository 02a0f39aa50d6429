"""The page's section on what is absent from the data: numbers in words, a map an area, and no map where nothing is absent."""

import pytest
from tests.report.simulated_report import content
from tests.simulated_presence import NO_PAIR, OK, optical, states_of

from terrashot.domain.presence_shares import presence_shares
from terrashot.report.absent_data import MOST_AREAS, absence_maps, absent_data
from terrashot.report.blocks import NOTHING
from terrashot.report.data_figures import of_data
from terrashot.report.figures import write_recipes
from terrashot.report.page import page


def shown(months, rows=(), *, areas=("north",), **more):
    base = content(n=len(months), areas=areas, **more)
    states = states_of([*optical(*months), *rows])
    return content(n=len(months), areas=areas, presence=presence_shares(states, base.chips.area), **more)


def maps_of(its):
    return list(absence_maps(its.presence, its.chips, None))


def test_a_sentence_tells_how_much_is_absent_and_why():
    its = shown(["oo"] * 45 + ["oc"] * 3 + ["on"] + ["fc"])
    text = absent_data(its, NOTHING)
    assert (
        "<li>optical (Sentinel-2): 6 % of a chip&#x27;s channels absent, on average "
        "(4 % all clouded, 1 % no acquisition in the month, 1 % failed to read); 1 of 50 chips have none; "
        "1 of 50 chips could not be read in part or whole</li>" in text
    )


def test_a_modality_that_lacks_nothing_is_said_to():
    its = shown(["oo", "cc"], [(chip, "gunw", "coherence", OK) for chip in (0, 1)])
    assert "<li>coherence (Sentinel-1 pairs): nothing absent</li>" in absent_data(its, NOTHING)


def test_where_nothing_is_absent_it_says_so_and_draws_nothing():
    its = shown(["oo"] * 40, absent=[])
    assert "Nothing is absent: all 40 chips have every channel of optical (Sentinel-2)" in absent_data(its, NOTHING)
    assert maps_of(its) == []


def test_chips_that_nothing_is_told_of_are_counted():
    its = shown(["oo"] * 4, [(0, "gunw", "coherence", OK)])
    assert "coherence (Sentinel-1 pairs): nothing absent; 3 of 4 chips are not told of" in absent_data(its, NOTHING)


def test_a_caption_tells_the_numbers_of_its_own_area():
    (only,) = maps_of(shown(["oo", "cc", "oo", "oc"], areas=("north", "south")))
    assert (only.name, only.title) == ("absence-map-1", "What is missing in south")
    assert "75 % of a chip's channels absent, on average (75 % all clouded); 1 of 2 chips have none." in only.caption


def test_of_many_areas_those_that_lack_most_are_drawn_and_the_others_named():
    areas = tuple(f"area{number}" for number in range(MOST_AREAS + 2))
    its = shown(["oc"] + ["cc"] * (len(areas) - 2) + ["oc"], areas=areas)
    maps = maps_of(its)
    assert [recipe.title.rpartition(" ")[2] for recipe in maps] == list(areas[1:-1])
    assert [recipe.is_folded for recipe in maps] == [False] + [True] * (MOST_AREAS - 1)
    assert f"not drawn: {areas[0]}, {areas[-1]}" in absent_data(its, NOTHING)


@pytest.mark.parametrize("places", [True, False])
def test_the_page_shows_map_and_numbers_between_heading_and_table(places, tmp_path):
    its = shown(["oo", "cc", "fo", "oc"] * 10, [(0, "gunw", None, NO_PAIR)], places=places)
    figures = write_recipes(maps_of(its), tmp_path, is_simulated=True)
    text = page(its, figures).partition('<section id="data">')[2].partition("</section>")[0]
    order = ["<h3>What is missing</h3>", "% all clouded", "figures/absence-map-1.png", "no pair</td>"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert ("crosses are where something failed" in text) == places and (tmp_path / "absence-map-1.svg").is_file()


def test_without_counts_there_is_no_map():
    assert content().presence is None and not [r for r in of_data(content()) if r.section == "absent"]
