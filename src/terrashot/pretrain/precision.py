"""Which number type trains faster here, by measurement: what a processor is called does not tell."""

from typing import Protocol

import torch

from terrashot.model.probe import TOKENS, layer_flops_a_second
from terrashot.model.towers_config import TowersConfig
from terrashot.pretrain.settings import Precision

ROUNDS, BOTH = 2, (False, True)
LEAST_GAIN = 1.3
"""Measured gains of a layer lie well apart from it: on an x86 processor with bf16 matrix units 2.0 to 3.0 (width 192 and
384 at 64 and 448 px); without such units 0.1 to 0.5 or, with bf16 dot products, 1.5 to 2."""
NARROWEST = 128
"""Narrower layers gain 0.7 to 1.6 there: too near to 1 to come out the same each time, as a run's bytes must."""
FIRST_LOOK_TOKENS, CLEARLY_SLOWER = 256, 0.5
"""Without bf16 units the whole measurement would take half a minute to say what a piece of it says at once."""


class Rate(Protocol):
    """Operations a second of a layer of such towers."""

    def __call__(self, config: TowersConfig, device: torch.device, *, is_bfloat16: bool, most_tokens: int) -> float: ...


def faster_precision(config: TowersConfig, device: torch.device, rate: Rate = layer_flops_a_second) -> Precision:
    """bfloat16 where it makes a layer of these towers, there and back, clearly faster than float32; else float32."""
    if config.vit.width < NARROWEST:
        return "float32"
    float32, bfloat16 = (rate(config, device, is_bfloat16=is_it, most_tokens=FIRST_LOOK_TOKENS) for is_it in BOTH)
    if bfloat16 < CLEARLY_SLOWER * float32:
        return "float32"
    # In turns, and the best of each: what else the machine does must not decide.
    rates = [[rate(config, device, is_bfloat16=is_it, most_tokens=TOKENS) for is_it in BOTH] for _ in range(ROUNDS)]
    float32, bfloat16 = (max(found) for found in zip(*rates, strict=True))
    return "bfloat16" if bfloat16 > LEAST_GAIN * float32 else "float32"
