"""The process group as a value."""

from dataclasses import dataclass

import torch
import torch.distributed
import torch.distributed.nn
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True)
class World:
    """This process's place in the group."""

    rank: int = 0
    size: int = 1

    def gather(self, local: Float[Tensor, "B D"]) -> Float[Tensor, "G D"]:
        """Rows of every rank, in rank order, with gradients. G = size * B; every rank brings as many rows."""
        if self.size == 1:
            return local
        return torch.cat(torch.distributed.nn.all_gather(local))  # type: ignore[no-untyped-call]

    def gather_mask(self, local: Bool[Tensor, " B"]) -> Bool[Tensor, " G"]:
        """Masks of every rank, in rank order."""
        if self.size == 1:
            return local
        masks = [torch.empty_like(local, dtype=torch.uint8) for _ in range(self.size)]
        torch.distributed.all_gather(masks, local.to(torch.uint8))
        return torch.cat(masks).bool()
