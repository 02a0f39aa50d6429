"""What pretraining will cost, in words."""

from collections.abc import Collection

from terrashot.errors import TerrashotError
from terrashot.model.cost import count_parameters
from terrashot.steps.answer import Answer
from terrashot.steps.foresee import COUNTS, GPUS, SHARE_HERE, Foreseen, Gpu, foresee, total_memory
from terrashot.steps.plan import Context

PREFIXES = ("", "k", "M", "G", "T", "P", "E")
UNITS = ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


def cost_of_pretraining(context: Context, to_run: Collection[str]) -> Answer:
    """What pretraining will cost if the steps named run; why that cannot be said, where it cannot."""
    try:
        found = foresee(context, to_run)
    except TerrashotError as error:
        return Answer((f"what pretraining will cost cannot be said: {error}",))
    return Answer(("what pretraining will cost:", *foreseen_lines(found)), {"pretrain": found.facts()})


def foreseen_lines(found: Foreseen) -> tuple[str, ...]:
    """A line a subject."""
    return tuple(
        f"  {subject}: {text}"
        for subject, text in (
            ("towers", _towers(found)),
            ("chips", _chips(found)),
            ("operations", _operations(found)),
            ("memory", _memory(found)),
            ("disk", _disk(found)),
            ("time here", _here(found)),
            *((f"time on {gpu.name}", _on(found, gpu)) for gpu in GPUS),
        )
    )


def amount(value: float, unit: str) -> str:
    """Three digits and a prefix: `1.41 TFLOP`, `720 MB`."""
    power = 0
    while value >= 999.5 and power < len(PREFIXES) - 1:
        value, power = value / 1000, power + 1
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{digits}f} {PREFIXES[power]}{unit}"


def duration(seconds: float) -> str:
    """In the largest unit of which there are two: `3.1 hours`, `110 minutes`."""
    if seconds < 1:
        return "under a second"
    length, name = next(((length, name) for length, name in UNITS if seconds >= 2 * length), UNITS[-1])
    return f"{seconds / length:,.{0 if seconds >= 9.95 * length else 1}f} {name}"


def _towers(found: Foreseen) -> str:
    vit, names = found.step.towers.vit, found.step.towers.modalities
    return (
        f"{count_parameters(found.step.towers) / 1e6:.1f} million parameters, preset {found.preset}, "
        f"{len(names)} towers of width {vit.width} and depth {vit.depth}"
    )


def _chips(found: Foreseen) -> str:
    m = found.material
    return f"{m.n_chips:,} of {m.chip_px} px; {m.n_train:,} to learn from, {m.n_val:,} to choose by ({m.basis})"


def _operations(found: Foreseen) -> str:
    step = found.step
    ways = [
        f"{step.keep_patches:.0%} of the patches" if step.keep_patches < 1 else "",
        "gradient caching" if step.is_cached else "",
        "checkpointing" if step.is_checkpointed else "",
    ]
    how = ", ".join(way for way in ways if way)
    return (
        f"{amount(found.chip_flops, 'FLOP')} a chip{f' ({how})' if how else ''}, "
        f"{amount(found.step_flops, 'FLOP')} a step of {step.batch_size:,} chips, "
        f"{amount(found.epoch_flops, 'FLOP')} an epoch of {found.steps_an_epoch:,} steps "
        f"({found.validation_flops / found.epoch_flops:.0%} of it to validate), "
        f"{amount(found.total_flops, 'FLOP')} in {found.epochs:,} epochs"
    )


def _memory(found: Foreseen) -> str:
    m = found.memory
    parts = {
        "weights and their moments": m.weights, "activations": m.activations, "loss": m.loss,
        "batches": m.piece if found.step.is_on_gpu else m.batches,
    } | ({} if found.step.is_on_gpu else {"best weights": m.best})  # fmt: skip
    listed = ", ".join(f"{name} {amount(size, 'B')}" for name, size in parts.items())
    where = "on the GPU" if found.step.is_on_gpu else "for a process"
    host = f"; {amount(m.on_host, 'B')} beside it on the host" if found.step.is_on_gpu else ""
    smaller = "" if found.step.is_cached else "; [pretrain] chips_at_once makes it smaller"
    return f"{amount(total_memory(found), 'B')} {where} ({listed}){host}{smaller}"


def _disk(found: Foreseen) -> str:
    return f"{amount(sum(found.disk.values()), 'B')}: " + ", ".join(
        f"{name} {amount(size, 'B')}" for name, size in found.disk.items() if size
    )


def _here(found: Foreseen) -> str:
    speed = found.speed
    return (
        f"{duration(found.seconds_here)} in {speed.precision} ({SHARE_HERE:.0%} of the "
        f"{amount(speed.layer_flops, 'FLOP/s')} that a layer reaches now)"
    )


def _on(found: Foreseen, gpu: Gpu) -> str:
    times = ", ".join(f"{duration(found.seconds_on(gpu, count))} on {count}" for count in COUNTS)
    return f"{times} (at {gpu.share:.0%} of {amount(gpu.peak_flops, 'FLOP/s')} in bfloat16: a goal, not measured)"
