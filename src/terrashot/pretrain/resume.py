"""What a killed run goes on from: weights, optimiser and what was measured, at the end of each epoch. No pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from terrashot.durable.files import make_folder, remove, sha256_of, write_bytes
from terrashot.errors import IntegrityError
from terrashot.model.towers import Towers

FORMAT_VERSION = 1
CARD = "state.json"
MOMENTS = ("exp_avg", "exp_avg_sq", "step")
LARGEST_CARD_BYTES = 1 << 28
BYTES_BESIDE_TENSORS = 1 << 24
"""The most that a safetensors header of ours takes, and more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything measured so far."""

    epochs_done: int
    metrics: list[dict[str, Any]]
    best_epoch: int
    best_loss: float
    run: dict[str, str]
    """What makes this run the run it is, by name: a state of another run is refused."""


def save_state(
    folder: Path, towers: Towers, optimiser: torch.optim.Optimizer, best: Mapping[str, Tensor], progress: Progress
) -> None:
    """`folder` holds the end of this epoch, whole, or that of the epoch before."""
    make_folder(folder)
    tensors = {f"last/{name}": tensor for name, tensor in towers.state_dict().items()}
    tensors |= {f"best/{name}": tensor for name, tensor in best.items()}
    for name, parameter in towers.named_parameters():
        tensors |= {f"{key}/{name}": optimiser.state[parameter][key] for key in MOMENTS}
    content = save({name: tensor.detach().clone().contiguous() for name, tensor in sorted(tensors.items())})
    # Named by its epoch: the card points to it, so that either state is whole at any moment.
    path = folder / f"epoch-{progress.epochs_done:06d}.safetensors"
    write_bytes(path, content)
    card = {"format": FORMAT_VERSION, "tensors": path.name, "sha256": sha256_of(content), "progress": asdict(progress)}
    write_bytes(folder / CARD, json.dumps(card, sort_keys=True).encode())
    for older in folder.glob("epoch-*.safetensors"):
        if older != path:
            remove(older)


def load_state(
    folder: Path, towers: Towers, optimiser: torch.optim.Optimizer, run: Mapping[str, str]
) -> tuple[Progress, dict[str, Tensor]] | None:
    """What was done and the best weights, after putting the state into towers and optimiser; None where there is none.

    Raises:
        IntegrityError: the state is damaged, or of other settings or chips; names which.
    """
    if not (folder / CARD).is_file():
        return None
    try:
        # Weights, the best ones, two moments of each.
        progress, tensors = _read(folder, 4 * sum(t.numel() * 4 for t in towers.state_dict().values()))
        _refuse_another_run(folder, progress.run, run)
        _refuse_other_tensors(towers, tensors)
        towers.load_state_dict(_part(tensors, "last"))
        for name, parameter in towers.named_parameters():
            optimiser.state[parameter] = {key: tensors[f"{key}/{name}"] for key in MOMENTS}
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        RecursionError,
        SafetensorError,
    ) as error:
        if isinstance(error, IntegrityError):
            raise
        raise IntegrityError(
            f"{folder}: the state of this training is damaged; delete the folder to begin again"
        ) from None
    return progress, _part(tensors, "best")


def _read(folder: Path, most_bytes: int) -> tuple[Progress, dict[str, Tensor]]:
    if (folder / CARD).stat().st_size > LARGEST_CARD_BYTES:
        raise ValueError("too large")
    card = json.loads((folder / CARD).read_bytes())
    if card["format"] > FORMAT_VERSION:
        raise IntegrityError(
            f"{folder}: format {card['format']}, this terrashot reads up to {FORMAT_VERSION}; update terrashot"
        )
    # Path.name: the card names a file beside it and nothing else.
    path = folder / Path(card["tensors"]).name
    if not path.is_file() or path.stat().st_size > most_bytes + BYTES_BESIDE_TENSORS:
        raise ValueError("no file, or one larger than these towers make")
    content = path.read_bytes()
    if sha256_of(content) != card["sha256"]:
        raise ValueError("its bytes are not those that were written")
    progress = Progress(**card["progress"])
    _refuse_bad_progress(progress)
    return progress, load(content)


def _refuse_bad_progress(progress: Progress) -> None:
    """Nothing, if every number is one that a training writes.

    Raises:
        TypeError, ValueError: otherwise.
    """
    counts = (progress.epochs_done, progress.best_epoch)
    if any(type(number) is not int or number < -1 for number in counts) or type(progress.best_loss) is not float:
        raise TypeError("no counts of epochs, or no loss")
    if not isinstance(progress.run, dict) or not isinstance(progress.metrics, list):
        raise TypeError("no run, or no metrics")
    if not all(isinstance(found, dict) for found in progress.metrics) or progress.best_epoch >= len(progress.metrics):
        raise ValueError("a best epoch that was not measured")


def _refuse_other_tensors(towers: Towers, tensors: Mapping[str, Tensor]) -> None:
    """Nothing, if these are weights, best weights and moments of these towers, and finite.

    Raises:
        ValueError: otherwise.
    """
    parameters = dict(towers.named_parameters())
    wanted = {f"{part}/{name}": t for part in ("last", "best") for name, t in towers.state_dict().items()}
    wanted |= {f"{key}/{name}": t for key in MOMENTS[:2] for name, t in parameters.items()}
    shapes = {name: (t.shape, t.dtype) for name, t in wanted.items()}
    shapes |= {f"step/{name}": (torch.Size(), torch.float32) for name in parameters}
    if {name: (t.shape, t.dtype) for name, t in tensors.items()} != shapes:
        raise ValueError("not the tensors of these towers")
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise ValueError("a number that is not finite")


def _refuse_another_run(folder: Path, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    changed = [name for name in sorted({*theirs, *ours}) if theirs.get(name) != ours.get(name)]
    if not changed:
        return
    name = changed[0]
    values = f": {theirs.get(name)} then, {ours.get(name)} now" if name.startswith("[") else ""
    raise IntegrityError(
        f"{folder} holds an unfinished training with other {', '.join(changed)}{values}; "
        "finish it as it was begun, or delete the folder to begin again"
    )


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{part}/")}
