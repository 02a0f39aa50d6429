"""Curves of a training for TensorBoard, as it goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from terrashot.errors import MissingExtraError
from terrashot.store.study import Study


@dataclass(frozen=True, slots=True)
class Board:
    """Where each epoch's numbers go beside metrics.jsonl; nowhere unless that was asked for."""

    write: Callable[[str, float, int], object] = lambda name, value, epoch: None

    def add(self, metrics: Mapping[str, Any]) -> None:
        """The numbers of one epoch, each under its name and those inside it."""
        for name, value in _flat("", metrics):
            self.write(name, value, metrics["epoch"] + 1)


def open_board(study: Study, *, is_asked_for: bool) -> Board:
    """A board in the study's folder.

    Raises:
        MissingExtraError: asked for without the extra.
    """
    if not is_asked_for:
        return Board()
    try:
        from torch.utils.tensorboard import SummaryWriter  # late: an extra
    except ImportError:
        raise MissingExtraError(
            "[pretrain] tensorboard = true needs the extra: pip install 'terrashot[tensorboard]'"
        ) from None
    return Board(SummaryWriter(str(study.tensorboard), flush_secs=10).add_scalar)


def _flat(prefix: str, content: Mapping[str, Any]) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in content.items():
        path = f"{prefix}{name}".replace(">", "-to-")
        found += _flat(f"{path}/", value) if isinstance(value, Mapping) else [(path, float(value))]
    return found
