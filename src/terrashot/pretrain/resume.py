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
        progress, tensors = _read(folder)
        _refuse_another_run(folder, progress.run, run)
        towers.load_state_dict(_part(tensors, "last"))
        for name, parameter in towers.named_parameters():
            optimiser.state[parameter] = {key: tensors[f"{key}/{name}"] for key in MOMENTS}
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        if isinstance(error, IntegrityError):
            raise
        raise IntegrityError(
            f"{folder}: the state of this training is damaged; delete the folder to begin again"
        ) from None
    return progress, _part(tensors, "best")


def _read(folder: Path) -> tuple[Progress, dict[str, Tensor]]:
    if (folder / CARD).stat().st_size > LARGEST_CARD_BYTES:
        raise ValueError("too large")
    card = json.loads((folder / CARD).read_bytes())
    if card["format"] > FORMAT_VERSION:
        raise IntegrityError(
            f"{folder}: format {card['format']}, this terrashot reads up to {FORMAT_VERSION}; update terrashot"
        )
    # Path.name: the card names a file beside it and nothing else.
    content = (folder / Path(card["tensors"]).name).read_bytes()
    if sha256_of(content) != card["sha256"]:
        raise ValueError("its bytes are not those that were written")
    return Progress(**card["progress"]), load(content)


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
