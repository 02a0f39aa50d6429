"""How fast a layer of some towers goes on this machine."""

import time

import torch

from terrashot.model.cost import layer_flops
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import Block

TOKENS, WIDTH = 2048, 256
"""So many tokens up to this width, and fewer in proportion beyond it: wide layers fill the machine with few."""
LEAST_S = 0.05


def layer_flops_a_second(
    config: TowersConfig, device: torch.device, *, is_bfloat16: bool, most_tokens: int = TOKENS
) -> float:
    """Operations a second of one layer, there and back; measured for 50 ms, and at least once after a first time.

    A product of matrices alone tells less: on a processor with bf16 matrix units whole training steps went at 0.08 to 0.25
    of its speed in bfloat16 and 0.3 to 1.2 in float32, but at 0.45 to 0.95 of a layer's.
    """
    vit = config.vit
    tokens = min(vit.side_patches**2 + 1, most_tokens)
    n_chips = max(1, most_tokens * WIDTH // max(WIDTH, vit.width) // tokens)
    layer = Block(vit.width, vit.heads).to(device)
    shown = torch.ones(n_chips, tokens, vit.width, device=device, requires_grad=True)
    _pass(layer, shown, is_bfloat16)
    count, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < LEAST_S or count == 0:
        _pass(layer, shown, is_bfloat16)
        count += 1
    return 3 * count * n_chips * layer_flops(vit, tokens) / spent


def _pass(layer: Block, shown: torch.Tensor, is_bfloat16: bool) -> None:
    with torch.autocast(shown.device.type, torch.bfloat16, enabled=is_bfloat16):
        answer = layer(shown)
    answer.float().sum().backward()
    if shown.device.type == "cuda":
        torch.cuda.synchronize(shown.device)
