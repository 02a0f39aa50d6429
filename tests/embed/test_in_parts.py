"""Embedding in parts: the same vectors, and after a kill none of them twice."""

import numpy as np
import pytest
from test_embed import IDS, embedded, job_of

from fake_chip_store import textured_store
from terrashot.durable.parts import DiskParts
from terrashot.embed import kept
from terrashot.embed.in_parts import embed_in_parts
from terrashot.errors import IntegrityError
from terrashot.steps.progress import finish


@pytest.fixture(autouse=True)
def four_chips_a_part(monkeypatch):
    monkeypatch.setattr(kept, "PART_PIXELS", 4 * 8 * 8)


@pytest.fixture
def store():
    return textured_store(IDS, {"optical": 3, "radar": 2})


@pytest.fixture
def parts(tmp_path):
    return DiskParts(tmp_path / "parts", "model 1")


def work_of(store, parts, ids=IDS):
    return embed_in_parts(job_of(store), ids, parts, name="x", dtype="float32")


def together(kept_vectors):
    """Ids, vectors and counts of all groups."""
    groups = list(kept_vectors.groups())
    ids = [chip_id for some, _ in groups for chip_id in some]
    vectors = {name: np.concatenate([raw.parts[name] for _, raw in groups]) for name in groups[0][1].parts}
    counts = {name: np.concatenate([raw.n_channels[name] for _, raw in groups]) for name in groups[0][1].n_channels}
    return ids, vectors, counts


def damage(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def as_bytes(kept_vectors):
    ids, vectors, counts = together(kept_vectors)
    return ids, [array.tobytes() for arrays in (vectors, counts) for array in arrays.values()]


@pytest.mark.parametrize("ids", [IDS, IDS[::-1]])
def test_parts_give_what_one_piece_gives_in_the_order_asked_for(store, parts, ids):
    found, vectors, counts = together(finish(work_of(store, parts, ids)))
    assert tuple(found) == ids
    whole = embedded(store, ids)
    for name, block in whole.blocks.items():
        np.testing.assert_allclose(vectors[name][:, 0], block, atol=1e-5)
        np.testing.assert_array_equal(counts[name], whole.n_channels[name])


def test_a_killed_run_goes_on_with_the_parts_it_had_and_ends_the_same(store, parts, tmp_path):
    wanted = as_bytes(finish(work_of(store, DiskParts(tmp_path / "whole", "model 1"))))
    begun = work_of(store, parts)
    while len(list((tmp_path / "parts").glob("x-*"))) < 2:
        next(begun)
    begun.close()
    second = work_of(store, DiskParts(tmp_path / "parts", "model 1"))
    assert next(second).done > 8, "the first two parts are not embedded again"
    assert as_bytes(finish(second)) == wanted


def test_a_damaged_part_is_made_again(store, parts, tmp_path):
    wanted = as_bytes(finish(work_of(store, parts)))
    for path in (tmp_path / "parts").glob("x-*"):
        damage(path)
    assert as_bytes(finish(work_of(store, DiskParts(tmp_path / "parts", "model 1")))) == wanted


def test_a_part_that_is_damaged_before_it_is_used_is_named(store, parts, tmp_path):
    made = finish(work_of(store, parts))
    path = tmp_path / "parts" / "x-1"
    damage(path)
    with pytest.raises(IntegrityError, match="x-1: gone or damaged; run again"):
        together(made)


def test_parts_of_something_else_are_not_taken(tmp_path):
    DiskParts(tmp_path / "parts", "model 1").put("x-0", b"vectors of model 1")
    assert DiskParts(tmp_path / "parts", "model 1").get("x-0") == b"vectors of model 1"
    assert DiskParts(tmp_path / "parts", "model 2").get("x-0") is None


def test_no_chips_give_an_empty_table(store, parts):
    _, vectors, _ = together(finish(work_of(store, parts, ())))
    assert {name: block.shape for name, block in vectors.items()} == {"optical": (0, 1, 12), "radar": (0, 1, 12)}
