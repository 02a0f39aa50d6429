"""A plain vision transformer for one-channel images.

Parameter names are those of timm's VisionTransformer, so that its weights load once their patch embedding is summed to
one input channel. Legend: h heads, d one head's share of D, t and T two numbers of tokens, K patches kept, A pixels of a
patch.

Source: Dosovitskiy et al. 2021, arXiv:2010.11929, section 3.1 (pre-norm encoder, class token, learnt positions).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from terrashot.errors import InputError

NORM_EPSILON = 1e-6
INIT_SPREAD = 0.02
SCORES_AT_ONCE = 1 << 21
"""Products of queries and keys that a CPU holds at a time, 4 MB in bfloat16: they stay near the core, also of many tokens."""


@dataclass(frozen=True, slots=True)
class VitConfig:
    """Shape of one transformer."""

    width: int
    depth: int
    heads: int
    patch_px: int
    chip_px: int
    """Side of the images whose positions are learnt; others are interpolated."""
    stem: tuple[int, ...] = ()
    """Widths of convolutions before the tokens, which then know no positions (`token_tower.py`); none: plain patches."""

    @property
    def side_patches(self) -> int:
        return self.chip_px // self.patch_px


class Attention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        query, key, value = self._heads(self.qkv(tokens), 3)
        return self._mixed(query, key, value)

    def of_first(self, tokens: Float[Tensor, "B T D"]) -> Float[Tensor, "B 1 D"]:
        """What `forward` gives the first token."""
        width = tokens.shape[-1]
        weight, bias = self.qkv.weight, self.qkv.bias
        (query,) = self._heads(F.linear(tokens[:, :1], weight[:width], bias[:width]), 1)
        key, value = self._heads(F.linear(tokens, weight[width:], bias[width:]), 2)
        return self._mixed(query, key, value)

    def _heads(self, joined: Float[Tensor, "B T _"], parts: int) -> tuple[Float[Tensor, "B h T d"], ...]:
        batch, length, width = joined.shape
        split = joined.view(batch, length, parts, self.heads, width // parts // self.heads)
        # Taken apart before the axes turn: the gradients then join in the order of `joined`, in one copy and not two.
        return tuple(part.transpose(1, 2) for part in split.unbind(2))

    def _mixed(
        self, query: Float[Tensor, "B h t d"], key: Float[Tensor, "B h T d"], value: Float[Tensor, "B h T d"]
    ) -> Float[Tensor, "B t D"]:
        return self.proj(attended(query, key, value).transpose(1, 2).flatten(2))


def attended(
    query: Float[Tensor, "B h t d"], key: Float[Tensor, "B h T d"], value: Float[Tensor, "B h T d"]
) -> Float[Tensor, "B h t d"]:
    """For each query, the mean of the values, weighted by the softmax of its products with the keys.

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1.
    """
    if query.device.type == "cpu" and query.dtype == torch.bfloat16:
        # The fused one takes longer there (torch 2.13, one core): a third for 785 tokens in three heads of 64 without a
        # gradient; with it 7 times as long for 65 tokens in two heads of 32 (AMX).
        at_once = max(1, SCORES_AT_ONCE // (query.shape[1] * query.shape[2] * key.shape[2]))
        parts = zip(*(torch.split(part, at_once) for part in (query, key, value)), strict=True)
        return torch.cat([_weighted(*part) for part in parts])
    return F.scaled_dot_product_attention(query, key, value)


def _weighted(
    query: Float[Tensor, "B h t d"], key: Float[Tensor, "B h T d"], value: Float[Tensor, "B h T d"]
) -> Float[Tensor, "B h t d"]:
    return (query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)).softmax(-1) @ value


class Mlp(nn.Module):
    """Two layers, four times as wide between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, tokens: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        return self.fc2(F.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """One pre-norm layer: attention, then MLP, each added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, NORM_EPSILON)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, NORM_EPSILON)
        self.mlp = Mlp(width)

    def forward(self, tokens: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))

    def of_first(self, tokens: Float[Tensor, "B T D"]) -> Float[Tensor, "B 1 D"]:
        """What `forward` gives the first token, without the work that only the other tokens need."""
        first = tokens[:, :1] + self.attn.of_first(self.norm1(tokens))
        return first + self.mlp(self.norm2(first))


class PatchEmbed(nn.Module):
    """Image patches as tokens, row by row."""

    def __init__(self, patch_px: int, width: int) -> None:
        super().__init__()
        self.patch_px = patch_px
        self.proj = nn.Conv2d(1, width, patch_px, stride=patch_px)

    def forward(
        self, pixels: Float[Tensor, "B 1 H W"], kept: Int64[Tensor, "B K"] | None = None
    ) -> Float[Tensor, "B T D"]:
        patches = self._patches(pixels)
        if kept is not None:
            patches = patches.gather(1, kept[..., None].expand(-1, -1, patches.shape[-1]))
        # The convolution as one matrix product: 1.1 to 1.25 times as fast on 2 cores at 64 px.
        return F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)

    def _patches(self, pixels: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B T A"]:
        side = self.patch_px
        batch, rows, cols = len(pixels), pixels.shape[-2] // side, pixels.shape[-1] // side
        squares = pixels.reshape(batch, rows, side, cols, side).transpose(2, 3)
        return squares.reshape(batch, rows * cols, side * side)


class VisionTransformer(nn.Module):
    """A transformer that reads one channel of one chip and answers with its class token."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = PatchEmbed(config.patch_px, config.width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.side_patches**2 + 1, config.width))
        self.blocks = nn.ModuleList(Block(config.width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, NORM_EPSILON)

    def forward(
        self,
        pixels: Float[Tensor, "B 1 H W"],
        kept: Int64[Tensor, "B K"] | None = None,
        *,
        checkpointing: bool = False,
    ) -> Float[Tensor, "B D"]:
        """The class token after the last layer.

        Args:
            kept: each chip's patches to look at, by row-major number; all of them if None. The others cost nothing.
            checkpointing: keep only what goes in between layers, and compute the rest again in the backward pass.

        Raises:
            InputError: the chips are not square, or not whole patches wide.
        """
        refuse_part_patches(pixels, self.config)
        tokens = self._tokens(pixels, kept)
        run = replayed if checkpointing and torch.is_grad_enabled() else called
        for block in self.blocks[:-1]:
            tokens = run(block, tokens)
        # Only the class token leaves, so the last layer answers for it alone: 0.8 of the work at depth 4.
        last = cast(Block, self.blocks[-1])
        return self.norm(run(last.of_first, tokens))[:, 0]

    def _tokens(self, pixels: Float[Tensor, "B 1 H W"], kept: Int64[Tensor, "B K"] | None) -> Float[Tensor, "B T D"]:
        """The class token and the patches, each with its position."""
        positions = positions_for(self.pos_embed, pixels.shape[-1] // self.config.patch_px)
        of_patches = positions[:, 1:] if kept is None else F.embedding(kept, positions[0, 1:])
        class_token = (self.cls_token + positions[:, :1]).expand(len(pixels), -1, -1)
        return torch.cat([class_token, self.patch_embed(pixels, kept) + of_patches], dim=1)


def refuse_part_patches(pixels: Float[Tensor, "B 1 H W"], config: VitConfig) -> None:
    """Nothing, for square chips of whole patches.

    Raises:
        InputError: other chips.
    """
    height, width = pixels.shape[-2:]
    if height != width or height % config.patch_px:
        raise InputError(
            f"chips of {height} x {width} px do not divide into the model's patches of {config.patch_px} px; "
            "cut or resample them, or choose another model"
        )


def called(layer: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
    """What the layer gives."""
    return layer(tokens)


def replayed(layer: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
    """The same, of which nothing but what goes in is kept for the way back."""
    # No layer draws at random, so there is no state of a generator to keep.
    return cast(Tensor, checkpoint(layer, tokens, use_reentrant=False, preserve_rng_state=False))


def positions_for(learnt: Float[Tensor, "1 T D"], side_patches: int) -> Float[Tensor, "1 Tnew D"]:
    """The learnt positions, bicubically interpolated to another number of patches a side; the class token's stays."""
    learnt_side = round((learnt.shape[1] - 1) ** 0.5)
    if side_patches == learnt_side:
        return learnt
    lattice = learnt[:, 1:].transpose(1, 2).reshape(1, -1, learnt_side, learnt_side)
    resized = F.interpolate(lattice, size=(side_patches, side_patches), mode="bicubic", antialias=True)
    return torch.cat([learnt[:, :1], resized.flatten(2).transpose(1, 2)], dim=1)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Fresh weights: matrices as wide as their sides ask for, positions and class token near 0, biases 0, norms 1.

    A fixed spread of 0.02 is too small for narrow towers: on the simulated Earth (745 chips, preset `tiny`) the
    validation loss after 20 epochs was 4.74 with it and 4.57 with this.

    Source: Glorot and Bengio 2010, AISTATS, equation 16, for each of query, key and value alone.
    """
    for part in module.modules():
        if isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)
        elif isinstance(part, Attention):
            _draw_matrices(part.qkv, 3, generator)
            _draw_matrices(part.proj, 1, generator)
        elif isinstance(part, Mlp):
            _draw_matrices(part.fc1, 1, generator)
            _draw_matrices(part.fc2, 1, generator)
        elif isinstance(part, PatchEmbed):
            nn.init.normal_(part.proj.weight, 0.0, 1 / part.patch_px, generator=generator)
            nn.init.zeros_(cast(Tensor, part.proj.bias))
        elif isinstance(part, VisionTransformer):
            nn.init.normal_(part.cls_token, 0.0, INIT_SPREAD, generator=generator)
            nn.init.normal_(part.pos_embed, 0.0, INIT_SPREAD, generator=generator)


def draw_linear(layer: nn.Linear, generator: torch.Generator) -> None:
    """Fresh weights of one layer, bias 0."""
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


@torch.no_grad()
def _draw_matrices(layer: nn.Linear, parts: int, generator: torch.Generator) -> None:
    for matrix in layer.weight.chunk(parts):
        nn.init.xavier_uniform_(matrix, generator=generator)
    nn.init.zeros_(layer.bias)
