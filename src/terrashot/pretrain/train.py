"""The training loop: epochs over chips, the best model by validation loss, exact resume. Yields events."""

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrashot.durable.files import sha256_of
from terrashot.model.towers import Towers, make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.pretrain.augment import PatchShow
from terrashot.pretrain.checks import batch_notes, epoch_notes, refuse_not_finite, refuse_too_few
from terrashot.pretrain.dataset import ChannelDraws, batches
from terrashot.pretrain.distributed import ALONE, World
from terrashot.pretrain.progress import Progress
from terrashot.pretrain.pupil import Pupil
from terrashot.pretrain.read_ahead import read_ahead
from terrashot.pretrain.resume import TrainingState
from terrashot.pretrain.settings import TrainSettings
from terrashot.pretrain.step import Learner, make_learner, settle
from terrashot.pretrain.validate import validate, validated_at_most
from terrashot.pretrain.view_plan import ViewPlan
from terrashot.pretrain.views import Views

SAVE_EVERY_S = 600.0
"""A state is saved at the end of an epoch, and inside one when so much time has passed: the most that a kill loses."""
SETTLE_ON = 64
"""Chips that fresh towers settle on."""
CPU = torch.device("cpu")
TIMES = ("seconds", "waiting_share")
"""Metrics that tell of the machine, not of the model."""


@dataclass(frozen=True, slots=True)
class EpochDone:
    """One pass over the training chips, and what validation says."""

    metrics: dict[str, Any]
    epochs: int
    notes: tuple[str, ...] = ()
    """What the person must know."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step inside an epoch."""

    epoch: int
    done: int
    steps: int


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The finished run."""

    towers: Towers
    """With the weights of the best epoch."""
    last: dict[str, Tensor]
    metrics: tuple[dict[str, Any], ...]
    best_epoch: int


Event = EpochDone | StepDone


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """What is to be trained, on what, among whom."""

    config: TowersConfig
    train_draws: ChannelDraws
    val_draws: ChannelDraws
    settings: TrainSettings
    state: Path
    """Folder that a killed run goes on from."""
    world: World = ALONE
    device: torch.device = CPU
    clock: Callable[[], float] = time.monotonic

    def cuts(self, epoch: int) -> list[Sequence[str]]:
        """The batches of an epoch, on all ranks together."""
        return list(batches(self.train_draws.order(f"epoch {epoch}", self.settings.shuffle), self.settings.batch_size))

    def views(self, epoch: int, cut: Sequence[str]) -> Views:
        """This rank's share of a batch, in as many rows as the other ranks have."""
        mine, draw, step = cut[self.world.share(len(cut))], f"epoch {epoch}", cut[0]
        side_patches = self.train_draws.window_px(draw, step) // self.config.vit.patch_px
        patches = patches_shown(side_patches, self.settings)
        views = self.train_draws.views(mine, draw, augment=True, patches=patches, step=step)
        return views.padded(self.world.rows_each(len(cut)))


def train(job: Training) -> Generator[Event, None, Trained]:
    """The trained towers; resumes from `job.state` if a run of the same settings and chips was killed there.

    Every rank does the same and gets the same; the first alone writes.

    Raises:
        InputError: fewer than two chips to learn or to choose from, or a loss that is not finite.
        IntegrityError: `state` is damaged or of another run.
    """
    refuse_too_few(job.train_draws, job.val_draws)
    pupil = make_pupil(job)
    learner = make_learner(pupil, job.settings, job.world, job.device)
    state, run = TrainingState(job.state), identity(job)
    progress, best = state.load(pupil, learner.optimiser, run) or (Progress(run), {})
    job.world.meet()
    keeper = _Keeper(job, state, learner, best, job.clock())
    while progress.epochs_done < job.settings.epochs and not _has_stopped(progress, job.settings):
        progress = yield from _one_epoch(job, learner, progress, keeper)
    last = {name: tensor.detach().clone() for name, tensor in pupil.towers.state_dict().items()}
    pupil.towers.load_state_dict(keeper.best)
    return Trained(pupil.towers, last, progress.metrics, progress.best_epoch)


def view_plan(config: TowersConfig, settings: TrainSettings) -> ViewPlan:
    """How chips are looked at where such towers learn with these settings."""
    kinds = {name: config.kinds.get(name, ()) for name in config.modalities}
    return ViewPlan(settings.views, settings.crop, config.vit.patch_px, settings.flips, kinds)


def make_pupil(job: Training) -> Pupil:
    """What is to learn, with fresh weights; towers behind a stem settled on the first chips, the same on every rank."""
    towers = make_towers(job.config, job.settings.seed).to(job.device)
    if job.config.vit.stem:
        views = job.train_draws.views(job.train_draws.order("first")[:SETTLE_ON], "settle", augment=False)
        settle(towers, views, job.settings.precision)
    return Pupil(towers)


def identity(job: Training) -> dict[str, str]:
    """What makes this run the run it is, by the words in which a difference is told."""
    stats = job.train_draws.stats.kinds
    parts = {
        "towers": job.config.as_json(),
        "training chips": job.train_draws.contents(),
        "validation chips": job.val_draws.contents(),
        "channel statistics": {m: {k: asdict(s) for k, s in kinds.items()} for m, kinds in stats.items()},
    }
    digests = {name: f"sha256:{sha256_of(json.dumps(part, sort_keys=True).encode())}" for name, part in parts.items()}
    settings = {f"[pretrain] {name}": repr(value) for name, value in asdict(job.settings).items()}
    return digests | settings | {"number of processes": str(job.world.size), "kind of device": job.device.type}


@dataclass(slots=True)
class _Keeper:
    """Saves what a killed run goes on from."""

    job: Training
    state: TrainingState
    learner: Learner
    best: dict[str, Tensor]
    saved_at: float

    def keep_best(self) -> None:
        """The weights as they are now are the best so far."""
        self.best = {name: tensor.detach().cpu().clone() for name, tensor in self.learner.towers.state_dict().items()}

    def save(self, progress: Progress) -> None:
        if self.job.world.rank == 0:
            self.state.save(self.learner.pupil, self.learner.optimiser, self.best, progress)
        self.saved_at = self.job.clock()

    def save_if_due(self, progress: Progress) -> None:
        if self.job.clock() - self.saved_at >= SAVE_EVERY_S:
            self.save(progress)


def _one_epoch(
    job: Training, learner: Learner, progress: Progress, keeper: _Keeper
) -> Generator[Event, None, Progress]:
    epoch, started = progress.epochs_done, job.clock()
    cuts = job.cuts(epoch)
    progress, waited = yield from _steps(job, learner, progress, cuts, keeper)
    waiting_share = waited / max(job.clock() - started, 1e-9)
    train_loss = float(np.average(progress.losses, weights=[len(cut) for cut in cuts]))
    most = validated_at_most(len(job.train_draws.chip_ids))
    measured = validate(learner.towers, job.val_draws, most, world=job.world, precision=job.settings.precision)
    refuse_not_finite(measured["val_loss"], job.val_draws.chip_ids, f"epoch {epoch + 1}: the validation loss")
    times = {"seconds": round(job.clock() - started, 3), "waiting_share": round(waiting_share, 4)}
    counts = {"chips_skipped": job.train_draws.n_skipped}
    progress = progress.after_epoch({"epoch": epoch, "train_loss": train_loss, **measured, **counts, **times})
    if progress.best_epoch == epoch:
        keeper.keep_best()
    keeper.save(progress)
    notes = batch_notes(job.settings.batch_size, len(job.train_draws.chip_ids)) if epoch == 0 else ()
    yield EpochDone(progress.metrics[-1], job.settings.epochs, (*notes, *epoch_notes(progress.metrics)))
    return progress


def _steps(
    job: Training, learner: Learner, progress: Progress, cuts: Sequence[Sequence[str]], keeper: _Keeper
) -> Generator[Event, None, tuple[Progress, float]]:
    """What has been done after the epoch's last step, and the seconds spent on waiting for chips."""
    epoch, waited = progress.epochs_done, 0.0
    learner.pupil.train()
    with closing(read_ahead(partial(job.views, epoch), cuts[progress.steps_done :])) as batches_read:
        for views, seconds in batches_read:
            waited += seconds
            cut, step = cuts[progress.steps_done], progress.steps_done + 1
            loss = learner.step(views, epoch * len(cuts) + step - 1, job.settings.epochs * len(cuts))
            refuse_not_finite(loss, cut, f"epoch {epoch + 1}, step {step}: the training loss")
            progress = progress.after_step(loss)
            keeper.save_if_due(progress)
            yield StepDone(epoch, step, len(cuts))
    return progress, waited


def patches_shown(side_patches: int, settings: TrainSettings) -> PatchShow | None:
    """How many of a square's patches a step shows; None: all."""
    total = side_patches**2
    shown = max(1, round(settings.keep_patches * total))
    return PatchShow(total, shown) if shown < total else None


def _has_stopped(progress: Progress, settings: TrainSettings) -> bool:
    """Validation has not improved for as many epochs as patience allows."""
    return 0 < settings.patience <= progress.epochs_since_best
