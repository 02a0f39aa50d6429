"""Towers behind a stem: told the kind, read out over tokens, each chip by itself."""

import math
from dataclasses import replace

import pytest
import torch

from terrashot.errors import ConfigError
from terrashot.model.token_tower import Settled, pooled
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig, config_from_json
from terrashot.model.vit import VitConfig

VIT = VitConfig(width=16, depth=2, heads=2, patch_px=4, chip_px=16, stem=(8,))
KINDS = {"s2rgbm": ("red", "green"), "s1grdm": ("vv",)}
CONFIG = TowersConfig(("s2rgbm", "s1grdm"), VIT, embedding=2 * (8 + 16) + 8, kinds=KINDS, differences=True)


@pytest.fixture(scope="module")
def towers():
    return make_towers(CONFIG, seed=0)


def chips(count, side_px=16):
    return torch.randn(count, 1, side_px, side_px, generator=torch.Generator().manual_seed(1))


def test_an_embedding_is_what_the_tower_saw_beside_the_shared_part_each_of_unit_length(towers):
    vectors = towers.embed_all(chips(5), "s2rgbm", torch.tensor([0, 1, 0, 1, 2]))
    assert vectors.shape == (5, CONFIG.embedding) and CONFIG.shared == 8
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(vectors[:, -8:].norm(dim=1), torch.full((5,), math.sqrt(0.5)))


def test_the_shared_part_is_what_the_contrast_sees(towers):
    kinds = torch.tensor([0, 1, 1])
    seen = towers.see(chips(3), "s2rgbm", kinds)
    torch.testing.assert_close(towers.embed(chips(3), "s2rgbm", kinds)[:, -8:] * math.sqrt(2), seen.vector)


def test_a_chip_does_not_change_with_the_chips_beside_it(towers):
    alone, among = towers.embed(chips(4)[:1], "s1grdm"), towers.embed(chips(4), "s1grdm")[:1]
    torch.testing.assert_close(alone, among, atol=1e-6, rtol=1e-5)


def test_the_same_pixels_of_another_kind_are_another_vector_and_unknown_kinds_share_one(towers):
    one = chips(1).expand(4, -1, -1, -1)
    numbers = [towers.kind_number("s2rgbm", kind) for kind in ("red", "green", "swir", "nir")]
    red, green, *unknown = towers.embed(one, "s2rgbm", torch.tensor(numbers))
    assert not torch.allclose(red, green, atol=1e-4)
    torch.testing.assert_close(unknown[0], unknown[1])
    torch.testing.assert_close(unknown[0], towers.embed(one[:1], "s2rgbm")[0])


def test_tokens_turned_about_are_pooled_the_same(towers):
    tokens = torch.randn(2, 9, 16)
    torch.testing.assert_close(pooled(tokens), pooled(tokens[:, torch.randperm(9)]))
    torch.testing.assert_close(pooled(tokens)[:, 16:], tokens.std(1, correction=0), atol=1e-4, rtol=1e-4)


def test_a_chip_that_is_looked_at_in_all_turns_has_one_vector_however_it_lies(towers):
    around = make_towers(replace(CONFIG, turns=4), seed=0)
    lying, turned = chips(3), torch.rot90(chips(3), 1, (2, 3))
    torch.testing.assert_close(around.embed(lying, "s1grdm"), around.embed(turned, "s1grdm"), atol=1e-6, rtol=1e-5)
    assert not torch.allclose(towers.embed(lying, "s1grdm"), towers.embed(turned, "s1grdm"), atol=1e-4)
    torch.testing.assert_close(around.embed(lying, "s1grdm").norm(dim=1), torch.ones(3))
    torch.testing.assert_close(around.agree_all(lying, "s1grdm"), towers.see(lying, "s1grdm").vector)


def test_the_turns_are_part_of_the_card():
    assert config_from_json(replace(CONFIG, turns=4).as_json()).turns == 4
    assert config_from_json(CONFIG.as_json()) == CONFIG
    for turns in (0, 5, True, 2.0):
        with pytest.raises(ValueError, match="size"):
            config_from_json({**CONFIG.as_json(), "turns": turns})


def test_chips_of_other_sizes_fit(towers):
    assert towers.embed(chips(2, side_px=24), "s2rgbm").shape == (2, CONFIG.embedding)


def test_settled_vectors_have_zero_mean_and_unit_spread():
    vectors, settled = 5 + 0.01 * torch.randn(200, 6), Settled(6)
    settled.settle(vectors)
    torch.testing.assert_close(settled(vectors).mean(0), torch.zeros(6), atol=1e-3, rtol=0)
    assert (settled(vectors).std(0, correction=0) > 0.85).all()


def test_a_card_gives_the_config_back():
    assert config_from_json(CONFIG.as_json()) == CONFIG


@pytest.mark.parametrize(
    "content",
    [
        {"kinds": {"gunw": []}}, {"kinds": {"s2rgbm": ["red", "red"]}}, {"kinds": ["red"]},
        {"vit": {**CONFIG.as_json()["vit"], "stem": [0]}}, {"vit": {**CONFIG.as_json()["vit"], "stem": 8}},
    ],
)  # fmt: skip
def test_a_card_of_another_form_is_refused(content):
    with pytest.raises(ValueError, match=r"kinds|stem|size"):
        config_from_json(CONFIG.as_json() | content)


@pytest.mark.parametrize(
    "stem, patch_px, embedding, text",
    [((8,), 8, 72, "convolutions"), ((6,), 4, 72, "groups"), ((8,), 4, 48, "longer"), ((8, 8), 6, 72, "power of two")],
)
def test_stems_that_cannot_be_built_are_refused(stem, patch_px, embedding, text):
    vit = VitConfig(16, 2, 2, patch_px, 24, stem)
    with pytest.raises(ConfigError, match=text):
        make_towers(TowersConfig(("m",), vit, embedding), 0)
