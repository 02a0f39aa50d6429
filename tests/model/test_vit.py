"""The transformer against a naive reference, and against timm where it is installed."""

import importlib
import importlib.util
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import terrashot.model.vit as vit_module
from terrashot.errors import InputError
from terrashot.model.vit import VisionTransformer, VitConfig, attended, initialise, positions_for

SMALL = VitConfig(width=12, depth=3, heads=3, patch_px=4, chip_px=16)


PATCHES = SMALL.side_patches**2


@pytest.fixture
def vit():
    return drawn(VisionTransformer(SMALL))


def drawn(module):
    vit_module.initialise(module, torch.Generator().manual_seed(0))
    # Zero biases and unit norms would hide a bias that is forgotten.
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
    return module


def naive(weights, pixels, heads, patch, kept=None):
    """Token by token, head by head, from the names of timm; nothing of the module's own forward.

    Tokens that are not kept are dropped once they are embedded and have their position.
    """

    def linear(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, x):
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-6).sqrt()
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attention(name, x):
        q, k, v = linear(f"{name}.qkv", x).chunk(3, -1)
        d = q.shape[-1] // heads
        parts = []
        for h in range(heads):
            one = slice(h * d, (h + 1) * d)
            share = torch.softmax(q[..., one] @ k[..., one].transpose(-1, -2) / d**0.5, -1)
            parts.append(share @ v[..., one])
        return linear(f"{name}.proj", torch.cat(parts, -1))

    def gelu(x):
        return 0.5 * x * (1 + torch.erf(x / 2**0.5))

    kernel = weights["patch_embed.proj.weight"][:, 0]
    rows, cols = pixels.shape[-2] // patch, pixels.shape[-1] // patch
    tokens = [weights["cls_token"][0, 0].expand(len(pixels), -1)]
    for r in range(rows):
        for c in range(cols):
            square = pixels[:, 0, r * patch : (r + 1) * patch, c * patch : (c + 1) * patch]
            tokens.append(torch.einsum("bhw,dhw->bd", square, kernel) + weights["patch_embed.proj.bias"])
    x = torch.stack(tokens, 1) + weights["pos_embed"]
    if kept is not None:
        x = torch.stack([x[row, [0, *(1 + number for number in of_row)]] for row, of_row in enumerate(kept.tolist())])
    for i in range(sum(name.endswith("norm1.weight") for name in weights)):
        x = x + attention(f"blocks.{i}.attn", norm(f"blocks.{i}.norm1", x))
        hidden = gelu(linear(f"blocks.{i}.mlp.fc1", norm(f"blocks.{i}.norm2", x)))
        x = x + linear(f"blocks.{i}.mlp.fc2", hidden)
    return norm("norm", x)[:, 0]


def test_the_transformer_answers_as_a_naive_reference_does(vit):
    pixels = torch.randn(5, 1, 16, 16, generator=torch.Generator().manual_seed(2))
    expected = naive(vit.state_dict(), pixels, SMALL.heads, SMALL.patch_px)
    torch.testing.assert_close(vit(pixels), expected, atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_the_naive_reference(vit):
    pixels = torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(3))
    vit(pixels).square().sum().backward()
    weights = {name: tensor.clone().requires_grad_() for name, tensor in vit.state_dict().items()}
    naive(weights, pixels, SMALL.heads, SMALL.patch_px).square().sum().backward()
    for name, parameter in vit.named_parameters():
        torch.testing.assert_close(parameter.grad, weights[name].grad, atol=1e-3, rtol=1e-4)


patch_choices = st.integers(1, PATCHES).flatmap(
    lambda k: st.lists(st.permutations(range(PATCHES)).map(lambda p: p[:k]), min_size=1, max_size=3)
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])  # no example changes the tower
@given(choices=patch_choices)
def test_with_some_patches_kept_the_answer_is_that_of_dropping_tokens_after_embedding(vit, choices):
    kept = torch.tensor(choices)
    pixels = torch.randn(len(kept), 1, 16, 16, generator=torch.Generator().manual_seed(4))
    expected = naive(vit.state_dict(), pixels, SMALL.heads, SMALL.patch_px, kept)
    torch.testing.assert_close(vit(pixels, kept), expected, atol=1e-5, rtol=1e-5)


def test_all_patches_kept_in_order_are_all_patches(vit):
    pixels = torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(vit(pixels, torch.arange(PATCHES).expand(3, -1)), vit(pixels), atol=1e-6, rtol=1e-6)


def test_patches_that_are_not_kept_change_nothing(vit):
    pixels = torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(6))
    kept = torch.tensor([[5, 2, 7]])
    other = torch.full_like(pixels, torch.nan)
    for number in kept[0].tolist():
        rows, cols = slice(number // 4 * 4, number // 4 * 4 + 4), slice(number % 4 * 4, number % 4 * 4 + 4)
        other[..., rows, cols] = pixels[..., rows, cols]
    assert torch.equal(vit(pixels, kept), vit(other, kept))


def test_kept_patches_of_a_chip_of_another_size_have_its_interpolated_positions(vit):
    pixels = torch.randn(2, 1, 24, 24, generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(vit(pixels, torch.arange(36).expand(2, -1)), vit(pixels), atol=1e-6, rtol=1e-6)


def test_gradients_with_patches_kept_are_those_of_the_naive_reference(vit):
    pixels = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(8))
    kept = torch.tensor([[0, 15, 3], [3, 4, 5]])
    vit(pixels, kept).square().sum().backward()
    weights = {name: tensor.clone().requires_grad_() for name, tensor in vit.state_dict().items()}
    naive(weights, pixels, SMALL.heads, SMALL.patch_px, kept).square().sum().backward()
    for name, parameter in vit.named_parameters():
        torch.testing.assert_close(parameter.grad, weights[name].grad, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("has_gradient", [True, False])
def test_bfloat16_attention_is_that_of_float32_within_its_precision(has_gradient):
    generator = torch.Generator().manual_seed(9)
    exact = [torch.randn(2, 3, 9, 16, generator=generator, requires_grad=has_gradient) for _ in range(3)]
    narrow = [tensor.detach().bfloat16().requires_grad_(has_gradient) for tensor in exact]
    with torch.set_grad_enabled(has_gradient):
        expected, found = attended(*exact), attended(*narrow)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)
    if has_gradient:
        slopes = torch.autograd.grad(found.square().sum(), narrow)
        for ours, theirs in zip(slopes, torch.autograd.grad(expected.square().sum(), exact), strict=True):
            torch.testing.assert_close(ours.float(), theirs, atol=0.1, rtol=0.05)


def test_many_tokens_are_attended_to_a_few_chips_at_a_time_with_the_same_answer():
    tokens, few = 1100, torch.Generator().manual_seed(3)
    query, key, value = (torch.randn(3, 1, tokens, 8, generator=few).bfloat16() for _ in range(3))
    assert 1 < vit_module.SCORES_AT_ONCE / tokens**2 < 3
    apart = [attended(*(part[row : row + 1] for part in (query, key, value))) for row in range(3)]
    torch.testing.assert_close(attended(query, key, value), torch.cat(apart), atol=0, rtol=0)


@pytest.mark.parametrize("kept", [None, torch.tensor([[1, 2, 9], [4, 15, 0]])])
@pytest.mark.parametrize("has_gradient", [True, False])
def test_bfloat16_products_turn_the_answer_by_less_than_a_thousandth(vit, kept, has_gradient):
    pixels = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(10))
    with torch.set_grad_enabled(has_gradient), torch.autocast("cpu", torch.bfloat16):
        found = vit(pixels, kept)
    assert (F.cosine_similarity(found.float(), vit(pixels, kept)) > 0.999).all()


@pytest.fixture(scope="module")
def unchecked() -> ModuleType:
    """The transformer's module without the shape checks of our tests, which a compiler cannot follow."""
    spec = importlib.util.spec_from_file_location("unchecked_vit", vit_module.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("is_bfloat16", [False, True])
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("kept", [None, torch.tensor([[1, 2, 9], [4, 15, 0]])])
def test_a_tower_compiles_as_one_graph_with_the_same_answer(unchecked, kept, checkpointing, is_bfloat16):
    vit = unchecked.VisionTransformer(unchecked.VitConfig(12, 3, 3, 4, 16))
    unchecked.initialise(vit, torch.Generator().manual_seed(0))
    pixels = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(11))
    torch.compiler.reset()
    compiled = torch.compile(vit, backend="eager", fullgraph=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
        expected, found = (call(pixels, kept, checkpointing=checkpointing) for call in (vit, compiled))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_weights_of_timm_give_the_same_answer(vit):
    try:
        timm = importlib.import_module("timm.models.vision_transformer")
    except Exception as error:  # torchvision beside a CPU torch raises RuntimeError on import
        pytest.skip(f"timm does not import here: {type(error).__name__}")
    theirs = timm.VisionTransformer(
        img_size=16, patch_size=4, in_chans=1, num_classes=0, embed_dim=12, depth=3, num_heads=3, global_pool="token"
    )
    theirs.load_state_dict(vit.state_dict())
    pixels = torch.randn(4, 1, 16, 16)
    torch.testing.assert_close(vit(pixels), theirs.eval()(pixels), atol=1e-5, rtol=1e-5)


def test_parameter_names_are_those_of_timm(vit):
    names = {name.replace("blocks.0.", "blocks.i.") for name, _ in vit.named_parameters() if ".1." not in name}
    assert {"cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.i.norm1.weight", "blocks.i.attn.qkv.weight",
            "blocks.i.attn.proj.bias", "blocks.i.norm2.bias", "blocks.i.mlp.fc1.weight", "blocks.i.mlp.fc2.bias",
            "norm.weight"} <= names  # fmt: skip
    assert vit.patch_embed.proj.weight.shape == (12, 1, 4, 4)


def test_positions_of_the_learnt_size_are_left_as_they_are(vit):
    assert positions_for(vit.pos_embed, SMALL.side_patches) is vit.pos_embed


@pytest.mark.parametrize("side", [2, 3, 8, 11])
def test_interpolated_positions_keep_the_class_token_and_a_constant(side):
    learnt = torch.cat([torch.full((1, 1, 3), 7.0), torch.full((1, 16, 3), 2.0)], dim=1)
    resized = positions_for(learnt, side)
    assert resized.shape == (1, side**2 + 1, 3)
    assert (resized[:, 0] == 7).all()
    torch.testing.assert_close(resized[:, 1:], torch.full((1, side**2, 3), 2.0))


def test_interpolated_positions_keep_rows_and_columns_apart():
    row_number = torch.arange(4.0).repeat_interleave(4)
    learnt = torch.cat([torch.zeros(1), row_number]).reshape(1, 17, 1)
    resized = positions_for(learnt, 8)[0, 1:, 0].reshape(8, 8)
    assert (resized[1:, 0] > resized[:-1, 0]).all()
    torch.testing.assert_close(resized, resized[:, :1].expand(8, 8))


def test_a_chip_of_another_size_is_embedded(vit):
    assert vit(torch.zeros(2, 1, 24, 24)).shape == (2, 12)


@pytest.mark.parametrize("height, width", [(18, 18), (16, 20)])
def test_chips_that_are_not_whole_patches_are_refused(vit, height, width):
    with pytest.raises(InputError, match=f"{height} x {width} px do not divide"):
        vit(torch.zeros(1, 1, height, width))


def test_the_same_seed_gives_the_same_weights_and_the_global_generator_is_left_alone():
    first, second = VisionTransformer(SMALL), VisionTransformer(SMALL)
    for module in (first, second):
        initialise(module, torch.Generator().manual_seed(5))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not any(torch.isnan(parameter).any() for parameter in first.parameters())
