"""A transformer behind a small convolutional stem, told which kind of channel it sees, read out over all its tokens.

It has no class token and no positions: where a chip's windows are cut at random, what is there tells more than where it
lies, and chips of any size fit. Nothing in it looks across chips, so that pieces of a batch give what the batch gives.

Source: Xiao et al. 2021, arXiv:2106.14881 (convolutional stem); what each part gives: docs/what-did-not-work.md.
"""

from collections.abc import Callable
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from terrashot.model.local_contrast import N_PLANES, with_local_contrast
from terrashot.model.vit import INIT_SPREAD, NORM_EPSILON, Block, VitConfig, called, refuse_part_patches, replayed

NORM_GROUPS, KERNEL_PX = 8, 3
POOLED = 2
"""Mean and spread."""
VARIANCE_FLOOR = 1e-6
"""The slope of a spread would be infinite at 0."""


class TokenTower(nn.Module):
    """A tower that answers with the mean and the spread of its tokens."""

    def __init__(self, config: VitConfig, n_kinds: int) -> None:
        super().__init__()
        self.config = config
        self.stem = ConvStem(config)
        self.kind_embed = nn.Parameter(torch.zeros(n_kinds + 1, config.width))
        """A row each kind of channel; the last stands for a kind that the tower does not know."""
        self.blocks = nn.ModuleList(Block(config.width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, NORM_EPSILON)
        self.settled = Settled(POOLED * config.width)

    def forward(
        self,
        pixels: Float[Tensor, "B 1 H W"],
        kinds: Int64[Tensor, " B"],
        kept: Int64[Tensor, "B K"] | None = None,
        *,
        checkpointing: bool = False,
    ) -> Float[Tensor, "B F"]:
        """Mean and spread over the tokens of the last layer, settled: what the heads of training read.

        Args:
            kinds: row of `kind_embed` of each chip's channel.
            kept: as for `VisionTransformer`.

        Raises:
            InputError: the chips are not square, or not whole patches wide.
        """
        _, last = self._tokens(pixels, kinds, kept, checkpointing)
        return self.settled(pooled(last))

    def look(
        self, pixels: Float[Tensor, "B 1 H W"], kinds: Int64[Tensor, " B"]
    ) -> tuple[Float[Tensor, "B _"], Float[Tensor, "B F"]]:
        """Mean and spread of what the stem's last convolution reads, beside those of the last layer; and what `forward` gives."""
        fine, last = self._tokens(pixels, kinds, None, False)
        deep = pooled(last)
        return torch.cat([pooled(fine.flatten(2).transpose(1, 2)), deep], dim=1), self.settled(deep)

    def _tokens(
        self, pixels: Float[Tensor, "B 1 H W"], kinds: Int64[Tensor, " B"], kept: Tensor | None, checkpointing: bool
    ) -> tuple[Float[Tensor, "B C h w"], Float[Tensor, "B T D"]]:
        """What the stem's last convolution reads, and the tokens after the last layer."""
        refuse_part_patches(pixels, self.config)
        run = replayed if checkpointing and torch.is_grad_enabled() else called
        # Laid out token by token: else every sum and norm that follows would stride (a seventh of the time of a step on a CPU).
        fine, patches = self.stem(pixels)
        tokens = patches.flatten(2).transpose(1, 2).contiguous() + self.kind_embed[kinds][:, None]
        if kept is not None:
            tokens = tokens.gather(1, kept[..., None].expand(-1, -1, tokens.shape[-1]))
        for block in self.blocks:
            tokens = run(cast(Callable[[Tensor], Tensor], block), tokens)
        return fine, self.norm(tokens)


def stem_layers(config: VitConfig) -> list[tuple[int, int, int]]:
    """Width before, width after and stride of each convolution of the stem: the last ones halve the image."""
    halvings, widths = config.patch_px.bit_length() - 1, (N_PLANES, *config.stem, config.width)
    strides = [1] * (len(widths) - 1 - halvings) + [2] * halvings
    return list(zip(widths[:-1], widths[1:], strides, strict=True))


class ConvStem(nn.Module):
    """Convolutions of 3 x 3 over the image and its local contrast, that halve it until a pixel is a patch."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, stride in stem_layers(config):
            layers.append(nn.Conv2d(before, after, KERNEL_PX, stride, KERNEL_PX // 2))
            layers += [nn.GroupNorm(NORM_GROUPS, after), nn.GELU()] if len(layers) < 3 * len(config.stem) else []
        self.layers = nn.Sequential(*layers)

    def forward(self, pixels: Float[Tensor, "B 1 H W"]) -> tuple[Float[Tensor, "B C _ _"], Float[Tensor, "B D h w"]]:
        """What the last convolution reads, and one vector a patch."""
        *before, last = self.layers
        fine = with_local_contrast(pixels)
        for layer in before:
            fine = layer(fine)
        return fine, last(fine)


class Settled(nn.Module):
    """Pooled tokens, moved and stretched so that chips differ at all from the first step on.

    The pooled tokens of a fresh tower have far more in common than they differ by, and a contrast of them hardly starts. Batch
    norm would mend that, and make a chip's vector hang on the chips beside it.

    Source: Kingma and Dhariwal 2018, arXiv:1807.03039, section 3.1 (scale and bias that start at the first batch's moments).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(width))
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, vectors: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
        return (vectors - self.shift) * self.gain

    @torch.no_grad()
    def settle(self, vectors: Float[Tensor, "B F"]) -> None:
        """From now on such vectors have zero mean and unit spread."""
        spread, mean = torch.std_mean(vectors.float(), dim=0, correction=0)
        self.shift.copy_(mean)
        self.gain.copy_(1 / (spread + VARIANCE_FLOOR**0.5))


def pooled(tokens: Float[Tensor, "B T D"]) -> Float[Tensor, "B _"]:
    """Mean over the tokens beside their spread (standard deviation), in float32: 2 x D."""
    # Not `torch.var_mean`, which takes eight times as long across rows on a CPU.
    mean = tokens.float().mean(1)
    variance = (tokens.float() - mean[:, None]).square().mean(1)
    return torch.cat([mean, (variance + VARIANCE_FLOOR).sqrt()], dim=1)


def initialise_stem(part: nn.Module, generator: torch.Generator) -> None:
    """Fresh weights of what only a `TokenTower` has.

    Source: He et al. 2015, arXiv:1502.01852, equation 10 (convolutions).
    """
    if isinstance(part, nn.Conv2d):
        nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(cast(Tensor, part.bias))
    elif isinstance(part, nn.GroupNorm):
        nn.init.ones_(part.weight)
        nn.init.zeros_(part.bias)
    elif isinstance(part, Settled):
        nn.init.zeros_(part.shift)
        nn.init.ones_(part.gain)
    elif isinstance(part, TokenTower):
        nn.init.normal_(part.kind_embed, 0.0, INIT_SPREAD, generator=generator)
