"""What a killed run goes on from: weights, optimiser and what was measured. No pickle.

Of the sampler, the schedule and the random draws nothing is kept but the numbers of epoch and step: all of them are
functions of these, of the seed and of a chip's id (`dataset.py`), on every rank.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from terrashot.durable.files import make_folder, remove, sha256_of_file, write_bytes
from terrashot.errors import IntegrityError
from terrashot.model.tensors import write_tensors
from terrashot.pretrain.progress import Progress, progress_from_json
from terrashot.pretrain.pupil import Pupil
from terrashot.pretrain.settings import Precision

FORMAT_VERSION = 3
CARD = "state.json"
MOMENTS = ("exp_avg", "exp_avg_sq", "step")
LARGEST_CARD_BYTES = 1 << 28
BYTES_BESIDE_TENSORS = 1 << 24
"""The most that a safetensors header of ours takes, and more."""
DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, RecursionError, SafetensorError)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of tensors that the card names."""

    name: str
    sha256: str


@dataclass(slots=True)
class TrainingState:
    """A folder that holds the newest state of a run, whole, or the one before."""

    folder: Path
    _best: _File | None = None

    def save(
        self, pupil: Pupil, optimiser: torch.optim.Optimizer, best: Mapping[str, Tensor], progress: Progress
    ) -> None:
        """The folder holds this state, whole, or the one before."""
        make_folder(self.folder)
        if best and (self._best is None or self._best.name != f"best-{progress.best_epoch:06d}.safetensors"):
            self._best = self._write(f"best-{progress.best_epoch:06d}.safetensors", best)
        # Named by its place: the card points to it, so that either state is whole at any moment.
        name = f"last-{progress.epochs_done:06d}-{progress.steps_done:08d}.safetensors"
        files = {"last": self._write(name, _of_run(pupil, optimiser))} | ({"best": self._best} if self._best else {})
        named = {part: asdict(file) for part, file in files.items()}
        card = {"format": FORMAT_VERSION, "files": named, "progress": asdict(progress)}
        write_bytes(self.folder / CARD, json.dumps(card, sort_keys=True).encode())
        for older in self.folder.glob("*.safetensors"):
            if older.name not in {file.name for file in files.values()}:
                remove(older)

    def load(
        self, pupil: Pupil, optimiser: torch.optim.Optimizer, run: Mapping[str, str]
    ) -> tuple[Progress, dict[str, Tensor]] | None:
        """What was done and the best weights, after putting the rest into pupil and optimiser; None where there is none.

        Raises:
            IntegrityError: the state is damaged, or of other settings or chips; names which.
        """
        if not (self.folder / CARD).is_file():
            return None
        try:
            return self._load(pupil, optimiser, run)
        except DAMAGE as error:
            if isinstance(error, IntegrityError):
                raise
            raise IntegrityError(
                f"{self.folder}: the state of this training is damaged; delete the folder to begin again"
            ) from None

    def _write(self, name: str, tensors: Mapping[str, Tensor]) -> _File:
        return _File(name, write_tensors(self.folder / name, tensors))

    def _load(
        self, pupil: Pupil, optimiser: torch.optim.Optimizer, run: Mapping[str, str]
    ) -> tuple[Progress, dict[str, Tensor]]:
        card = _read_card(self.folder)
        progress = progress_from_json(card["progress"])
        _refuse_another_run(self.folder, progress.run, run)
        files = {part: _File(**file) for part, file in card["files"].items()}
        if set(files) != ({"last", "best"} if progress.best_epoch >= 0 else {"last"}):
            raise ValueError("not the files of this state")
        weights = pupil.towers.state_dict()
        found = _read_tensors(self.folder, files["last"], _of_run(pupil, None))
        best = _read_tensors(self.folder, files["best"], weights) if "best" in files else {}
        pupil.load_state_dict(_part(found, "weights"))
        for name, parameter in pupil.named_parameters():
            optimiser.state[parameter] = {key: found[f"{key}/{name}"].clone().to(parameter.device) for key in MOMENTS}
        self._best = files.get("best")
        return progress, {name: tensor.clone() for name, tensor in best.items()}


def precision_begun_with(folder: Path) -> Precision | None:
    """The number type that the unfinished run in this folder trains with; None where there is none, or it is damaged."""
    try:
        run = _read_card(folder)["progress"]["run"]
        return {"'float32'": "float32", "'bfloat16'": "bfloat16"}[run["[pretrain] precision"]]  # type: ignore[return-value]
    except (IntegrityError, *DAMAGE):
        return None


def _of_run(pupil: Pupil, optimiser: torch.optim.Optimizer | None) -> dict[str, Tensor]:
    """Weights and moments by name; without an optimiser, tensors of the moments' shapes."""
    tensors = {f"weights/{name}": tensor for name, tensor in pupil.state_dict().items()}
    for name, parameter in pupil.named_parameters():
        blank = {"exp_avg": parameter, "exp_avg_sq": parameter, "step": pupil.towers.log_scale}
        moments = blank if optimiser is None else optimiser.state[parameter]
        tensors |= {f"{key}/{name}": moments[key] for key in MOMENTS}
    return tensors


def _read_card(folder: Path) -> dict[str, Any]:
    if (folder / CARD).stat().st_size > LARGEST_CARD_BYTES:
        raise ValueError("too large")
    card = json.loads((folder / CARD).read_bytes())
    if card["format"] != FORMAT_VERSION:
        raise IntegrityError(
            f"{folder}: format {card['format']}, this terrashot reads {FORMAT_VERSION}; "
            "finish with the terrashot that began it, or delete the folder to begin again"
        )
    return dict(card)


def _read_tensors(folder: Path, file: _File, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file, if they are finite and have the names and shapes of these.

    Raises:
        ValueError: otherwise.
    """
    # Path.name: the card names a file beside it and nothing else.
    path = folder / Path(file.name).name
    most_bytes = sum(4 * tensor.numel() for tensor in wanted.values()) + BYTES_BESIDE_TENSORS
    if not path.is_file() or path.stat().st_size > most_bytes:
        raise ValueError("no file, or one larger than these towers make")
    if sha256_of_file(path) != file.sha256:
        raise ValueError("its bytes are not those that were written")
    found = load_file(path)
    shapes = {name: (tensor.shape, torch.float32) for name, tensor in wanted.items()}
    if {name: (tensor.shape, tensor.dtype) for name, tensor in found.items()} != shapes:
        raise ValueError("not the tensors of these towers")
    if not all(bool(torch.isfinite(tensor).all()) for tensor in found.values()):
        raise ValueError("a number that is not finite")
    return found


def _refuse_another_run(folder: Path, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    changed = [name for name in sorted({*theirs, *ours}) if theirs.get(name) != ours.get(name)]
    if not changed:
        return
    then, now = theirs.get(changed[0], "none"), ours.get(changed[0], "none")
    values = "" if then.startswith("sha256:") or now.startswith("sha256:") else f": {then} then, {now} now"
    raise IntegrityError(
        f"{folder} holds an unfinished training with other {', '.join(changed)}{values}; "
        "finish it as it was begun, or delete the folder to begin again"
    )


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{part}/")}
