"""All that learns: the towers, and the heads that end with training."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor, nn

from terrashot.model.towers import Towers
from terrashot.pretrain.describe import Describer


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a pupil makes of the views of some chips."""

    vectors: dict[str, Float[Tensor, "B D"]]
    """By view: unit length, in the space where modalities agree."""
    guesses: dict[str, Float[Tensor, "B S Q"]]
    """By view, the descriptors of every kind of channel; none where nothing is described."""


class Pupil(nn.Module):
    """Towers and, where there is a second loss, its heads."""

    def __init__(self, towers: Towers, describer: Describer | None) -> None:
        super().__init__()
        self.towers = towers
        self.describer = describer

    def forward(
        self,
        pixels: Mapping[str, Float[Tensor, "B 1 H W"]],
        kinds: Mapping[str, Int64[Tensor, " B"]],
        kept: Int64[Tensor, "B K"] | None = None,
    ) -> Looked:
        """What it makes of each view; K patches are looked at, or all."""
        seen = self.towers(pixels, kinds, kept)
        vectors = {view: own.vector for view, own in seen.items()}
        heads = self.describer
        return Looked(vectors, {view: heads(own.pooled, view) for view, own in seen.items()} if heads else {})
