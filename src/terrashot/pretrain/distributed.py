"""The process group as a value."""

from dataclasses import dataclass

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor


@dataclass(frozen=True, slots=True)
class World:
    """This process's place in the group. Alone it needs no group: everything it asks for is its own."""

    rank: int = 0
    size: int = 1

    def share(self, rows: int) -> slice:
        """This rank's rows of a batch, in rank order; ranks at the end may have fewer than `rows_each`, or none."""
        each = self.rows_each(rows)
        return slice(min(rows, self.rank * each), min(rows, (self.rank + 1) * each))

    def rows_each(self, rows: int) -> int:
        """The most rows of a batch that a rank has."""
        return -(-rows // self.size)

    def gather(self, local: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "G ..."]:
        """Rows of every rank, in rank order, without gradients. G = size * B; every rank brings as many rows."""
        if self.size == 1:
            return local
        sent = local.to(torch.uint8) if local.dtype == torch.bool else local.contiguous()
        parts = [torch.empty_like(sent) for _ in range(self.size)]
        dist.all_gather(parts, sent)
        return torch.cat(parts).to(local.dtype)

    def total(self, local: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
        """Sum over ranks."""
        return self._reduced(local, dist.ReduceOp.SUM)

    def highest(self, local: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
        """Largest over ranks."""
        return self._reduced(local, dist.ReduceOp.MAX)

    def meet(self) -> None:
        """Returns once every rank is here."""
        self.total(torch.zeros(1))

    def _reduced(self, local: Tensor, operation: dist.ReduceOp.RedOpType) -> Tensor:
        if self.size == 1:
            return local
        answer = local.clone()
        dist.all_reduce(answer, operation)
        return answer


ALONE = World()
