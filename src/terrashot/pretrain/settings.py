"""How to train."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["float32", "bfloat16"]
Shuffle = Literal["chips", "shards"]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train; all of it is part of a run's identity."""

    epochs: int
    batch_size: int
    """Chips a step, on all processes together; each is the others' negative."""
    learning_rate: float
    weight_decay: float
    warmup_share: float
    flips: bool
    seed: int
    precision: Precision = "float32"
    """Of the towers' matrix products; weights, vectors and loss are float32."""
    chips_at_once: int = 0
    """Chips whose activations a process holds; 0: all of its share of the batch."""
    checkpoint_activations: bool = False
    """Hold the activations of one layer, and work the others out again on the way back."""
    keep_patches: float = 1.0
    """Share of each chip's patches that a step shows."""
    views: int = 1
    """Channels of each modality that a step shows."""
    crop: float = 1.0
    """Least side of the window that a step shows of a chip, as a share of it."""
    shuffle: Shuffle = "chips"
    patience: int = 0
    """Epochs without a better validation loss after which training stops; 0: never."""
