"""Step `pretrain`: three towers that agree, from training chips alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from terrashot.domain.normalize import ChannelStats
from terrashot.domain.tables import Chips
from terrashot.engine import available_cores, free_memory_bytes
from terrashot.model.checkpoint import CARD, read_summary, save_model
from terrashot.model.tensors import sha256_of_tensors, write_tensors
from terrashot.model.towers_config import TowersConfig
from terrashot.pretrain.dataset import make_draws
from terrashot.pretrain.distributed import World
from terrashot.pretrain.precision import faster_precision
from terrashot.pretrain.resume import precision_begun_with
from terrashot.pretrain.settings import Precision, TrainSettings
from terrashot.pretrain.train import TIMES, EpochDone, StepDone, Trained, Training, train, view_plan
from terrashot.steps.metrics import write_metrics
from terrashot.steps.plan import Context
from terrashot.steps.progress import Event, Progress, Said, Work, finish, relay
from terrashot.steps.taught import taught_preset
from terrashot.steps.tensorboard import Board, open_board
from terrashot.store.chips import open_chip_store
from terrashot.store.differences import with_differences
from terrashot.store.held import hold
from terrashot.store.statistics import measure_channels, measure_differences
from terrashot.store.tables import read_chips


def pretrain(context: Context) -> Work[None]:
    """Writes model/ and metrics.jsonl."""
    board = open_board(context.study, is_asked_for=context.config.pretrain.tensorboard)
    context.ranks.call_to_train()
    job, stats, ids = _job(context)
    yield Said(f"pretrain: {_how(job)}")
    if job.train_draws.n_skipped:
        yield Said(f"{job.train_draws.n_skipped} training chips have {_too_little(job)} and are left out")
    trained = yield from relay(train(job), _Teller(job.settings.epochs, board))
    summary = _summary(context, job, trained, ids) | {"last_sha256": sha256_of_tensors(trained.last)}
    save_model(context.study.model, trained.towers, stats, summary)
    write_tensors(context.study.model / "last.safetensors", trained.last)
    write_metrics(context.study, trained.metrics)


def help_to_pretrain(context: Context) -> None:
    """Trains beside the first process, which alone writes."""
    finish(train(_job(context)[0]))


def test_chips_seen(context: Context) -> str | None:
    """Why the model may not be used: a chip it was trained or chosen on is now in test."""
    if not (context.study.model / CARD).is_file() or not context.study.chips.is_file():
        return None
    seen = set(read_summary(context.study.model).get("seen_chips", ()))
    chips: Chips = read_chips(context.study.chips)
    leaked = [chips.ids[row] for row in chips.rows_in("test") if chips.ids[row] in seen]
    return f"{len(leaked)} chips that the model was trained or chosen on are now in test" if leaked else None


def _job(context: Context) -> tuple[Training, ChannelStats, dict[str, list[str]]]:
    """What is to be trained, the same for every process; moments of its channels; ids of the chips it may see."""
    # Of the cores, not of the workers asked for: sums over threads round by their number.
    torch.set_num_threads(max(1, available_cores() // context.ranks.local_size))
    chips, seed = read_chips(context.study.chips), context.config.study.seed
    ids = {name: [chips.ids[row] for row in chips.rows_in(name)] for name in ("train", "val")}
    plain = hold(open_chip_store(context.study.folder), [*ids["train"], *ids["val"]], _bytes_to_hold(context))
    preset, stats = taught_preset(context.config.pretrain), measure_channels(plain, ids["train"], seed)
    if preset.differences:
        stats = measure_differences(plain, stats, ids["train"], seed)
    store = with_differences(plain, stats)
    world, device = World(context.ranks.rank, context.ranks.size), _device(context)
    kinds = {name: tuple(own) for name, own in stats.kinds.items()}
    config = preset.towers(store.modalities, store.chip_px, kinds)
    settings = _settings(context, _precision(context, config, world, device))
    plan = view_plan(config, settings)
    draws = {name: make_draws(store, stats, found, seed, plan) for name, found in ids.items()}
    job = Training(config, draws["train"], draws["val"], settings, context.study.training_state, world, device)
    return job, stats, ids


def _device(context: Context) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", context.ranks.local_rank)
    torch.cuda.set_device(device)
    return device


def _bytes_to_hold(context: Context) -> int:
    """A fourth of the free memory, shared with the other processes on this machine."""
    return free_memory_bytes() // (4 * context.ranks.local_size)


def _precision(context: Context, config: TowersConfig, world: World, device: torch.device) -> Precision:
    """As asked; as an unfinished training began; else as the first process measures."""
    asked = context.config.pretrain.precision
    if asked != "auto":
        return asked
    if (begun := precision_begun_with(context.study.training_state)) is not None:
        return begun
    is_first_faster = world.rank == 0 and faster_precision(config, device) == "bfloat16"
    return "bfloat16" if bool(world.highest(torch.tensor(float(is_first_faster)))) else "float32"


def _settings(context: Context, precision: Precision) -> TrainSettings:
    preset = taught_preset(context.config.pretrain)
    asked = context.config.pretrain.model_dump(exclude={"preset", "differences", "precision", "tensorboard"})
    asked |= {name: getattr(preset, name) for name in ("views", "crop")}
    return TrainSettings(seed=context.config.study.seed, precision=precision, **asked)


def _how(job: Training) -> str:
    """On what it trains."""
    n_processes, device = job.world.size, "GPU" if job.device.type == "cuda" else "CPU"
    each = f"{n_processes} processes, a {device} each" if n_processes > 1 else f"one process on the {device}"
    spare = torch.cuda.device_count() - 1 if n_processes == 1 and torch.cuda.is_available() else 0
    hint = f"; {spare} more GPUs are here, docs/scaling.md says how to use them" if spare > 0 else ""
    return f"{job.settings.precision}, {each}{hint}"


def _too_little(job: Training) -> str:
    """What a chip has of which no two views can be shown."""
    return "fewer than two modalities" if job.settings.views == 1 else "one channel alone"


@dataclass(slots=True)
class _Teller:
    """Tells steps and epochs; the last epoch's losses stay in sight during the next."""

    epochs: int
    board: Board
    detail: str = ""

    def __call__(self, event: EpochDone | StepDone) -> list[Event]:
        if isinstance(event, StepDone):
            return [Progress("pretrain", event.epoch + event.done / (event.steps + 1), self.epochs, self.detail)]
        self.board.add(event.metrics)
        done, found = event.metrics["epoch"] + 1, event.metrics
        self.detail = f"epoch {done} of {self.epochs}: loss {found['train_loss']:.3f}, val {found['val_loss']:.3f}"
        return [Progress("pretrain", done, self.epochs, self.detail), *(Said(f"pretrain: {n}") for n in event.notes)]


def _summary(context: Context, job: Training, trained: Trained, ids: Mapping[str, list[str]]) -> dict[str, Any]:
    metrics = [{name: value for name, value in epoch.items() if name not in TIMES} for epoch in trained.metrics]
    return {
        "preset": context.config.pretrain.preset,
        "seed": context.config.study.seed,
        "parameters": trained.towers.n_parameters,
        "precision": job.settings.precision,
        "processes": job.world.size,
        "best_epoch": trained.best_epoch,
        "best": metrics[trained.best_epoch],
        "metrics": metrics,
        "train_chips": len(ids["train"]),
        "seen_chips": sorted([*ids["train"], *ids["val"]]),
        "source": context.config.source.kind,
    }
