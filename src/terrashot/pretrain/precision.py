"""Which number type trains faster here, by measurement: what a processor is called does not tell."""

import time
from collections.abc import Callable

import torch
from torch import nn

from terrashot.model.towers import TowersConfig
from terrashot.model.vit import Block
from terrashot.pretrain.settings import Precision

TOKENS = 2048
ROUNDS = 5
LEAST_GAIN = 1.3
"""Measured gains of a layer lie well apart from it: on an x86 processor with bf16 matrix units 2.0 to 3.0 (width 192 and
384 at 64 and 448 px); without such units 0.1 to 0.5 or, with bf16 dot products, 1.5 to 2."""
NARROWEST = 128
"""Narrower layers gain 0.7 to 1.6 there: too near to 1 to come out the same each time, as a run's bytes must."""


def faster_precision(config: TowersConfig, device: torch.device) -> Precision:
    """bfloat16 where it makes one layer of these towers, forward and backward, clearly faster than float32; else float32."""
    vit = config.vit
    if vit.width < NARROWEST:
        return "float32"
    tokens = vit.side_patches**2 + 1
    layer = Block(vit.width, vit.heads).to(device)
    shown = torch.ones(max(1, TOKENS // tokens), tokens, vit.width, device=device)
    calls = [lambda wide=wide: _pass(layer, shown, wide) for wide in (True, False)]
    float32, bfloat16 = (min(times) for times in zip(*(map(_seconds, calls) for _ in range(ROUNDS)), strict=True))
    return "bfloat16" if float32 > LEAST_GAIN * bfloat16 else "float32"


def _pass(layer: nn.Module, shown: torch.Tensor, is_wide: bool) -> None:
    with torch.autocast(shown.device.type, torch.bfloat16, enabled=not is_wide):
        answer = layer(shown)
    answer.float().sum().backward()
    if shown.device.type == "cuda":
        torch.cuda.synchronize(shown.device)


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
