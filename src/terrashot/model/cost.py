"""What embedding and training cost, in floating-point operations (two a multiply-add), from shapes alone.

Matrix products only, as profilers count them. Legend of the formulas: t patches shown, n = t + 1 tokens, d width,
p pixels a patch's side, G chips a step on all processes, D embedding.
"""

from dataclasses import dataclass

from terrashot.model.local_contrast import N_PLANES
from terrashot.model.token_tower import KERNEL_PX, POOLED, stem_layers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig


@dataclass(frozen=True, slots=True)
class StepShape:
    """A training step, as far as its cost depends on it; what the fields mean stands in the study file's [pretrain]."""

    towers: TowersConfig
    batch_size: int
    """Chips on all processes together."""
    processes: int = 1
    chips_at_once: int = 0
    is_checkpointed: bool = False
    keep_patches: float = 1.0
    is_bfloat16: bool = False
    is_on_gpu: bool = False
    views: int = 1
    """Channels of each modality that a step shows."""

    @property
    def n_views(self) -> int:
        """Of a chip."""
        return self.views * len(self.towers.modalities)

    @property
    def chips_a_process(self) -> int:
        return -(-self.batch_size // self.processes)

    @property
    def chips_in_memory(self) -> int:
        """Chips whose activations a process holds together."""
        return min(self.chips_at_once or self.chips_a_process, self.chips_a_process)

    @property
    def is_cached(self) -> bool:
        """Each chip is embedded twice: to be scored, and to carry the gradient on."""
        return self.chips_in_memory < self.chips_a_process

    @property
    def patches(self) -> int:
        """Patches of a chip that a step shows."""
        return patches_kept(self.towers.vit, self.keep_patches)


def patches_kept(vit: VitConfig, share: float) -> int:
    """How many patches of a chip are shown where a share of them is; at least one."""
    return max(1, round(share * vit.side_patches**2))


def count_parameters(config: TowersConfig) -> int:
    """Numbers that all towers learn, the temperature included."""
    vit, d = config.vit, config.vit.width
    if vit.stem:
        return sum(_stem_tower_parameters(config, len(config.kinds.get(name, ()))) for name in config.modalities) + 1
    embedding = (vit.patch_px**2 + 1) * d + (vit.side_patches**2 + 2) * d
    tower = embedding + vit.depth * (12 * d**2 + 13 * d) + 2 * d + d * config.embedding
    return len(config.modalities) * tower + 1


def _stem_tower_parameters(config: TowersConfig, n_kinds: int) -> int:
    vit, d, seen = config.vit, config.vit.width, POOLED * config.vit.width
    stem = sum((KERNEL_PX**2 * before + 1) * after for before, after, _ in stem_layers(vit)) + 2 * sum(vit.stem)
    heads = 2 * seen + (seen + 1) * seen + seen * config.shared
    return stem + (n_kinds + 1) * d + vit.depth * (12 * d**2 + 13 * d) + 2 * d + heads


def forward_flops(config: TowersConfig, patches: int | None = None) -> float:
    """Operations of one tower on one chip in training; without a stem the last layer answers for the class token alone.

    Args:
        patches: how many are shown; None: all.
    """
    vit, d = config.vit, config.vit.width
    shown = vit.side_patches**2 if patches is None else patches
    if vit.stem:
        seen = POOLED * d
        heads = 2 * seen**2 + 2 * seen * config.shared
        return float(_contrast_flops(vit) + _stem_flops(vit) + vit.depth * layer_flops(vit, shown) + heads)
    n = shown + 1
    layers = (vit.depth - 1) * layer_flops(vit, n) + _last_layer_flops(vit, n)
    return float(_patch_flops(vit, shown) + layers + 2 * d * config.embedding)


def tower_step_flops(step: StepShape) -> float:
    """Operations of one tower on one chip in a training step: there, back, and whatever is done twice to save memory.

    Back costs twice as much as there, except that pixels need no gradient. With gradient caching the way there is gone
    twice; with checkpointing each layer once more, up to the product whose answer nothing asks for.
    """
    vit, forward = step.towers.vit, forward_flops(step.towers, step.patches)
    first = _stem_flops(vit, 1) + 2 * _contrast_flops(vit) if vit.stem else _patch_flops(vit, step.patches)
    again = _recomputed_flops(vit, step.patches) if step.is_checkpointed else 0
    return 3 * forward - first + again + (forward if step.is_cached else 0)


def loss_flops(step: StepShape) -> float:
    """Operations of the contrast of a step: for each pair the similarities twice, and from them two sets of gradients."""
    pairs = step.n_views * (step.n_views - 1) // 2
    return float(4 * pairs * 2 * step.batch_size**2 * step.towers.shared)


def step_flops(step: StepShape) -> float:
    """Operations of a training step on all processes together."""
    return step.n_views * step.batch_size * tower_step_flops(step) + loss_flops(step)


def layer_flops(vit: VitConfig, n: int) -> int:
    """Operations of one whole layer over n tokens."""
    return 24 * n * vit.width**2 + 4 * n**2 * vit.width


def _patch_flops(vit: VitConfig, patches: int) -> int:
    return 2 * patches * vit.patch_px**2 * vit.width


def _contrast_flops(vit: VitConfig) -> int:
    """Of the local contrast: for each plane two means, each by two products."""
    return (N_PLANES - 1) * 2 * 2 * 2 * vit.chip_px**3


def _stem_flops(vit: VitConfig, most: int | None = None) -> int:
    """Of all convolutions of the stem, or of the first few."""
    flops, side_px = 0, vit.chip_px
    for before, after, stride in stem_layers(vit)[:most]:
        side_px //= stride
        flops += 2 * KERNEL_PX**2 * before * after * side_px**2
    return flops


def _last_layer_flops(vit: VitConfig, n: int) -> int:
    return 4 * n * vit.width**2 + 4 * n * vit.width + 20 * vit.width**2


def _recomputed_flops(vit: VitConfig, patches: int) -> int:
    """All layers, each without the second product of its MLP: nothing but the layer's own answer needs it."""
    if vit.stem:
        return vit.depth * (layer_flops(vit, patches) - 8 * patches * vit.width**2)
    n = patches + 1
    full = (vit.depth - 1) * (layer_flops(vit, n) - 8 * n * vit.width**2)
    return full + _last_layer_flops(vit, n) - 8 * vit.width**2
