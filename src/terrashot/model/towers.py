"""One transformer a modality, each with a projection into the space where they must agree."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from terrashot.errors import ConfigError
from terrashot.model.token_tower import NORM_GROUPS, POOLED, TokenTower, initialise_stem
from terrashot.model.vit import VisionTransformer, VitConfig, draw_linear, initialise

FIRST_SCALE = 1 / 0.07
LARGEST_SCALE = 100.0
"""Both of Radford et al. 2021, arXiv:2103.00020, section 2.5."""
TOKENS_AT_ONCE = {"cpu": 1 << 12, "cuda": 1 << 16}
"""Tokens embedded together where no gradient is needed: few enough to stay near the cores, many enough to fill them. That
of GPUs is an estimate: none was at hand."""
MODALITY_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_TOWERS, MOST_KINDS, MOST_STEM = 16, 4096, 16
LARGEST_SIZES = {"width": 16_384, "depth": 128, "heads": 1024, "patch_px": 4096, "chip_px": 8192}
LARGEST_EMBEDDING = 65_536
"""A model card that asks for more is refused before any of it is built."""


@dataclass(frozen=True, slots=True)
class TowersConfig:
    """Shape of all towers."""

    modalities: tuple[str, ...]
    vit: VitConfig
    embedding: int
    """Length of an embedding; behind a stem it begins with what the tower saw, and the rest is `shared`."""
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By modality, the kinds of channel that a tower behind a stem is told apart."""
    differences: bool = False
    """The towers also see differences of channels, as channels of their own (`store/differences.py`)."""

    @property
    def shared(self) -> int:
        """The last so many numbers of an embedding lie in the space where modalities agree."""
        vit = self.vit
        return self.embedding - POOLED * (vit.stem[-1] + vit.width) if vit.stem else self.embedding

    def as_json(self) -> dict[str, object]:
        """Plain values, for model.json."""
        vit = asdict(self.vit)
        stem = vit.pop("stem")
        content = {"modalities": list(self.modalities), "vit": vit, "embedding": self.embedding}
        if not stem:
            return content | ({"differences": True} if self.differences else {})
        kinds = {name: list(own) for name, own in self.kinds.items()}
        return content | {"vit": vit | {"stem": list(stem)}, "kinds": kinds, "differences": self.differences}


def config_from_json(content: Mapping[str, object]) -> TowersConfig:
    """The config that `as_json` gave.

    Raises:
        TypeError, KeyError, ValueError: it is not of that form, or not of a size that towers have.
    """
    sizes, names, embedding = content["vit"], content["modalities"], content["embedding"]
    if not isinstance(sizes, dict) or set(sizes) - {"stem"} != set(LARGEST_SIZES):
        raise ValueError("no sizes of a transformer")
    for value, most in (*((sizes[name], most) for name, most in LARGEST_SIZES.items()), (embedding, LARGEST_EMBEDDING)):
        _refuse_no_size(value, most)
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_TOWERS:
        raise ValueError("no list of modalities")
    vit = VitConfig(**{**sizes, "stem": _stem_from_json(sizes.get("stem", []))})
    modalities = tuple(str(name) for name in names)
    kinds = _kinds_from_json(content.get("kinds", {}), modalities)
    config = TowersConfig(modalities, vit, cast(int, embedding), kinds, content.get("differences", False) is True)
    refuse_unbuildable(config)
    return config


def _refuse_no_size(value: object, most: int) -> None:
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"{value!r} is no size of a tower")


def _stem_from_json(widths: object) -> tuple[int, ...]:
    if not isinstance(widths, list) or len(widths) > MOST_STEM:
        raise ValueError("no widths of a stem")
    for value in widths:
        _refuse_no_size(value, LARGEST_SIZES["width"])
    return tuple(widths)


def _kinds_from_json(content: object, modalities: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if not isinstance(content, dict) or not set(content) <= set(modalities):
        raise ValueError("no kinds of channels by modality")
    for own in content.values():
        if not isinstance(own, list) or len(own) > MOST_KINDS or len(set(map(str, own))) < len(own):
            raise ValueError("no list of kinds")
    return {name: tuple(str(kind) for kind in own) for name, own in content.items()}


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
    if vit.stem:
        _refuse_stem(config)
    for name in config.modalities:
        # torch keeps towers by name beside its own attributes, and joins names with dots.
        if not MODALITY_NAME.fullmatch(name) or hasattr(nn.ModuleDict, name):
            raise ConfigError(f"modality '{name}': a tower cannot have this name; use letters, digits, - and _")


def _refuse_stem(config: TowersConfig) -> None:
    vit, halvings = config.vit, config.vit.patch_px.bit_length() - 1
    if vit.patch_px != 1 << halvings or halvings > len(vit.stem) + 1:
        raise ConfigError(
            f"patches of {vit.patch_px} px behind {len(vit.stem) + 1} convolutions, of which each halves the image at most; "
            "choose a power of two, and a stem deep enough"
        )
    if any(width % NORM_GROUPS for width in vit.stem):
        raise ConfigError(f"stem widths {vit.stem} do not divide into {NORM_GROUPS} groups; change them")
    if config.shared < 1:
        raise ConfigError(
            f"an embedding of {config.embedding} does not hold twice stem and layer widths and more; make it longer"
        )


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
        self,
        pixels: Float[Tensor, "B 1 H W"],
        modality: str,
        kinds: Int64[Tensor, " B"] | None = None,
        kept: Int64[Tensor, "B K"] | None = None,
    ) -> Float[Tensor, "B D"]:
        """Unit-length vectors of one scaled channel of each chip, in float32 whatever the products are in.

        They are as long as an embedding and end in its shared part, unit length each, over the square root of two; without a
        stem the shared part is all.
        """
        tower = self.towers[modality]
        if not isinstance(tower, TokenTower):
            return self.see(pixels, modality, kinds, kept).vector
        looked, settled = tower.look(pixels.to(self.log_scale.device), self._told(modality, kinds, len(pixels)), kept)
        joined = torch.cat([F.normalize(looked, dim=-1), self._agreed(settled, modality)], dim=1)
        return joined / math.sqrt(2)

    def _agreed(self, pooled: Float[Tensor, "B F"], modality: str) -> Float[Tensor, "B D"]:
        return F.normalize(self.projections[modality](pooled).float(), dim=-1)

    def _told(self, modality: str, kinds: Int64[Tensor, " B"] | None, n_chips: int) -> Int64[Tensor, " B"]:
        unknown = len(self.config.kinds.get(modality, ()))
        told = torch.full((n_chips,), unknown) if kinds is None else kinds
        return told.to(self.log_scale.device)

    @torch.inference_mode()
    def embed_all(
        self, pixels: Float[Tensor, "B 1 H W"], modality: str, kinds: Int64[Tensor, " B"] | None = None
    ) -> Float[Tensor, "B D"]:
        """The same without a gradient, a few chips at a time, so that memory does not grow with B; on the CPU."""
        tokens = (pixels.shape[-1] // self.config.vit.patch_px) ** 2 + 1
        at_once = max(1, TOKENS_AT_ONCE[self.log_scale.device.type] // tokens)
        told = self._told(modality, kinds, len(pixels))
        parts = zip(torch.split(pixels, at_once), torch.split(told, at_once), strict=True)
        return torch.cat([self.embed(part, modality, own).cpu() for part, own in parts])

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
