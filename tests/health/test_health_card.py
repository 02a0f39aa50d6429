"""The whole card: sound tables pass, each way to break one fails by its measure, and what must not matter does not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.health.simulated_vectors import HALF, bad, in_rows, sound_table, verdicts, with_blocks
from threadpoolctl import threadpool_limits

from terrashot.domain.health import EmbeddingProbe
from terrashot.domain.tables import Chips, Embeddings
from terrashot.health.card import card_of

N = 2 * HALF
PROBED = EmbeddingProbe(
    batch=3e-6, workers=0.0, policy="mean",
    without_kind={name: {"red": 0.9, "blue": 0.8} for name in ("optical", "radar")}, quantised={"optical": 0.1, "radar": 0.2},
    channels_there={name: np.full(N, 4) for name in ("optical", "radar")},
)  # fmt: skip


@pytest.fixture(scope="module")
def sound():
    return sound_table()


def shuffle(n, seed=0):
    return np.random.default_rng(seed).permutation(n)


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_table_passes_every_measure(seed):
    table, floors = sound_table(seed)
    card = card_of(table, floors=floors, probe=PROBED)
    assert {m.name: m.sentence for m in card.measures if m.verdict in ("look", "bad")} == {}
    assert (card.worst, card.n_chips, card.n_sampled, card.model) == ("good", N, N, "m")
    assert {measure.name for measure in card.having(None)} == {"seams"}


def constant(block):
    return block[:1] + 1e-4 * np.random.default_rng(0).normal(size=block.shape).astype(np.float32)


def on_a_line(block):
    along = np.linalg.norm(block - block.mean(axis=0), axis=1, keepdims=True)
    return along * block[:1] + block[1:2]


def half_of_the_rows(block):
    return np.where((np.arange(len(block)) % 2 == 0)[:, None], block, 0)


def half_of_the_numbers(block):
    return np.where(np.arange(block.shape[1]) % 2 == 0, block, 0)


def half_of_some_chips(block):
    hit = (np.arange(len(block)) % 10 == 0)[:, None] & (np.arange(block.shape[1]) < block.shape[1] // 2)
    return np.where(hit, 0, block)


def noise(block):
    return np.random.default_rng(1).normal(size=block.shape).astype(np.float32)


def few_vectors(block):
    return block[np.arange(len(block)) // 2 * 2]


def one_long(block):
    return block * np.where(np.arange(len(block)) == 5, 1000, 1)[:, None]


BREAKS = {
    "collapsed": (constant, "collapse"),
    "on a line": (on_a_line, "effective_rank"),
    "half of the rows zero": (half_of_the_rows, "zeros"),
    "half of the numbers zero": (half_of_the_numbers, "zeros"),
    "half of some chips zero": (half_of_some_chips, "zeros"),
    "ids permuted": (lambda block: block[shuffle(len(block))], "neighbours"),
    "noise": (noise, "neighbours"),
    "each vector twice": (few_vectors, "duplicates"),
    "one chip outweighs all": (one_long, "norms"),
    "infinite": (lambda block: np.where(np.arange(len(block))[:, None] == 3, np.inf, block), "finite"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_table_fails_by_the_measure_that_is_there_for_it(sound, name):
    change, measure = BREAKS[name]
    broken = with_blocks(sound[0], lambda block: change(block).astype(np.float32))
    assert measure in bad(card_of(broken))


def test_ids_permuted_fail_without_places_by_the_images(sound):
    table, floors = sound
    nowhere = replace(table, chips=replace(table.chips, lon_deg=None, lat_deg=None))
    permuted = with_blocks(nowhere, lambda block: block[shuffle(len(block))])
    assert bad(card_of(nowhere, floors=floors)) == set()
    assert bad(card_of(permuted, floors=floors)) == {"agreement"}


def test_ids_permuted_within_areas_alone_fail_as_well(sound):
    table, floors = sound
    within = np.concatenate([shuffle(HALF), HALF + shuffle(HALF, 1)])
    assert bad(card_of(with_blocks(table, lambda block: block[within]), floors=floors)) == {"neighbours", "agreement"}


def test_ids_permuted_in_one_modality_fail_by_the_other(sound):
    table, _ = sound
    mixed = replace(table, blocks={**table.blocks, "radar": table.blocks["radar"][shuffle(len(table.chips))]})
    assert bad(card_of(mixed)) == {"neighbours", "agreement", "partners"}


def test_rows_moved_by_one_fail_by_the_images(sound):
    table, floors = sound
    moved = with_blocks(table, lambda block: np.roll(block, 1, axis=0))
    assert bad(card_of(moved, floors=floors)) == {"agreement"}
    assert any("moved by one" in measure.sentence for measure in card_of(moved, floors=floors).having("bad"))


def test_half_of_the_ids_permuted_is_seen(sound):
    table, floors = sound
    rows, rng = np.arange(N), np.random.default_rng(0)
    moved = rng.permutation(N)[:HALF]
    rows[moved] = rng.permutation(moved)
    card = card_of(with_blocks(table, lambda block: block[rows]), floors=floors)
    assert verdicts(card)["neighbours"] in ("look", "bad")


def test_one_channel_only_fails_unless_that_was_asked_for(sound):
    table, _ = sound
    one = replace(table, n_channels={name: np.ones(N, np.int16) for name in table.blocks})
    assert bad(card_of(one, probe=PROBED)) == {"channels"}
    assert verdicts(card_of(one, probe=replace(PROBED, policy="random")))["channels"] == "look"
    assert verdicts(card_of(one))["channels"] == "look"  # nobody told how many there are


def test_a_model_that_sees_one_kind_of_channel_only_fails(sound):
    blind = replace(PROBED, without_kind={"optical": {"red": 0.3, "green": 1.0, "blue": 1.0}})
    card = card_of(sound[0], probe=blind)
    assert bad(card) == {"kinds"}
    assert "the model sees red alone" in card.having("bad")[0].sentence


def test_another_makers_table_passes_and_says_what_was_not_measured():
    rng = np.random.default_rng(0)
    n = 300
    chips = Chips(tuple(f"x{i}" for i in range(n)), ("all",) * n, (None,) * n, (None,) * n)
    vectors = rng.normal(size=(n, 5)) @ rng.normal(size=(5, 64)) + rng.normal(size=(n, 64)) + 3
    card = card_of(Embeddings(chips, {"clay": vectors.astype(np.float32)}))
    assert card.worst == "good"
    assert {measure.name for measure in card.having(None)} == {
        "channels", "kinds", "drift", "mixing", "neighbours", "seams", "agreement", "batch", "workers",
    }  # fmt: skip
    assert all(measure.sentence.startswith("not measured: ") for measure in card.having(None))


def test_another_makers_modalities_need_not_share_a_space(sound):
    table, _ = sound
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(24, 24)))[0].astype(np.float32)
    theirs = replace(
        table, model=None, blocks={**table.blocks, "radar": table.blocks["radar"].astype(np.float32) @ turned}
    )
    assert bad(card_of(theirs)) == set()
    assert bad(card_of(replace(theirs, model="ours"))) == {"partners"}


def test_the_order_of_the_rows_and_the_number_of_threads_change_no_bit(sound):
    table, floors = sound
    card = card_of(table, floors=floors)
    assert card_of(in_rows(table, shuffle(N)), floors=in_rows(floors, shuffle(N, 1))) == card
    with threadpool_limits(2):
        assert card_of(table, floors=floors) == card


def test_turning_and_scaling_the_vectors_changes_nothing_but_their_lengths(sound):
    table = with_blocks(sound[0], lambda block: block)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(24, 24)))[0]
    other = with_blocks(sound[0], lambda block: (4 * block @ turn).astype(np.float32))
    of_numbers = {"zeros", "norms", "quantisation"}
    pairs = [
        (ours, theirs)
        for ours, theirs in zip(card_of(table).measures, card_of(other).measures, strict=True)
        if ours.value is not None and ours.name not in of_numbers
    ]
    assert len(pairs) > 15
    for ours, theirs in pairs:
        # Ranks may swap where two distances differ by rounding.
        assert (ours.name, theirs.value) == (ours.name, pytest.approx(ours.value, abs=2e-3))
        assert ours.verdict == theirs.verdict


def test_a_large_table_is_sampled_and_the_card_says_so(sound, monkeypatch):
    monkeypatch.setattr("terrashot.health.survey.SAMPLE_ROWS", 200)
    table, floors = sound
    card = card_of(table, floors=floors)
    assert (card.n_sampled, card.worst) == (200, "good")


@given(st.integers(0, 30), st.integers(1, 4), st.integers(1, 3), st.integers(0, 1000))
@settings(max_examples=15)
def test_any_table_however_small_has_a_card(n, width, n_areas, seed):
    rng = np.random.default_rng(seed)
    block = rng.normal(size=(n, width)).astype(np.float32)
    block[rng.random(n) < 0.2] = np.nan
    block[rng.random(n) < 0.2] = 0
    chips = Chips(
        tuple(f"c{i}" for i in range(n)), tuple(f"a{i % n_areas}" for i in range(n)), (None,) * n, (None,) * n,
        lon_deg=np.where(rng.random(n) < 0.2, np.nan, rng.random(n)), lat_deg=rng.integers(-90, 91, n).astype(float),
    )  # fmt: skip
    table = Embeddings(chips, {"a": block, "b": block.copy()}, model="m")
    floors = Embeddings(chips, {"image_stats:a": block + 1, "random_conv:a": block})
    card = card_of(table, floors=floors if n else None)
    assert {measure.name for measure in card.measures} >= {
        "finite",
        "zeros",
        "norms",
        "collapse",
        "duplicates",
        "batch",
    }
