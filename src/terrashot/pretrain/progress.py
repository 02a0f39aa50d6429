"""How far a training has come, as plain values."""

from dataclasses import dataclass, replace
from typing import Any

COUNTS = ("epochs_done", "steps_done", "best_epoch")


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything measured so far."""

    run: dict[str, str]
    """What makes this run the run it is, by name: a state of another run is refused."""
    epochs_done: int = 0
    steps_done: int = 0
    """Of the epoch that is not done yet."""
    losses: tuple[float, ...] = ()
    """Of these steps."""
    metrics: tuple[dict[str, Any], ...] = ()
    best_epoch: int = -1
    best_loss: float = float("inf")

    def after_step(self, loss: float) -> "Progress":
        """One step further."""
        return replace(self, steps_done=self.steps_done + 1, losses=(*self.losses, loss))

    def after_epoch(self, metrics: dict[str, Any]) -> "Progress":
        """At the end of the epoch that these metrics are of."""
        best = (self.epochs_done, metrics["val_loss"])
        if metrics["val_loss"] >= self.best_loss:
            best = (self.best_epoch, self.best_loss)
        return Progress(self.run, self.epochs_done + 1, 0, (), (*self.metrics, metrics), *best)

    @property
    def epochs_since_best(self) -> int:
        return self.epochs_done - 1 - self.best_epoch


def progress_from_json(content: dict[str, Any]) -> Progress:
    """The progress whose `asdict` was written as JSON.

    Raises:
        TypeError, ValueError: it is none that a training writes.
    """
    lists = {name: content[name] for name in ("losses", "metrics")}
    if not all(isinstance(found, list) for found in lists.values()):
        raise TypeError("no losses, or no metrics")
    progress = Progress(**content | {name: tuple(found) for name, found in lists.items()})
    if any(type(value) is not int or value < -1 for value in (getattr(progress, name) for name in COUNTS)):
        raise TypeError("no counts of epochs and steps")
    if type(progress.best_loss) is not float or not isinstance(progress.run, dict):
        raise TypeError("no loss, or no run")
    if not all(type(loss) is float for loss in progress.losses) or not all(
        isinstance(m, dict) for m in progress.metrics
    ):
        raise TypeError("a loss that is no number, or metrics without names")
    if not (len(progress.metrics) == progress.epochs_done > progress.best_epoch):
        raise ValueError("a best epoch that was not measured")
    if len(progress.losses) != progress.steps_done:
        raise ValueError("steps without a loss")
    return progress
