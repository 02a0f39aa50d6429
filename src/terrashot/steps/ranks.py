"""The processes that `torchrun` starts: the first does every step of a run, the others join it for pretraining alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from terrashot.errors import WorkerLostError

LONGEST_STEP = timedelta(hours=2)
"""Between two exchanges while training; the first process validates and saves in between."""
LONGEST_WAIT = timedelta(days=30)
"""Until pretraining begins: the first process may have to read all chips before."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those of one run."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    """Those on this machine."""

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def call_to_train(self) -> None:
        """The others join the first in pretraining."""
        self._pass_on(True)

    def dismiss(self) -> None:
        """The others need not wait: there is nothing to train."""
        self._pass_on(False)

    def is_called_to_train(self) -> bool:
        """Whether there is something to train, once the first knows."""
        return self._pass_on(False)

    def _pass_on(self, word: bool) -> bool:
        """The first process's word."""
        if self.size == 1:
            return word
        import torch  # late: other steps need no torch
        import torch.distributed as dist

        passed = torch.tensor([float(word)])
        # Every process makes this group at the same point: it alone may wait for as long as the steps before take.
        dist.broadcast(passed, 0, group=dist.new_group(backend="gloo", timeout=LONGEST_WAIT))
        return bool(passed)


ONE_PROCESS = Ranks()


def ranks_of_torchrun() -> Ranks:
    """Who we are, as torchrun tells by environment variables; alone without them."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    if not all(name in os.environ for name in names):
        return ONE_PROCESS
    return Ranks(*(int(os.environ[name]) for name in names))


@contextmanager
def process_group(ranks: Ranks) -> Iterator[None]:
    """Inside, the processes can exchange tensors.

    Raises:
        WorkerLostError: one of the others is gone.
    """
    if ranks.size == 1:
        yield
        return
    import torch  # late: other steps need no torch
    import torch.distributed as dist

    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=LONGEST_STEP)
    try:
        yield
    except RuntimeError as error:
        # gloo has no error of its own; it names itself.
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise
        raise WorkerLostError(
            f"another of the {ranks.size} processes of this run is gone ({str(error).splitlines()[0][-80:]}); "
            "start all of them again: training goes on from where it was saved"
        ) from None
    finally:
        dist.destroy_process_group()
