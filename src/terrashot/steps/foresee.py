"""What pretraining and its study will cost, worked out before any of it is done."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from terrashot.config import PretrainSection
from terrashot.embed.image_stats import feature_names
from terrashot.embed.random_conv import N_FILTERS
from terrashot.engine import available_cores
from terrashot.model.cost import StepShape, count_parameters, forward_flops, loss_flops, tower_step_flops
from terrashot.model.memory import TrainingBytes, model_bytes, state_bytes, training_bytes
from terrashot.model.presets import Preset
from terrashot.model.probe import layer_flops_a_second
from terrashot.model.towers_config import TowersConfig, refuse_unbuildable
from terrashot.pretrain.precision import faster_precision
from terrashot.pretrain.validate import validated_at_most
from terrashot.pretrain.view_plan import ViewPlan
from terrashot.steps.material import Material, Stored, foresee_material
from terrashot.steps.plan import Context
from terrashot.steps.taught import taught_preset

SHARE_HERE = 0.8
"""Of a layer's speed that whole steps reach; measured 0.45 to 0.95 (see `model.probe`)."""
COUNTS = (1, 8, 64)


@dataclass(frozen=True, slots=True)
class Gpu:
    """An accelerator on paper."""

    name: str
    peak_flops: float
    """Operations a second of dense matrix products in bfloat16."""
    share: float
    """Of that peak which a training step should reach: a goal, not measured."""


# Peaks: NVIDIA's data sheets of the A100 (SXM) and the H100 (SXM; half of the figure "with sparsity").
# Shares: NeMo's CLIP reaches 39 % on eight A100 (its public throughput table); large language models 33-39 % on H100.
GPUS = (Gpu("A100", 312e12, 0.40), Gpu("H100", 989e12, 0.35))


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast training goes on this machine."""

    precision: str
    layer_flops: float
    """Operations a second of one layer, measured; of all processes together."""

    @property
    def flops(self) -> float:
        return SHARE_HERE * self.layer_flops


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What pretraining costs."""

    preset: str
    step: StepShape
    material: Material
    steps_an_epoch: int
    epochs: int
    chip_flops: float
    """Of a training chip: all towers, there and back."""
    step_flops: float
    epoch_flops: float
    """With validation."""
    validation_flops: float
    """Of an epoch."""
    memory: TrainingBytes
    disk: dict[str, int]
    """Bytes by what they hold."""
    speed: Speed

    @property
    def total_flops(self) -> float:
        return self.epochs * self.epoch_flops

    def seconds_on(self, gpu: Gpu, count: int) -> float:
        """Of the whole training, if the shares of peak are reached and the exchange among GPUs hides behind the work."""
        return self.total_flops / (gpu.peak_flops * gpu.share * count)

    @property
    def seconds_here(self) -> float:
        return self.total_flops / self.speed.flops

    def facts(self) -> dict[str, Any]:
        """For a program."""
        m = self.material
        return {
            "preset": self.preset,
            "parameters": count_parameters(self.step.towers),
            "chips": {"all": m.n_chips, "train": m.n_train, "val": m.n_val, "px": m.chip_px, "basis": m.basis},
            "steps_an_epoch": self.steps_an_epoch,
            "flops": {
                "chip": self.chip_flops, "step": self.step_flops, "epoch": self.epoch_flops,
                "validation": self.validation_flops, "all": self.total_flops,
            },
            "memory": asdict(self.memory) | {"processes": self.step.processes, "total": total_memory(self)},
            "disk": self.disk,
            "here": {
                "precision": self.speed.precision, "layer_flops_a_second": self.speed.layer_flops,
                "share": SHARE_HERE, "hours": self.seconds_here / 3600,
            },
            "gpus": [
                {"gpu": gpu.name, "count": n, "share": gpu.share, "hours": self.seconds_on(gpu, n) / 3600}
                for gpu in GPUS for n in COUNTS
            ],
        }  # fmt: skip


def total_memory(found: Foreseen) -> int:
    """Of one process: on the GPU if it trains there, else in the host's memory."""
    return found.memory.on_device if found.step.is_on_gpu else found.memory.on_cpu


def foresee(context: Context, to_run: Collection[str]) -> Foreseen:
    """What pretraining will cost if the steps named run.

    Raises:
        TerrashotError: what the study names is not there, or makes no towers.
    """
    material, section = foresee_material(context, to_run), context.config.pretrain
    preset = taught_preset(section)
    towers = preset.towers(material.modalities, material.chip_px)
    refuse_unbuildable(towers)
    speed = _speed(towers, section.precision, context.ranks.size)
    step = _step_shape(section, towers, context.ranks.size, min(section.batch_size, max(material.n_train, 2)), speed)
    n_steps = max(1, -(-material.n_train // step.batch_size))
    chip, n_chosen_by = _chip_flops(step, preset), min(material.n_val, validated_at_most(material.n_train))
    validation = n_chosen_by * step.n_views * forward_flops(towers)
    learning = material.n_train * chip + n_steps * loss_flops(step)
    return Foreseen(
        preset=section.preset, step=step, material=material, steps_an_epoch=n_steps, epochs=section.epochs,
        chip_flops=chip, step_flops=step.batch_size * chip + loss_flops(step),
        epoch_flops=learning + validation, validation_flops=validation,
        memory=training_bytes(step), disk=_disk(context, material, towers), speed=speed,
    )  # fmt: skip


def _step_shape(section: PretrainSection, towers: TowersConfig, processes: int, batch: int, speed: Speed) -> StepShape:
    return StepShape(
        towers=towers, batch_size=batch, processes=processes, chips_at_once=section.chips_at_once,
        is_checkpointed=section.checkpoint_activations, keep_patches=section.keep_patches,
        is_bfloat16=speed.precision == "bfloat16", is_on_gpu=torch.cuda.is_available(), views=taught_preset(section).views,
    )  # fmt: skip


def _chip_flops(step: StepShape, preset: Preset) -> float:
    """Of all views of a chip, on average over the windows that steps show."""
    towers, found = step.towers, []
    for side_px in ViewPlan(preset.views, preset.crop, towers.vit.patch_px).sides_px(towers.vit.chip_px):
        window = replace(towers, vit=replace(towers.vit, chip_px=side_px))
        found.append(step.n_views * tower_step_flops(replace(step, towers=window)))
    return sum(found) / len(found)


def _speed(towers: TowersConfig, asked: str, processes: int) -> Speed:
    """Of the number type asked for; with `auto` of the one that training would choose."""
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    torch.set_num_threads(available_cores())
    precision = faster_precision(towers, device) if asked == "auto" else asked
    found = layer_flops_a_second(towers, device, is_bfloat16=precision == "bfloat16")
    # Processes on CPUs share the cores that were measured; GPUs they have each to themselves.
    return Speed(precision, found * (processes if on_gpu else 1))


def _disk(context: Context, material: Material, towers: TowersConfig) -> dict[str, int]:
    """Of a finished study, and what a training that is under way holds; tables of chips, labels and results are small."""
    embed = context.config.embed
    vectors = len(towers.modalities) * towers.embedding
    floors = sum(map(_floor_numbers, material.stored)) + vectors if embed.floors else 0
    return {
        "chip store": material.store_bytes,
        "model": model_bytes(towers),
        "training state": state_bytes(towers),
        "embeddings": material.n_chips * vectors * (2 if embed.dtype == "float16" else 4),
        "floors": material.n_chips * floors * 4,
    }


def _floor_numbers(stored: Stored) -> int:
    """Image statistics and random convolutions of one modality; channels that vary are summed up in two images."""
    n_images = 2 if stored.varies else stored.n_shown
    return len(feature_names([str(number) for number in range(n_images)])) + 2 * N_FILTERS
