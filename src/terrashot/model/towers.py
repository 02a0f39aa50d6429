"""One transformer a modality, each with a projection into the space where they must agree."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from terrashot.errors import ConfigError
from terrashot.model.vit import VisionTransformer, VitConfig, initialise

FIRST_SCALE = 1 / 0.07
LARGEST_SCALE = 100.0
"""Both of Radford et al. 2021, arXiv:2103.00020, section 2.5."""
TOKENS_AT_ONCE = {"cpu": 1 << 12, "cuda": 1 << 16}
"""Tokens embedded together where no gradient is needed: few enough to stay near the cores, many enough to fill them. That
of GPUs is an estimate: none was at hand."""
MODALITY_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_TOWERS = 16
LARGEST_SIZES = {"width": 16_384, "depth": 128, "heads": 1024, "patch_px": 4096, "chip_px": 8192}
LARGEST_EMBEDDING = 65_536
"""A model card that asks for more is refused before any of it is built."""


@dataclass(frozen=True, slots=True)
class TowersConfig:
    """Shape of all towers."""

    modalities: tuple[str, ...]
    vit: VitConfig
    embedding: int
    """Length of an embedding."""

    def as_json(self) -> dict[str, object]:
        """Plain values, for model.json."""
        return {"modalities": list(self.modalities), "vit": asdict(self.vit), "embedding": self.embedding}


def config_from_json(content: Mapping[str, object]) -> TowersConfig:
    """The config that `as_json` gave.

    Raises:
        TypeError, KeyError, ValueError: it is not of that form, or not of a size that towers have.
    """
    sizes, names, embedding = content["vit"], content["modalities"], content["embedding"]
    if not isinstance(sizes, dict) or set(sizes) != set(LARGEST_SIZES):
        raise ValueError("no sizes of a transformer")
    for value, most in (*((sizes[name], most) for name, most in LARGEST_SIZES.items()), (embedding, LARGEST_EMBEDDING)):
        if type(value) is not int or not 1 <= value <= most:
            raise ValueError(f"{value!r} is no size of a tower")
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_TOWERS:
        raise ValueError("no list of modalities")
    config = TowersConfig(tuple(str(name) for name in names), VitConfig(**sizes), cast(int, embedding))
    refuse_unbuildable(config)
    return config


def refuse_unbuildable(config: TowersConfig) -> None:
    """Nothing, for towers that can be built.

    Raises:
        ConfigError: chips that are not whole patches, a width that is not whole heads, a modality's name that is none.
    """
    vit = config.vit
    if vit.chip_px % vit.patch_px:
        raise ConfigError(
            f"chips of {vit.chip_px} px do not divide into patches of {vit.patch_px} px; "
            "change [grid] chip_px or [pretrain] preset"
        )
    if vit.width % vit.heads:
        raise ConfigError(f"a width of {vit.width} does not divide over {vit.heads} heads; change one of them")
    for name in config.modalities:
        # torch keeps towers by name beside its own attributes, and joins names with dots.
        if not MODALITY_NAME.fullmatch(name) or hasattr(nn.ModuleDict, name):
            raise ConfigError(f"modality '{name}': a tower cannot have this name; use letters, digits, - and _")


class Towers(nn.Module):
    """The towers, and the inverse temperature that they share."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        self.config = config
        self.towers = nn.ModuleDict({name: VisionTransformer(config.vit) for name in config.modalities})
        self.projections = nn.ModuleDict(
            {name: nn.Linear(config.vit.width, config.embedding, bias=False) for name in config.modalities}
        )
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

    def forward(
        self, pixels: Mapping[str, Float[Tensor, "B 1 H W"]], kept: Int64[Tensor, "B K"] | None = None
    ) -> dict[str, Float[Tensor, "B D"]]:
        """Unit-length vectors of one scaled channel of each chip, by modality; K patches are looked at, or all."""
        return {modality: self.embed(images, modality, kept) for modality, images in pixels.items()}

    def embed(
        self, pixels: Float[Tensor, "B 1 H W"], modality: str, kept: Int64[Tensor, "B K"] | None = None
    ) -> Float[Tensor, "B D"]:
        """Unit-length vectors of one scaled channel of each chip, in float32 whatever the products are in."""
        device = self.log_scale.device
        tower = cast(VisionTransformer, self.towers[modality])
        seen = tower(pixels.to(device), None if kept is None else kept.to(device), checkpointing=self.checkpointing)
        return F.normalize(self.projections[modality](seen).float(), dim=-1)

    @torch.inference_mode()
    def embed_all(self, pixels: Float[Tensor, "B 1 H W"], modality: str) -> Float[Tensor, "B D"]:
        """The same without a gradient, a few chips at a time, so that memory does not grow with B; on the CPU."""
        tokens = (pixels.shape[-1] // self.config.vit.patch_px) ** 2 + 1
        parts = torch.split(pixels, max(1, TOKENS_AT_ONCE[self.log_scale.device.type] // tokens))
        return torch.cat([self.embed(part, modality).cpu() for part in parts])

    @property
    def n_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


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
    for projection in towers.projections.children():
        nn.init.xavier_uniform_(cast(nn.Linear, projection).weight, generator=generator)
    nn.init.constant_(towers.log_scale, math.log(FIRST_SCALE))
    return towers
