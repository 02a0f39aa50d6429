"""What training needs in memory and leaves on disk, in bytes, from shapes alone.

Counted is what the backward pass of eager torch asks for; a compiled tower holds less. Not counted: torch itself (some
0.3 GB), chips held in memory, heads of a second loss (some 10 MB), and what an allocator keeps back.
"""

from dataclasses import dataclass

from terrashot.model.cost import StepShape, count_parameters
from terrashot.model.local_contrast import N_PLANES
from terrashot.model.token_tower import stem_layers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig

BATCHES_READ = 3
"""The batch that is learnt from, and those read ahead."""
SIMILARITY_BYTES = 8 << 20
"""The most that the loss holds of one similarity matrix at a time, and it holds three such blocks."""


@dataclass(frozen=True, slots=True)
class _Saved:
    """Bytes a token and unit of width that a pass leaves for the way back."""

    layer: int
    """Input, both norms, query, key, value, attention, and four each before and after the MLP's nonlinearity: 16 numbers."""
    last_layer: int
    """Input, norm, key and value: the rest is the class token's alone. Where all tokens are read out it is as the others."""
    on_the_way_back: int
    """Gradients of one layer at its widest: both sides of the nonlinearity."""
    number: int
    """Of a number before the first layer."""


FLOAT32 = _Saved(layer=64, last_layer=16, on_the_way_back=32, number=4)
BFLOAT16 = _Saved(layer=36, last_layer=10, on_the_way_back=16, number=2)
"""Under autocast the inputs of layers and norms stay float32, all else is half as wide."""
READ_OUT = 8
"""Bytes a token and unit of width where tokens are read out: what the last norm saw, and how far each is from the mean."""
INPUT = 4
"""What checkpointing keeps of a layer."""


@dataclass(frozen=True, slots=True)
class TrainingBytes:
    """Memory of one process that trains. On a GPU the first four lie there, the last two in the host's memory."""

    weights: int
    """Weights, gradients and two moments in float32; in bfloat16 the weights once more."""
    activations: int
    loss: int
    """Vectors, their gradients, and blocks of similarities."""
    piece: int
    """Pixels of the chips that are embedded together."""
    batches: int
    """Pixels of whole batches: one is learnt from, others are read ahead."""
    best: int
    """The best weights so far."""

    @property
    def on_device(self) -> int:
        return self.weights + self.activations + self.loss + self.piece

    @property
    def on_host(self) -> int:
        return self.batches + self.best

    @property
    def on_cpu(self) -> int:
        """Where both are the same; a piece's pixels are then those of its batch."""
        return self.on_device + self.on_host - self.piece


def training_bytes(step: StepShape) -> TrainingBytes:
    """What a process needs."""
    n_parameters = count_parameters(step.towers)
    a_weight = 18 if step.is_bfloat16 else 16
    pixels = step.n_views * 4 * step.towers.vit.chip_px**2
    return TrainingBytes(
        weights=a_weight * n_parameters,
        activations=step.chips_in_memory * activation_bytes(step),
        loss=_loss_bytes(step),
        piece=step.chips_in_memory * pixels,
        batches=BATCHES_READ * step.chips_a_process * pixels,
        best=4 * n_parameters,
    )


def activation_bytes(step: StepShape) -> int:
    """What the backward pass asks for of all views of one chip, and the gradients that one layer makes meanwhile."""
    vit, towers = step.towers.vit, step.n_views
    numbers, saved = _tokens(step) * vit.width, BFLOAT16 if step.is_bfloat16 else FLOAT32
    layer = saved.layer * numbers + _attention_bytes(step)
    back = saved.on_the_way_back * numbers
    before = saved.number * (_stem_numbers(vit) if vit.stem else step.patches * vit.patch_px**2)
    read_out = READ_OUT * numbers if vit.stem else 0
    if step.is_checkpointed:
        return towers * (vit.depth * INPUT * numbers + before + read_out) + layer + back
    last = layer if vit.stem else saved.last_layer * numbers
    return towers * ((vit.depth - 1) * layer + last + before + read_out) + back


def state_bytes(config: TowersConfig) -> int:
    """Disk that a killed training goes on from: weights, two moments and the best weights, float32."""
    return 16 * count_parameters(config)


def model_bytes(config: TowersConfig) -> int:
    """Disk of a finished model: the best weights and the last."""
    return 8 * count_parameters(config)


def _tokens(step: StepShape) -> int:
    """Tokens of the largest window that a step shows; without a stem there is a class token."""
    return step.patches if step.towers.vit.stem else step.patches + 1


def _stem_numbers(vit: VitConfig) -> int:
    """What the stem reads; of each convolution but the last its answer, the norm of that, and what the nonlinearity makes of it."""
    numbers, side_px = N_PLANES * vit.chip_px**2, vit.chip_px
    for _, width, stride in stem_layers(vit)[:-1]:
        side_px //= stride
        numbers += 3 * width * side_px**2
    return numbers


def _attention_bytes(step: StepShape) -> int:
    """Weights of attention, where they are kept: in bfloat16 on a CPU (see `vit.attended`)."""
    is_kept = step.is_bfloat16 and not step.is_on_gpu
    return 2 * step.towers.vit.heads * _tokens(step) ** 2 if is_kept else 0


def _loss_bytes(step: StepShape) -> int:
    """Rows of vectors: of each view this process's own, joined, and their gradients; everyone's and theirs; of a pair
    both sides, their gradients and what these are worked out from; and blocks of similarities."""
    m, own, all_chips = step.n_views, step.chips_a_process, step.batch_size
    everyones = m * all_chips * (2 if step.processes > 1 else 1)
    rows = 3 * m * own + everyones + 4 * (own + all_chips)
    return 4 * rows * step.towers.shared + 3 * min(4 * own * all_chips, SIMILARITY_BYTES)
