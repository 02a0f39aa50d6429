"""A batch of views."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """One batch: of each view (`MODALITY` or `MODALITY/2`) a scaled channel of each chip; zeros where it is absent."""

    chip_ids: tuple[str, ...]
    """Of the first rows; rows beyond them are padding."""
    pixels: dict[str, Float[Tensor, "B 1 H W"]]
    present: dict[str, Bool[Tensor, " B"]]
    kinds: dict[str, Int64[Tensor, " B"]]
    """Numbers by which towers are told the kinds of these channels."""
    kept: dict[str, Int64[Tensor, "B K"]] | None = None
    """By view, row-major numbers of the patches that are shown, ascending; None where all are."""

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.present.values())))

    def rows(self, start: int, stop: int) -> "Views":
        """The views of these rows alone."""
        return Views(
            self.chip_ids[start:stop],
            {name: images[start:stop] for name, images in self.pixels.items()},
            {name: there[start:stop] for name, there in self.present.items()},
            {name: own[start:stop] for name, own in self.kinds.items()},
            None if self.kept is None else {name: own[start:stop] for name, own in self.kept.items()},
        )

    def padded(self, rows: int) -> "Views":
        """As many rows as asked for: those beyond the chips have no modality and show the first patches."""
        missing = rows - self.n_rows
        if not missing:
            return self
        return Views(
            self.chip_ids,
            {name: _with_zeros(images, missing) for name, images in self.pixels.items()},
            {name: _with_zeros(there, missing) for name, there in self.present.items()},
            {name: _with_zeros(own, missing) for name, own in self.kinds.items()},
            None if self.kept is None else {name: _with_first_patches(own, missing) for name, own in self.kept.items()},
        )


def _with_zeros(rows: Tensor, count: int) -> Tensor:
    return torch.cat([rows, rows.new_zeros(count, *rows.shape[1:])])


def _with_first_patches(kept: Int64[Tensor, "_ K"], count: int) -> Int64[Tensor, "_ K"]:
    return torch.cat([kept, torch.arange(kept.shape[1]).tile(count, 1)])
