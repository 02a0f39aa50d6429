"""One transformer a modality, each with a projection into the space where they must agree."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from terrashot.model.token_tower import POOLED, TokenTower, initialise_stem
from terrashot.model.towers_config import TowersConfig, refuse_unbuildable
from terrashot.model.vit import VisionTransformer, draw_linear, initialise

FIRST_SCALE = 1 / 0.07
LARGEST_SCALE = 100.0
"""Both of Radford et al. 2021, arXiv:2103.00020, section 2.5."""
TOKENS_AT_ONCE = {"cpu": 1 << 12, "cuda": 1 << 16}
"""Tokens embedded together where no gradient is needed: few enough to stay near the cores, many enough to fill them. That
of GPUs is an estimate: none was at hand."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tower makes of one channel of each chip."""

    pooled: Float[Tensor, "B F"]
    """What its heads read."""
    vector: Float[Tensor, "B D"]
    """Of unit length, in the space where modalities agree; float32."""


class Towers(nn.Module):
    """The towers, and the inverse temperature that they share."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        self.config = config
        self.towers = nn.ModuleDict({name: _tower(config, name) for name in config.modalities})
        self.projections = nn.ModuleDict({name: _projection(config) for name in config.modalities})
        self.log_scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))
        self.checkpointing = False
        """Whether layers are computed again in the backward pass, which takes time and saves memory; not a weight."""

    @property
    def scale(self) -> Float[Tensor, ""]:
        """Inverse temperature, dimensionless; at most 100 where `limit_scale` follows each step of an optimiser."""
        return self.log_scale.exp()

    @torch.no_grad()
    def limit_scale(self) -> None:
        """Brings the inverse temperature back to 100 if it is above; its gradient stays alive, so it can fall again."""
        self.log_scale.clamp_(max=math.log(LARGEST_SCALE))

    def kind_number(self, modality: str, kind: str) -> int:
        """The number by which a tower is told this kind of channel; kinds that it does not know share the last."""
        known = self.config.kinds.get(modality, ())
        return known.index(kind) if kind in known else len(known)

    def see(
        self,
        pixels: Float[Tensor, "B 1 H W"],
        modality: str,
        kinds: Int64[Tensor, " B"] | None = None,
        kept: Int64[Tensor, "B K"] | None = None,
    ) -> Seen:
        """What a tower makes of one scaled channel of each chip; K patches are looked at, or all.

        Args:
            kinds: `kind_number` of each chip's channel; None: not told.
        """
        device, tower = self.log_scale.device, self.towers[modality]
        shown, told = None if kept is None else kept.to(device), self._told(modality, kinds, len(pixels))
        if isinstance(tower, TokenTower):
            pooled = tower(pixels.to(device), told, shown, checkpointing=self.checkpointing)
        else:
            pooled = tower(pixels.to(device), shown, checkpointing=self.checkpointing)
        return Seen(pooled, self._agreed(pooled, modality))

    def embed(
        self, pixels: Float[Tensor, "B 1 H W"], modality: str, kinds: Int64[Tensor, " B"] | None = None
    ) -> Float[Tensor, "B D"]:
        """Unit-length vectors of one scaled channel of each chip, in float32 whatever the products are in.

        They are as long as an embedding and end in its shared part, unit length each, over the square root of two; without a
        stem the shared part is all. Of a chip in several turns each part is the mean, made unit length again: what lies
        which way round tells little of land, and a convolution sees it nonetheless.
        """
        told, shown = self._told(modality, kinds, len(pixels)), pixels.to(self.log_scale.device)
        turned = (torch.rot90(shown, turn, (2, 3)).contiguous() for turn in range(self.config.turns))
        looks = [self._looked(images, modality, told) for images in turned]
        parts = [F.normalize(torch.stack(part).mean(0), dim=-1) for part in zip(*looks, strict=True)]
        return torch.cat(parts, dim=1) / math.sqrt(len(parts))

    def _looked(
        self, pixels: Float[Tensor, "B 1 H W"], modality: str, told: Int64[Tensor, " B"]
    ) -> tuple[Float[Tensor, "B _"], ...]:
        """The parts of a vector, the shared one last."""
        tower = self.towers[modality]
        if not isinstance(tower, TokenTower):
            return (self.see(pixels, modality, told).vector,)
        looked, settled = tower.look(pixels, told)
        return F.normalize(looked, dim=-1), self._agreed(settled, modality)

    def _agreed(self, pooled: Float[Tensor, "B F"], modality: str) -> Float[Tensor, "B D"]:
        return F.normalize(self.projections[modality](pooled).float(), dim=-1)

    def _told(self, modality: str, kinds: Int64[Tensor, " B"] | None, n_chips: int) -> Int64[Tensor, " B"]:
        unknown = len(self.config.kinds.get(modality, ()))
        told = torch.full((n_chips,), unknown) if kinds is None else kinds
        return told.to(self.log_scale.device)

    def embed_all(
        self, pixels: Float[Tensor, "B 1 H W"], modality: str, kinds: Int64[Tensor, " B"] | None = None
    ) -> Float[Tensor, "B D"]:
        """The same without a gradient, a few chips at a time, so that memory does not grow with B; on the CPU."""
        return self._piece_by_piece(self.embed, pixels, modality, kinds)

    def agree_all(
        self, pixels: Float[Tensor, "B 1 H W"], modality: str, kinds: Int64[Tensor, " B"] | None = None
    ) -> Float[Tensor, "B D"]:
        """As `embed_all`, what `see` puts into the space where modalities agree, the chip as it lies."""
        return self._piece_by_piece(lambda *piece: self.see(*piece).vector, pixels, modality, kinds)

    @torch.inference_mode()
    def _piece_by_piece(
        self,
        of: Callable[..., Tensor],
        pixels: Float[Tensor, "B 1 H W"],
        modality: str,
        kinds: Int64[Tensor, " B"] | None,
    ) -> Float[Tensor, "B D"]:
        tokens = (pixels.shape[-1] // self.config.vit.patch_px) ** 2 + 1
        at_once = max(1, TOKENS_AT_ONCE[self.log_scale.device.type] // tokens)
        told = self._told(modality, kinds, len(pixels))
        parts = zip(torch.split(pixels, at_once), torch.split(told, at_once), strict=True)
        return torch.cat([of(part, modality, own).cpu() for part, own in parts])

    @property
    def n_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def modality_of(view: str) -> str:
    """The modality that a view shows: what stands before its number."""
    return view.partition("/")[0]


def _tower(config: TowersConfig, modality: str) -> nn.Module:
    if config.vit.stem:
        return TokenTower(config.vit, len(config.kinds.get(modality, ())))
    return VisionTransformer(config.vit)


def _projection(config: TowersConfig) -> nn.Module:
    """Linear; behind a stem with one layer between, so that what tells sensors apart need not leave the tower."""
    if not config.vit.stem:
        return nn.Linear(config.vit.width, config.embedding, bias=False)
    seen = POOLED * config.vit.width
    return nn.Sequential(nn.Linear(seen, seen), nn.GELU(), nn.Linear(seen, config.shared, bias=False))


def make_towers(config: TowersConfig, seed: int) -> Towers:
    """Towers with fresh weights: same config, same seed, same weights.

    Raises:
        ConfigError: such towers cannot be built.
    """
    refuse_unbuildable(config)
    # On the meta device first: torch's own constructors would draw from the global generator.
    with torch.device("meta"):
        towers = Towers(config)
    towers.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    initialise(towers.towers, generator)
    if config.vit.stem:
        for part in towers.towers.modules():
            initialise_stem(part, generator)
    for layer in towers.projections.modules():
        if isinstance(layer, nn.Linear):
            draw_linear(layer, generator)
    nn.init.constant_(towers.log_scale, math.log(FIRST_SCALE))
    return towers
