"""Embedding in parts: the same vectors, and after a kill none of them twice."""

import numpy as np
import pytest
from test_embed import IDS, STATS, TOWERS, chips_of, embedded

from fake_chip_store import textured_store
from terrashot.durable.parts import NO_PARTS, DiskParts
from terrashot.embed import in_parts
from terrashot.embed.in_parts import embed_in_parts


@pytest.fixture(autouse=True)
def four_chips_a_part(monkeypatch):
    monkeypatch.setattr(in_parts, "PART_PIXELS", 4 * 8 * 8)


@pytest.fixture
def store():
    return textured_store(IDS, {"optical": 3, "radar": 2})


def work_of(store, parts, ids=IDS):
    return embed_in_parts(TOWERS, STATS, store, chips_of(ids), channels="mean", seed=0, parts=parts, name="x")


def finish(work):
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def as_bytes(table):
    return {name: block.tobytes() for name, block in {**table.blocks, **table.n_channels}.items()}


def test_parts_give_what_one_piece_gives_in_any_order_of_chips(store):
    whole = embedded(store)
    for ids in (IDS, IDS[::-1]):
        table = finish(work_of(store, NO_PARTS, ids))
        assert table.chips.ids == ids
        for name, block in embedded(store, ids).blocks.items():
            np.testing.assert_allclose(table.blocks[name], block, atol=1e-5)
    np.testing.assert_array_equal(table.n_channels["radar"], whole.n_channels["radar"])


def test_a_killed_run_goes_on_with_the_parts_it_had_and_ends_the_same(store, tmp_path):
    wanted = as_bytes(finish(work_of(store, NO_PARTS)))
    begun = work_of(store, DiskParts(tmp_path / "parts", "model 1"))
    while len(list((tmp_path / "parts").glob("x-*"))) < 2:
        next(begun)
    begun.close()
    second = work_of(store, DiskParts(tmp_path / "parts", "model 1"))
    assert next(second).done > 8, "the first two parts are not embedded again"
    assert as_bytes(finish(second)) == wanted


def test_a_damaged_part_is_made_again(store, tmp_path):
    wanted = as_bytes(finish(work_of(store, DiskParts(tmp_path / "parts", "model 1"))))
    for path in (tmp_path / "parts").glob("x-*"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert as_bytes(finish(work_of(store, DiskParts(tmp_path / "parts", "model 1")))) == wanted


def test_parts_of_something_else_are_not_taken(tmp_path):
    DiskParts(tmp_path / "parts", "model 1").put("x-0", b"vectors of model 1")
    assert DiskParts(tmp_path / "parts", "model 1").get("x-0") == b"vectors of model 1"
    assert DiskParts(tmp_path / "parts", "model 2").get("x-0") is None


def test_no_chips_give_an_empty_table(store):
    assert {name: block.shape for name, block in finish(work_of(store, NO_PARTS, ())).blocks.items()} == {
        "optical": (0, 12), "radar": (0, 12),
    }  # fmt: skip
