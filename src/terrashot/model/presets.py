"""Named sizes of towers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """A size, and how towers of it are taught; the chip's side and the kinds of channel come from the study."""

    width: int
    depth: int
    heads: int
    patch_px: int
    embedding: int
    stem: tuple[int, ...] = ()
    differences: bool = False
    """The towers also see the differences of channels."""
    turns: int = 1
    """Quarter turns in which a chip is embedded."""
    views: int = 1
    """Channels of each modality that a step shows; the paper's is one."""
    crop: float = 1.0
    """Least side of the window that a step shows of a chip, as a share of it."""

    def towers(
        self, modalities: Sequence[str], chip_px: int, kinds: Mapping[str, Sequence[str]] | None = None
    ) -> TowersConfig:
        """The towers of this size for chips of this side.

        Args:
            kinds: by modality, what channels there are; only towers behind a stem are told.
        """
        vit = VitConfig(self.width, self.depth, self.heads, self.patch_px, chip_px, self.stem)
        told = {name: tuple(own) for name, own in (kinds or {}).items()} if self.stem else {}
        return TowersConfig(tuple(modalities), vit, self.embedding, told, self.differences, self.turns)


PRESETS: dict[str, Preset] = {
    # For few labels and one machine: what paid on real chips (docs/what-did-not-work.md), an hour on two cores.
    "small": Preset(
        width=128,
        depth=4,
        heads=4,
        patch_px=8,
        embedding=512,
        stem=(32, 64),
        differences=True,
        turns=4,
        views=2,
        crop=0.6,
    ),
    # For chips of 64 px, on a laptop in a minute. Four heads of 16 learn no better than two of 32 and are slower.
    "tiny": Preset(width=64, depth=4, heads=2, patch_px=8, embedding=64),
    # Allen et al. 2023, section 6: "11M to 100M parameters and embeddings of size 192 and 364"; the sizes are our
    # reading: 11.4, 16.7, 65.5 and 97.5 M for three towers at 448 px.
    "w192d8": Preset(width=192, depth=8, heads=3, patch_px=16, embedding=192),
    "w192d12": Preset(width=192, depth=12, heads=3, patch_px=16, embedding=192),
    "w384d12": Preset(width=384, depth=12, heads=6, patch_px=16, embedding=384),
    "w384d18": Preset(width=384, depth=18, heads=6, patch_px=16, embedding=384),
    # Allen et al. 2023, section 4.1: embeddings of 768, 259 M parameters: three ViT-B/16 at 448 px are 259.3 M.
    "paper": Preset(width=768, depth=12, heads=12, patch_px=16, embedding=768),
}
