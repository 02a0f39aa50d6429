"""Which views of a chip a step shows, and through which window."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, UInt64

KNOWN_SHARE = 10
"""One view of so many is shown as of a kind that the tower does not know, so that it learns to do without."""


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """How a chip is looked at in training."""

    per_modality: int = 1
    """Channels of each modality that a step shows, another for each view where the chip has others."""
    crop: float = 1.0
    """Least side of the window that a step shows, as a share of the chip's."""
    patch_px: int = 1
    """A window is whole patches wide."""
    turns: bool = True
    """Whether images are flipped and turned."""
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By modality, the kinds that towers are told."""

    def views_of(self, modality: str) -> tuple[str, ...]:
        """Names of the views: the modality's own, then `MODALITY/2`, ..."""
        return (modality, *(f"{modality}/{number}" for number in range(2, self.per_modality + 1)))

    @property
    def is_turned_together(self) -> bool:
        """All views of a chip lie the same way, as in the paper, where no window moves them apart."""
        return self.crop == 1 and self.per_modality == 1

    def kind_number(self, modality: str, kind: str) -> int:
        """As `Towers.kind_number`."""
        known = self.kinds.get(modality, ())
        return known.index(kind) if kind in known else len(known)

    def sides_px(self, chip_px: int) -> range:
        """Sides that a window may have: any whole number of patches from the least one on."""
        least = max(1, -(-round(self.crop * chip_px) // self.patch_px))
        return range(least * self.patch_px, chip_px + 1, self.patch_px)


def windows(
    images: Float32[np.ndarray, "B 1 H W"], side_px: int, numbers: UInt64[np.ndarray, " B"]
) -> Float32[np.ndarray, "B 1 h w"]:
    """Of each image the square window that its number chooses, at the images' own resolution."""
    places = np.uint64(images.shape[-1] - side_px + 1)
    tops, lefts = numbers % places, numbers // places % places
    cut = np.empty((*images.shape[:2], side_px, side_px), dtype=np.float32)
    for row, (top, left) in enumerate(zip(tops.astype(int), lefts.astype(int), strict=True)):
        cut[row] = images[row, :, top : top + side_px, left : left + side_px]
    return cut
