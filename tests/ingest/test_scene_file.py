"""The file of a sensor's scenes: whole or refused; the same item twice counts once."""

import json

import pytest

from stac_items import of_baseline, small_item
from terrashot.errors import InputError, IntegrityError
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.scene_file import BYTES_A_BRACKET, Listed, read_collection, read_listed, write_listed

LISTED = Listed("a question", [small_item()], offsets={"S2A_29RKH_20200219_0_L2A": Offset(0, True, "baseline 02.14")})


def test_what_was_written_is_read_again(tmp_path):
    write_listed(tmp_path / "s.json", LISTED)
    found = read_listed(tmp_path / "s.json")
    assert (found.items, found.offsets, found.question) == (LISTED.items, LISTED.offsets, "a question")


def test_one_other_letter_anywhere_is_noticed(tmp_path):
    write_listed(tmp_path / "s.json", LISTED)
    text = (tmp_path / "s.json").read_text()
    for before, after in (
        ("2020-02-19T11", "2020-03-19T11"),
        ("a question", "b question"),
        ("-12.0", "-13.0"),
        ("[0,true", "[0,false"),
    ):
        (tmp_path / "s.json").write_text(text.replace(before, after, 1))
        with pytest.raises(IntegrityError, match=r"s\.json: no scene file of ours.*run again"):
            read_listed(tmp_path / "s.json")


def test_an_item_that_is_there_twice_counts_once():
    assert len(Listed("", [small_item(), small_item()]).scenes()) == 1


def test_two_items_of_one_id_that_differ_are_refused_with_their_id():
    with pytest.raises(InputError, match=r"item S2A_29RKH_20200219_0_L2A: is there twice"):
        Listed("", [small_item(), of_baseline(small_item(), "05.00")]).scenes()


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused_before_they_are_copied(tmp_path, word):
    text = json.dumps({"features": [small_item()]}).replace('cover": 4.0', f'cover": {word}')
    (tmp_path / "items.json").write_text(text)
    with pytest.raises(InputError, match=rf"items\.json: cannot be read as JSON: {word}"):
        read_collection(tmp_path / "items.json")


def test_a_file_of_lists_that_would_take_all_memory_is_refused_before_it_is_parsed(tmp_path):
    (tmp_path / "items.json").write_text('{"features": [' + "[]," * 1_000_001 + "[]]}")
    with pytest.raises(InputError, match=r"items\.json: 1000004 lists and objects in .* bytes"):
        read_collection(tmp_path / "items.json")


def test_items_as_dense_as_they_come_are_far_from_that_limit():
    text = json.dumps(small_item(), separators=(",", ":"))
    assert (text.count("[") + text.count("{")) * 1.5 * BYTES_A_BRACKET < len(text)
