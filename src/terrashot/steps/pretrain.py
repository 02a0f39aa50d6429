"""Step `pretrain`: three towers that agree, from training chips alone."""

from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import save

from terrashot.domain.tables import Chips
from terrashot.durable.files import sha256_of, write_bytes
from terrashot.engine import available_cores
from terrashot.model.checkpoint import CARD, read_summary, save_model
from terrashot.model.presets import PRESETS
from terrashot.pretrain.dataset import make_draws
from terrashot.pretrain.train import EpochDone, StepDone, Trained, TrainSettings, train
from terrashot.steps.metrics import write_metrics
from terrashot.steps.plan import Context
from terrashot.steps.progress import Event, Progress, Said, Work, relay
from terrashot.store.chips import open_chip_store
from terrashot.store.statistics import measure_channels
from terrashot.store.tables import read_chips


def pretrain(context: Context) -> Work[None]:
    """Writes model/ and metrics.jsonl."""
    # Of the cores, not of the workers asked for: sums over threads round by their number.
    torch.set_num_threads(available_cores())
    chips = read_chips(context.study.chips)
    store, seed = open_chip_store(context.study.folder), context.config.study.seed
    ids = {name: [chips.ids[row] for row in chips.rows_in(name)] for name in ("train", "val")}
    stats = measure_channels(store, ids["train"], seed)
    draws = {name: make_draws(store, stats, found, seed) for name, found in ids.items()}
    if draws["train"].n_skipped:
        yield Said(f"{draws['train'].n_skipped} training chips have fewer than two modalities and are left out")
    towers = PRESETS[context.config.pretrain.preset].towers(store.modalities, store.chip_px)
    work = train(towers, draws["train"], draws["val"], _settings(context), context.study.training_state)
    trained = yield from relay(work, _Teller(context.config.pretrain.epochs))
    last = save({name: tensor.contiguous() for name, tensor in sorted(trained.last.items())})
    save_model(context.study.model, trained.towers, stats, _summary(context, trained, ids, last))
    write_bytes(context.study.model / "last.safetensors", last)
    write_metrics(context.study, trained.metrics)


def test_chips_seen(context: Context) -> str | None:
    """Why the model may not be used: a chip it was trained or chosen on is now in test."""
    if not (context.study.model / CARD).is_file() or not context.study.chips.is_file():
        return None
    seen = set(read_summary(context.study.model).get("seen_chips", ()))
    chips: Chips = read_chips(context.study.chips)
    leaked = [chips.ids[row] for row in chips.rows_in("test") if chips.ids[row] in seen]
    return f"{len(leaked)} chips that the model was trained or chosen on are now in test" if leaked else None


def _settings(context: Context) -> TrainSettings:
    section = context.config.pretrain
    return TrainSettings(
        epochs=section.epochs,
        batch_size=section.batch_size,
        learning_rate=section.learning_rate,
        weight_decay=section.weight_decay,
        warmup_share=section.warmup_share,
        flips=section.flips,
        seed=context.config.study.seed,
    )


@dataclass(slots=True)
class _Teller:
    """Tells steps and epochs; the last epoch's losses stay in sight during the next."""

    epochs: int
    detail: str = ""

    def __call__(self, event: EpochDone | StepDone) -> list[Event]:
        if isinstance(event, StepDone):
            return [Progress("pretrain", event.epoch + event.done / (event.steps + 1), self.epochs, self.detail)]
        done, found = event.metrics["epoch"] + 1, event.metrics
        self.detail = f"epoch {done} of {self.epochs}: loss {found['train_loss']:.3f}, val {found['val_loss']:.3f}"
        return [Progress("pretrain", done, self.epochs, self.detail), *(Said(f"pretrain: {n}") for n in event.notes)]


def _summary(context: Context, trained: Trained, ids: dict[str, list[str]], last: bytes) -> dict[str, Any]:
    return {
        "preset": context.config.pretrain.preset,
        "seed": context.config.study.seed,
        "parameters": trained.towers.n_parameters,
        "best_epoch": trained.best_epoch,
        "best": trained.metrics[trained.best_epoch],
        "metrics": trained.metrics,
        "train_chips": len(ids["train"]),
        "seen_chips": sorted([*ids["train"], *ids["val"]]),
        "last_sha256": sha256_of(last),
        "source": context.config.source.kind,
    }
