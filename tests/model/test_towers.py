"""Towers, presets, cost."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrashot.errors import ConfigError
from terrashot.model.presets import PRESETS
from terrashot.model.towers import Towers, make_towers
from terrashot.model.towers_config import TowersConfig, config_from_json
from terrashot.model.vit import VitConfig

PAPER_MODALITIES = ("s2rgbm", "s1grdm", "gunw")
SMALL = TowersConfig(("s2rgbm", "gunw"), VitConfig(width=8, depth=2, heads=2, patch_px=4, chip_px=8), embedding=6)


@pytest.mark.parametrize(
    "preset, millions",
    [("w192d8", 11.4), ("w192d12", 16.7), ("w384d12", 65.5), ("w384d18", 97.5), ("paper", 259.3)],
)
def test_a_preset_has_as_many_parameters_as_the_paper_says(preset, millions):
    with torch.device("meta"):
        towers = Towers(PRESETS[preset].towers(PAPER_MODALITIES, 448))
    assert round(towers.n_parameters / 1e6, 1) == millions


def test_every_preset_can_be_built_for_its_chips():
    assert set(PRESETS) == {"small", "tiny", "w192d8", "w192d12", "w384d12", "w384d18", "paper"}
    for name in ("small", "tiny", "w192d8"):
        config = PRESETS[name].towers(PAPER_MODALITIES, 64)
        assert make_towers(config, 0).embed(torch.zeros(1, 1, 64, 64), "gunw").shape == (1, config.embedding)


def test_embeddings_have_unit_length_and_differ_by_tower():
    towers = make_towers(SMALL, seed=0)
    pixels = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    optical, coherence = towers.embed(pixels, "s2rgbm"), towers.embed(pixels, "gunw")
    torch.testing.assert_close(optical.norm(dim=1), torch.ones(3))
    assert not torch.allclose(optical, coherence, atol=1e-3)


def test_embedding_in_pieces_is_embedding_at_once():
    config = TowersConfig(("m",), VitConfig(width=8, depth=2, heads=2, patch_px=2, chip_px=64), embedding=6)
    towers = make_towers(config, seed=0)
    pixels = torch.randn(9, 1, 64, 64)
    torch.testing.assert_close(towers.embed_all(pixels, "m"), towers.embed(pixels, "m"), atol=1e-6, rtol=1e-5)
    assert towers.embed_all(pixels[:0], "m").shape == (0, 6)


def test_a_tower_without_a_stem_embeds_what_its_heads_agree_on():
    towers = make_towers(SMALL, seed=0)
    pixels = torch.randn(3, 1, 8, 8)
    seen = towers.see(pixels, "gunw").vector
    torch.testing.assert_close(seen, towers.embed(pixels, "gunw"))
    torch.testing.assert_close(seen, towers.agree_all(pixels, "gunw"))
    kept = torch.tensor([[0, 3], [1, 2], [3, 2]])
    assert not torch.allclose(seen, towers.see(pixels, "gunw", kept=kept).vector, atol=1e-3)


def test_vectors_are_unit_length_float32_where_products_are_bfloat16():
    towers = make_towers(SMALL, seed=0)
    pixels = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        found = [towers.see(pixels, "gunw").vector, towers.embed_all(pixels, "gunw")]
    for vectors in found:
        assert vectors.dtype == torch.float32
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5), atol=1e-6, rtol=1e-6)
        assert (torch.nn.functional.cosine_similarity(vectors, towers.embed(pixels, "gunw")) > 0.999).all()


@pytest.mark.parametrize("kept", [None, torch.tensor([[0, 3], [1, 2], [3, 2]])])
@pytest.mark.parametrize("is_bfloat16", [False, True])
def test_layers_computed_again_give_the_same_loss_and_gradients(kept, is_bfloat16):
    pixels = {name: torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0)) for name in SMALL.modalities}
    losses, slopes = [], []
    for checkpointing in (False, True):
        towers = make_towers(SMALL, seed=0)
        towers.checkpointing = checkpointing
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
            vectors = {name: towers.see(images, name, kept=kept).vector for name, images in pixels.items()}
        loss = (vectors["gunw"] * vectors["s2rgbm"]).sum()
        loss.backward()
        losses.append(loss.detach())
        slopes.append([parameter.grad for name, parameter in towers.named_parameters() if name != "log_scale"])
    torch.testing.assert_close(*losses, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(*slopes, atol=1e-6, rtol=1e-6)


def test_layers_that_are_computed_again_keep_nothing_between_and_run_twice():
    towers = make_towers(SMALL, seed=0)
    runs, kept_bytes = [], []
    for block in towers.towers["gunw"].blocks:
        block.norm1.register_forward_hook(lambda *_: runs.append(1))

    def pack(tensor):
        kept_bytes[-1] += tensor.nbytes
        return tensor

    for checkpointing in (False, True):
        towers.checkpointing = checkpointing
        kept_bytes.append(0)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            vectors = towers.embed(torch.zeros(2, 1, 8, 8), "gunw")
        vectors.sum().backward()
    assert len(runs) == 2 + 2 * 2
    # What goes in between layers is not seen by the hook; it is two tensors of the two layers.
    assert kept_bytes[1] + 2 * 2 * 5 * 8 * 4 < kept_bytes[0] / 2


def test_checkpointing_is_no_part_of_the_state():
    towers = make_towers(SMALL, seed=0)
    names = set(towers.state_dict())
    towers.checkpointing = True
    assert set(towers.state_dict()) == names


def test_pixels_go_to_where_the_towers_are():
    with torch.device("meta"):
        towers = Towers(SMALL)
    seen = towers.see(torch.zeros(3, 1, 8, 8), "gunw", kept=torch.zeros(3, 2, dtype=torch.int64))
    assert seen.vector.device.type == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
def test_towers_on_a_gpu_answer_as_on_the_cpu():
    towers = make_towers(SMALL, seed=0)
    pixels, kept = torch.randn(3, 1, 8, 8), torch.tensor([[0, 3], [1, 2], [3, 2]])
    some, all_of_them = towers.see(pixels, "gunw", kept=kept).vector, towers.embed_all(pixels, "gunw")
    towers.to("cuda")
    torch.testing.assert_close(towers.see(pixels, "gunw", kept=kept).vector.cpu(), some, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(towers.embed_all(pixels, "gunw"), all_of_them, atol=1e-5, rtol=1e-5)


def test_fresh_weights_depend_on_the_seed_alone_and_leave_the_global_generator_alone():
    first = make_towers(SMALL, seed=1).state_dict()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again, other = make_towers(SMALL, seed=1).state_dict(), make_towers(SMALL, seed=2).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_every_weight_is_drawn_and_none_is_left_as_memory_was():
    config = TowersConfig(("normal", "bias"), VitConfig(64, 2, 4, 8, 64), 32)
    spread = {
        name: float(tensor.std()) for name, tensor in make_towers(config, 0).state_dict().items() if tensor.ndim > 1
    }
    for name, found in spread.items():
        expected = 0.02 if name.endswith(("cls_token", "pos_embed")) else 1 / 8 if "patch_embed" in name else None
        if expected is None:
            fan = {"qkv": 64 + 64, "proj": 64 + 64, "fc1": 64 + 256, "fc2": 64 + 256}.get(name.split(".")[-2], 64 + 32)
            expected = (2 / fan) ** 0.5
        assert 0.8 * expected < found < 1.25 * expected, name
    flat = {name: tensor for name, tensor in make_towers(config, 0).state_dict().items() if tensor.ndim == 1}
    assert all((tensor == (1 if name.endswith("weight") else 0)).all() for name, tensor in flat.items())


def test_the_scale_starts_as_in_clip_and_can_fall_again_from_its_limit():
    towers = make_towers(SMALL, seed=0)
    assert float(towers.scale.detach()) == pytest.approx(1 / 0.07)
    with torch.no_grad():
        towers.log_scale.fill_(50.0)
    towers.limit_scale()
    assert float(towers.scale.detach()) == pytest.approx(100.0)
    towers.scale.backward()
    assert towers.log_scale.grad is not None and towers.log_scale.grad > 0


@pytest.mark.parametrize(
    "config, words",
    [
        (TowersConfig(("a", "b"), VitConfig(8, 2, 2, 8, 60), 4), "60 px do not divide into patches of 8 px"),
        (TowersConfig(("a", "b"), VitConfig(10, 2, 4, 8, 64), 4), "width of 10 does not divide over 4 heads"),
        (TowersConfig(("a.b", "b"), VitConfig(8, 2, 2, 8, 64), 4), "modality 'a.b'"),
        (TowersConfig(("keys", "b"), VitConfig(8, 2, 2, 8, 64), 4), "modality 'keys'"),
    ],
)
def test_towers_that_cannot_be_built_are_refused_in_words(config, words):
    with pytest.raises(ConfigError, match=words):
        make_towers(config, 0)


sizes = st.integers(1, 9)


@given(sizes, sizes, sizes, sizes, sizes)
def test_a_config_survives_its_json(heads, head_width, depth, patch_px, side):
    vit = VitConfig(heads * head_width, depth, heads, patch_px, patch_px * side)
    config = TowersConfig(("a", "b"), vit, embedding=depth)
    assert config_from_json(config.as_json()) == config


@pytest.mark.parametrize(
    "key, value", [("depth", 10**9), ("width", -1), ("heads", True), ("depth", 2.0), ("chip_px", "9")]
)
def test_a_size_that_no_tower_has_is_refused_before_anything_is_built(key, value):
    content = SMALL.as_json()
    content["vit"][key] = value
    with pytest.raises(ValueError):
        config_from_json(content)
