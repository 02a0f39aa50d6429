"""What the formulas of cost and memory say is what torch counts."""

import weakref

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from terrashot.model.cost import (
    StepShape,
    count_parameters,
    forward_flops,
    layer_flops,
    loss_flops,
    patches_kept,
    step_flops,
)
from terrashot.model.memory import SIMILARITY_BYTES, model_bytes, state_bytes, training_bytes
from terrashot.model.presets import PRESETS
from terrashot.model.probe import layer_flops_a_second
from terrashot.model.towers import Towers, make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import Block, VitConfig
from terrashot.pretrain.distributed import World
from terrashot.pretrain.loss import SIMILARITIES_AT_ONCE, pairwise_clip_loss

MODALITIES = ("s2rgbm", "s1grdm", "gunw")
SIDES_PX = {"small": 64, "tiny": 64, "w192d8": 128, "w192d12": 96, "w384d12": 96, "w384d18": 64, "paper": 64}
"""Every preset has its own number of patches, width and depth."""
QUICK = ("small", "tiny")
"""Presets whose towers are really run under the profiler; of the others torch counts what would be done."""


def towers_of(preset, device="cpu"):
    config = PRESETS[preset].towers(("one",), SIDES_PX[preset])
    with torch.device(device):
        return config, Towers(config)


def pixels_for(config, chips, device="cpu"):
    side_px = config.vit.chip_px
    return torch.randn(chips, 1, side_px, side_px, generator=torch.Generator().manual_seed(0)).to(device)


def counted_flops(call):
    """What torch's profiler counts, with attention as plain matrix products."""
    with sdpa_kernel(SDPBackend.MATH), profile(with_flops=True) as found:
        call()
    return sum(event.flops for event in found.key_averages())


def counted_by_formula(call):
    """What torch's table of formulas gives for every operation that is done."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def embedded(towers, pixels, share=1.0, checkpointing=False):
    vit = towers.config.vit
    kept = torch.arange(patches_kept(vit, share), device=pixels.device).expand(len(pixels), -1)
    towers.checkpointing = checkpointing
    return towers.see(pixels, towers.config.modalities[0], kept=None if share == 1 else kept).vector


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("preset", QUICK)
def test_a_forward_pass_has_the_operations_that_the_profiler_counts(preset, share):
    config, towers = towers_of(preset)
    pixels = pixels_for(config, 2)
    with torch.no_grad():
        found = counted_flops(lambda: embedded(towers, pixels, share))
    assert 2 * forward_flops(config, patches_kept(config.vit, share)) == pytest.approx(found, rel=0.02)


def test_a_training_step_has_the_operations_that_the_profiler_counts():
    # A preset without a stem: the profiler counts a convolution's way back as torch's own formulas do not.
    config, towers = towers_of("tiny")
    pixels = pixels_for(config, 2)
    found = counted_flops(lambda: embedded(towers, pixels).sum().backward())
    assert step_flops(StepShape(config, 2)) == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_the_operations_that_torch_counts_forward_and_back(preset, share):
    config, towers = towers_of(preset, "meta")
    pixels, kept = pixels_for(config, 2, "meta"), patches_kept(config.vit, share)
    forward = counted_by_formula(lambda: embedded(towers.requires_grad_(False), pixels, share))
    assert 2 * forward_flops(config, kept) == pytest.approx(forward, rel=0.02)
    found = counted_by_formula(lambda: embedded(towers.requires_grad_(True), pixels, share).sum().backward())
    assert step_flops(StepShape(config, 2, keep_patches=share)) == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_checkpointed_step_has_the_operations_that_torch_counts(preset):
    config, towers = towers_of(preset, "meta")
    pixels = pixels_for(config, 2, "meta")
    # Not the profiler: it counts the product at which the recomputation of a layer stops, though it is never done.
    found = counted_by_formula(lambda: embedded(towers, pixels, checkpointing=True).sum().backward())
    assert step_flops(StepShape(config, 2, is_checkpointed=True)) == pytest.approx(found, rel=0.02)


def test_gradient_caching_adds_one_forward_pass_a_chip():
    config = PRESETS["paper"].towers(MODALITIES, 448)
    plain, cached = StepShape(config, 64), StepShape(config, 64, chips_at_once=8)
    assert step_flops(cached) - step_flops(plain) == 64 * 3 * forward_flops(config)
    assert step_flops(StepShape(config, 64, chips_at_once=64)) == step_flops(plain)
    assert step_flops(StepShape(config, 64, processes=8, chips_at_once=8)) == step_flops(plain)


@pytest.mark.parametrize("n_modalities", [2, 3])
def test_the_loss_has_the_operations_that_the_profiler_counts(n_modalities):
    config = TowersConfig(MODALITIES[:n_modalities], VitConfig(8, 1, 1, 8, 8), embedding=96)
    views = {name: torch.randn(200, 96) for name in config.modalities}
    present = {name: torch.ones(200, dtype=torch.bool) for name in config.modalities}
    found = counted_flops(lambda: pairwise_clip_loss(views, present, scale=torch.tensor(1.0), world=World()))
    # The profiler does not know `addmm_`, one of the four products.
    assert 3 / 4 * loss_flops(StepShape(config, 200)) == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize("preset", PRESETS)
def test_parameters_are_counted_without_building_towers(preset):
    config = PRESETS[preset].towers(MODALITIES, 448)
    with torch.device("meta"):
        assert count_parameters(config) == Towers(config).n_parameters


def test_three_b16_at_448_px_cost_what_the_paper_scale_says():
    config = PRESETS["paper"].towers(MODALITIES, 448)
    # 156.4 GFLOP with a whole last layer (shared reading, `performance.md` B2); the class token alone needs less of it.
    assert forward_flops(config) == pytest.approx(156.4e9 - layer_flops(config.vit, 785), rel=0.04)
    assert round(count_parameters(config) / 1e6, 1) == 259.3


def test_half_the_patches_cost_less_than_half():
    config = PRESETS["paper"].towers(MODALITIES, 448)
    assert forward_flops(config, patches_kept(config.vit, 0.5)) < 0.5 * forward_flops(config)
    assert patches_kept(config.vit, 1e-9) == 1


class PeakBytes(TorchDispatchMode):
    """The most bytes that tensors made inside hold at one time; what was there before does not count."""

    def __init__(self, before):
        super().__init__()
        self.now = self.most = 0
        self.seen = {tensor.untyped_storage()._cdata for tensor in before}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage()._cdata not in self.seen:
                storage = tensor.untyped_storage()
                self.seen.add(storage._cdata)
                self.now += storage.nbytes()
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())
        return made

    def _gone(self, key, n_bytes):
        self.seen.discard(key)
        self.now -= n_bytes


NARROW, WIDE = VitConfig(64, 4, 2, 8, 64), VitConfig(96, 6, 3, 8, 96)
STEM = VitConfig(64, 4, 2, 8, 64, (32, 64))


# The wide one in float32 alone: without bf16 units it would take half a minute.
@pytest.mark.parametrize(
    "vit, is_bfloat16", [(NARROW, False), (NARROW, True), (WIDE, False), (STEM, False), (STEM, True)]
)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_memory_for_the_way_back_is_what_torch_holds(vit, checkpointing, is_bfloat16):
    config, chips = TowersConfig(MODALITIES, vit, embedding=64 + (4 * 64 if vit.stem else 0)), 16
    towers = make_towers(config, 0)
    towers.checkpointing = checkpointing
    pixels = {name: pixels_for(config, chips) for name in MODALITIES}
    with PeakBytes([*towers.parameters(), *pixels.values()]) as peak:
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
            vectors = {name: towers.see(images, name).vector for name, images in pixels.items()}
        torch.autograd.backward(list(vectors.values()), [torch.ones_like(found) for found in vectors.values()])
    step = StepShape(config, chips, is_checkpointed=checkpointing, is_bfloat16=is_bfloat16)
    # Gradients of weights come as activations go: here, as in any batch worth the name, the latter are the most.
    formula = training_bytes(step).activations + (2 * count_parameters(config) if is_bfloat16 else 0)
    assert 0.8 * formula < peak.most < 1.2 * formula


@pytest.mark.parametrize("chips, embedding", [(512, 768), (3000, 32)])
def test_memory_of_the_loss_is_what_torch_holds(chips, embedding):
    config = TowersConfig(MODALITIES, VitConfig(8, 1, 1, 8, 8), embedding)
    views = {name: torch.randn(chips, embedding) for name in MODALITIES}
    present = {name: torch.rand(chips) < 0.9 for name in MODALITIES}
    with PeakBytes([]) as peak:
        pairwise_clip_loss(views, present, scale=torch.tensor(1.0), world=World())
    given = 2 * 3 * chips * embedding * 4  # as the towers gave them, and joined
    assert 0.8 < (peak.most + given) / training_bytes(StepShape(config, chips)).loss < 1.2


def test_memory_of_the_loss_grows_with_the_batch_alone():
    config = PRESETS["paper"].towers(MODALITIES, 448)
    large, twice = (training_bytes(StepShape(config, chips, chips_at_once=1)).loss for chips in (16_384, 32_768))
    assert twice < 2 * large
    assert 4 * SIMILARITIES_AT_ONCE == SIMILARITY_BYTES


def test_a_piece_of_the_batch_bounds_what_the_device_holds():
    config = PRESETS["paper"].towers(MODALITIES, 448)
    whole, cached = (training_bytes(StepShape(config, 1024, chips_at_once=chips)) for chips in (0, 8))
    assert cached.activations == whole.activations // 128
    assert cached.on_host == whole.on_host
    assert whole.on_cpu == whole.on_device + whole.on_host - whole.piece
    assert state_bytes(config) + model_bytes(config) == 24 * count_parameters(config)


def test_the_speed_of_a_layer_is_that_of_its_products():
    config = TowersConfig(("one",), VitConfig(32, 2, 2, 8, 32), 8)
    with torch.no_grad():
        found = counted_flops(lambda: Block(32, 2)(torch.ones(1, 17, 32)))
    assert layer_flops(config.vit, 17) == pytest.approx(found, rel=0.02)
    assert layer_flops_a_second(config, torch.device("cpu"), is_bfloat16=False) > 0
