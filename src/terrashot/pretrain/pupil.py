"""All that learns: the towers, and the heads that end with training."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from terrashot.model.towers import Towers, modality_of
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
        present: Mapping[str, Bool[Tensor, " B"]],
        kept: Mapping[str, Int64[Tensor, "B K"]] | None = None,
    ) -> Looked:
        """What it makes of each view, 0 in rows that do not have it and cost nothing; K patches are looked at, or all."""
        vectors, guesses = {}, {}
        for view, images in pixels.items():
            rows = _rows_of(present[view])
            shown = None if kept is None else kept[view][rows]
            seen = self.towers.see(images[rows], modality_of(view), kinds[view][rows], shown)
            vectors[view] = _in_rows(seen.vector, rows, len(images))
            if self.describer is not None:
                guesses[view] = _in_rows(self.describer(seen.pooled, view), rows, len(images))
        return Looked(vectors, guesses)


def _rows_of(present: Bool[Tensor, " B"]) -> Int64[Tensor, " _"]:
    """The rows that have a view; where none has, the first: ranks that exchange gradients wait for every weight's."""
    rows = present.nonzero()[:, 0]
    return rows if len(rows) else torch.zeros(1, dtype=torch.int64)


def _in_rows(found: Float[Tensor, "_ ..."], rows: Int64[Tensor, " _"], n_rows: int) -> Float[Tensor, "B ..."]:
    """Each where it belongs, among zeros."""
    return found.new_zeros(n_rows, *found.shape[1:]).index_copy(0, rows.to(found.device), found)
