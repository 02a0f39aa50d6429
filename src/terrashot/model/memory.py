"""What training needs in memory and leaves on disk, in bytes, from shapes alone.

Counted is what the backward pass of eager torch asks for; a compiled tower holds less. Not counted: torch itself (some
0.3 GB), chips held in memory, and what an allocator keeps back.
"""

from dataclasses import dataclass

from terrashot.model.cost import StepShape, count_parameters
from terrashot.model.towers import TowersConfig

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
    """Input, norm, key and value: the rest is the class token's alone."""
    on_the_way_back: int
    """Gradients of one layer at its widest: both sides of the nonlinearity."""


FLOAT32 = _Saved(layer=64, last_layer=16, on_the_way_back=32)
BFLOAT16 = _Saved(layer=36, last_layer=10, on_the_way_back=16)
"""Under autocast the inputs of layers and norms stay float32, all else is half as wide."""
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
    pixels = len(step.towers.modalities) * 4 * step.towers.vit.chip_px**2
    return TrainingBytes(
        weights=a_weight * n_parameters,
        activations=step.chips_in_memory * activation_bytes(step),
        loss=_loss_bytes(step),
        piece=step.chips_in_memory * pixels,
        batches=BATCHES_READ * step.chips_a_process * pixels,
        best=4 * n_parameters,
    )


def activation_bytes(step: StepShape) -> int:
    """What the backward pass asks for of one chip, in all towers, and the gradients that one layer makes meanwhile."""
    vit, towers = step.towers.vit, len(step.towers.modalities)
    n = step.patches if vit.stem else step.patches + 1
    saved = BFLOAT16 if step.is_bfloat16 else FLOAT32
    layer = saved.layer * n * vit.width + _attention_bytes(step)
    back = saved.on_the_way_back * n * vit.width
    patches = step.patches * vit.patch_px**2 * (2 if step.is_bfloat16 else 4)
    if step.is_checkpointed:
        return towers * (vit.depth * INPUT * n * vit.width + patches) + layer + back
    return towers * ((vit.depth - 1) * layer + saved.last_layer * n * vit.width + patches) + back


def state_bytes(config: TowersConfig) -> int:
    """Disk that a killed training goes on from: weights, two moments and the best weights, float32."""
    return 16 * count_parameters(config)


def model_bytes(config: TowersConfig) -> int:
    """Disk of a finished model: the best weights and the last."""
    return 8 * count_parameters(config)


def _attention_bytes(step: StepShape) -> int:
    """Weights of attention, where they are kept: in bfloat16 on a CPU (see `vit.attended`)."""
    is_kept = step.is_bfloat16 and not step.is_on_gpu
    return 2 * step.towers.vit.heads * (step.patches + 1) ** 2 if is_kept else 0


def _loss_bytes(step: StepShape) -> int:
    """Rows of vectors: of each modality this process's own, joined, and their gradients; everyone's and theirs; of a pair
    both sides, their gradients and what these are worked out from; and blocks of similarities."""
    m, own, all_chips = len(step.towers.modalities), step.chips_a_process, step.batch_size
    everyones = m * all_chips * (2 if step.processes > 1 else 1)
    rows = 3 * m * own + everyones + 4 * (own + all_chips)
    return 4 * rows * step.towers.embedding + 3 * min(4 * own * all_chips, SIMILARITY_BYTES)
