"""Shape of all towers: what a model card states of them, and which shapes cannot be built."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import cast

from torch import nn

from terrashot.errors import ConfigError
from terrashot.model.token_tower import NORM_GROUPS, POOLED
from terrashot.model.vit import VitConfig

MODALITY_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_TOWERS, MOST_KINDS, MOST_STEM, MOST_TURNS = 16, 4096, 16, 4
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
    turns: int = 1
    """Quarter turns in which a chip is embedded, which takes as many times as long; its vector is their mean."""

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
        chosen: dict[str, object] = {"differences": True} if self.differences else {}
        chosen |= {"turns": self.turns} if self.turns > 1 else {}
        if not stem:
            return content | chosen
        kinds = {name: list(own) for name, own in self.kinds.items()}
        return content | {"vit": vit | {"stem": list(stem)}, "kinds": kinds} | chosen


def config_from_json(content: Mapping[str, object]) -> TowersConfig:
    """The config that `as_json` gave.

    Raises:
        TypeError, KeyError, ValueError: it is not of that form, or not of a size that towers have.
    """
    sizes, names, embedding, turns = (
        content["vit"],
        content["modalities"],
        content["embedding"],
        content.get("turns", 1),
    )
    if not isinstance(sizes, dict) or set(sizes) - {"stem"} != set(LARGEST_SIZES):
        raise ValueError("no sizes of a transformer")
    of_vit = ((sizes[name], most) for name, most in LARGEST_SIZES.items())
    for value, most in (*of_vit, (embedding, LARGEST_EMBEDDING), (turns, MOST_TURNS)):
        _refuse_no_size(value, most)
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_TOWERS:
        raise ValueError("no list of modalities")
    vit = VitConfig(**{**sizes, "stem": _stem_from_json(sizes.get("stem", []))})
    modalities = tuple(str(name) for name in names)
    kinds = _kinds_from_json(content.get("kinds", {}), modalities)
    has_differences = content.get("differences", False) is True
    config = TowersConfig(modalities, vit, cast(int, embedding), kinds, has_differences, cast(int, turns))
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
