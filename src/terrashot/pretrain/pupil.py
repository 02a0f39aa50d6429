"""What a step makes of a batch: the towers, called once for all views, so that ranks exchange gradients once."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from terrashot.model.towers import Towers, modality_of


class Pupil(nn.Module):
    """The towers, called with the views of some chips."""

    def __init__(self, towers: Towers) -> None:
        super().__init__()
        self.towers = towers

    def forward(
        self,
        pixels: Mapping[str, Float[Tensor, "B 1 H W"]],
        kinds: Mapping[str, Int64[Tensor, " B"]],
        present: Mapping[str, Bool[Tensor, " B"]],
        kept: Mapping[str, Int64[Tensor, "B K"]] | None = None,
    ) -> dict[str, Float[Tensor, "B D"]]:
        """By view vectors of unit length, in the space where modalities agree; 0 in rows that do not have it, which cost
        nothing. K patches are looked at, or all."""
        vectors = {}
        for view, images in pixels.items():
            rows = _rows_of(present[view])
            shown = None if kept is None else kept[view][rows]
            seen = self.towers.see(images[rows], modality_of(view), kinds[view][rows], shown)
            vectors[view] = _in_rows(seen.vector, rows, len(images))
        return vectors


def _rows_of(present: Bool[Tensor, " B"]) -> Int64[Tensor, " _"]:
    """The rows that have a view; where none has, the first: ranks that exchange gradients wait for every weight's."""
    rows = present.nonzero()[:, 0]
    return rows if len(rows) else torch.zeros(1, dtype=torch.int64)


def _in_rows(found: Float[Tensor, "_ ..."], rows: Int64[Tensor, " _"], n_rows: int) -> Float[Tensor, "B ..."]:
    """Each where it belongs, among zeros."""
    return found.new_zeros(n_rows, *found.shape[1:]).index_copy(0, rows.to(found.device), found)
