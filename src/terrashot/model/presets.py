"""Named sizes of towers."""

from collections.abc import Sequence
from dataclasses import dataclass

from terrashot.model.towers import TowersConfig
from terrashot.model.vit import VitConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """A size; the chip's side comes from the study."""

    width: int
    depth: int
    heads: int
    patch_px: int
    embedding: int

    def towers(self, modalities: Sequence[str], chip_px: int) -> TowersConfig:
        """The towers of this size for chips of this side."""
        vit = VitConfig(self.width, self.depth, self.heads, self.patch_px, chip_px)
        return TowersConfig(tuple(modalities), vit, self.embedding)


PRESETS: dict[str, Preset] = {
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
