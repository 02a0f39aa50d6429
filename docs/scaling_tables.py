"""The tables of docs/scaling.md, from the formulas of model/cost.py and model/memory.py: python docs/scaling_tables.py

Prints them; with --write puts each into the page, between the marks of its name. A test compares the two.
"""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from terrashot.model.cost import StepShape, count_parameters, forward_flops, patches_kept, step_flops, tower_step_flops
from terrashot.model.memory import state_bytes, training_bytes
from terrashot.model.presets import PRESETS
from terrashot.model.towers import TowersConfig
from terrashot.steps.foresee import COUNTS, GPUS, Gpu
from terrashot.steps.foresee_text import amount, duration
from terrashot.steps.material import LEDGER_BYTES, PACKED_SHARE

PAGE = Path(__file__).with_name("scaling.md")
MODALITIES = ("s2rgbm", "s1grdm", "gunw")
SIDES_PX = {"small": 64, "tiny": 64}
"""Of a preset's chips; the others are for 448 px."""
STORED = ((9, 448, 2), (6, 448, 2), (40, 49, 1))
"""Channels, side in pixels and bytes a number of what the store may hold of a chip: optical, radar, coherence."""
SHARD_CHIPS = 32
"""Of 448 px with nine channels or fewer: the most that stay below 256 MiB as float32 (store/write.py)."""
CHUNK_BYTES = round(PACKED_SHARE * 2 * 448**2)
READ_MS = 0.72
"""Of one channel of 448 px from disk into a batch, scaled and turned, one core (benchmarks/loading.py)."""
AREAS = (
    (1, 1, 0),
    (1_000, 600, 200),
    (100_000, 60_000, 20_000),
    (845_000, 507_000, 169_000),
    (7_500_000, 4_500_000, 1_500_000),
)
"""Chips, and those to learn from and to choose by at 60 and 20 %: the paper's five areas, all land."""
PAPER_CHIPS, PAPER_EPOCHS = 500_000, 570
"""Of the paper's training; the epochs are our reckoning from 100 hours on eight A100 (protocol)."""
NODE = 8
LINK_BYTES = (("8 A100 in a node, NVLink", 8, 300e9), ("64 A100, 200 Gbit/s a node", 64, 25e9))
"""Bytes a second that a GPU (within a node) or a node (among nodes) can send, by the data sheets."""


def paper() -> TowersConfig:
    """Three ViT-B/16 at 448 px."""
    return PRESETS["paper"].towers(MODALITIES, 448)


def presets() -> str:
    """What each preset costs a chip."""
    rows = []
    for name, preset in PRESETS.items():
        towers = preset.towers(MODALITIES, SIDES_PX.get(name, 448))
        ways: Sequence[dict[str, object]] = (
            {}, {"keep_patches": 0.5}, {"chips_at_once": 1}, {"is_checkpointed": True},
            {"chips_at_once": 1, "is_checkpointed": True},
        )  # fmt: skip
        costs = [3 * preset.views * tower_step_flops(StepShape(towers, 2, **way)) for way in ways]  # type: ignore[arg-type]
        rows.append(
            (f"`{name}`", f"{towers.vit.chip_px}", f"{count_parameters(towers) / 1e6:.1f}", amount(forward_flops(towers), "FLOP"),
             *(amount(cost, "FLOP") for cost in costs))
        )  # fmt: skip
    head = ("preset", "px", "million parameters", "one tower, forward", "a training chip", "half the patches",
            "gradient caching", "checkpointing", "both")  # fmt: skip
    return table(head, rows)


def sizes() -> str:
    """Time of an epoch by number of chips."""
    chip = 3 * tower_step_flops(StepShape(paper(), 1024))
    rows = []
    for n_chips, n_train, n_val in AREAS:
        flops = n_train * chip + n_val * 3 * forward_flops(paper())
        times = (duration(flops / rate(gpu, count)) for gpu in GPUS for count in COUNTS)
        rows.append((f"{n_chips:,}", f"{n_train:,}", amount(flops, "FLOP"), *times))
    return table(("chips", "to learn from", "an epoch", *(f"{n} {gpu.name}" for gpu in GPUS for n in COUNTS)), rows)


def whole() -> str:
    """Time of the paper's training."""
    flops = PAPER_EPOCHS * PAPER_CHIPS * 3 * tower_step_flops(StepShape(paper(), 1024))
    rows = [
        (f"{count} {gpu.name}", f"{gpu.share:.0%}", f"{PAPER_CHIPS * PAPER_EPOCHS / (flops / rate(gpu, count)):,.0f}",
         duration(flops / rate(gpu, count)))
        for gpu in GPUS for count in COUNTS
    ]  # fmt: skip
    return table(("on", "of peak", "chips a second", f"{PAPER_EPOCHS} epochs of {PAPER_CHIPS:,} chips"), rows)


def feed() -> str:
    """What the loader must give to a node of eight."""
    rows = []
    for gpu in GPUS:
        for share in (1.0, 0.5):
            chips = rate(gpu, NODE) / (3 * tower_step_flops(StepShape(paper(), 1024, keep_patches=share)))
            chunks = 3 * chips
            rows.append(
                (f"{NODE} {gpu.name}", f"{patches_kept(paper().vit, share)}", f"{chips:,.0f}", f"{chunks:,.0f}",
                 amount(chunks * CHUNK_BYTES, "B/s"), amount(chunks * 4 * 448**2, "B/s"), f"{chunks / NODE:,.0f}",
                 f"{chunks * READ_MS / 1000:.1f}")
            )  # fmt: skip
    head = ("node", "patches shown", "chips/s", "chunks/s", "read from the store", "to the GPUs, float32", "chunks/s a process",
            f"cores at {READ_MS:.2f} ms a chunk")  # fmt: skip
    return table(head, rows)


def memory() -> str:
    """Memory of one of eight processes by batch."""
    rows = []
    for batch in (1024, 8192, 32_768):
        for at_once, is_checkpointed in ((0, False), (0, True), (32, False), (32, True), (8, False)):
            step = StepShape(paper(), batch, NODE, at_once, is_checkpointed, is_bfloat16=True, is_on_gpu=True)
            found = training_bytes(step)
            rows.append(
                (f"{batch:,}", f"{step.chips_a_process:,}", f"{at_once or 'all'}", "yes" if is_checkpointed else "no",
                 amount(found.weights, "B"), amount(found.activations, "B"), amount(found.loss, "B"),
                 amount(found.on_device, "B"), amount(found.on_host, "B"))
            )  # fmt: skip
    head = ("batch", "a process", "chips at once", "checkpointing", "weights and moments", "activations", "loss", "on the GPU",
            "on the host")  # fmt: skip
    return table(head, rows)


def exchange() -> str:
    """What processes send each other in a step, beside the step's work."""
    towers, rows = paper(), []
    for where, count, speed in LINK_BYTES:
        for batch in (1024, 8192):
            weights = 2 * (count - 1) / count * 4 * count_parameters(towers)
            # All vectors gathered once, and the gradients that other processes have for them summed.
            vectors = 3 * (count - 1) / count * 3 * batch * 4 * towers.embedding
            # Within a node each GPU has links of its own. Among nodes a ring goes through each node's one link once.
            sent = weights + vectors
            work = step_flops(StepShape(towers, batch, count)) / rate(GPUS[0], count)
            rows.append(
                (
                    where,
                    f"{batch:,}",
                    amount(sent, "B"),
                    f"{sent / speed:.3f} s",
                    f"{work:.2f} s",
                    f"{sent / speed / work:.0%}",
                )
            )
    return table(("where", "batch", "sent a step", "time of it", "time of the step's work", "share"), rows)


def disk() -> str:
    """Bytes by number of chips."""
    numbers = sum(count * side**2 * size for count, side, size in STORED)
    rows = []
    for n_chips, _, _ in AREAS:
        store = n_chips * (PACKED_SHARE * numbers + LEDGER_BYTES)
        embedded = n_chips * 3 * 768 * 2
        files = f"{3 * -(-n_chips // SHARD_CHIPS):,}"
        rows.append((f"{n_chips:,}", amount(n_chips * numbers, "B"), amount(store, "B"), files, amount(embedded, "B")))
    return table(("chips", "stored numbers", "chip store, packed", "shard files", "embeddings, 3 x 768 float16"), rows)


def state() -> str:
    """Bytes of one saved state."""
    rows = [
        (f"`{name}`", amount(state_bytes(preset.towers(MODALITIES, 448)), "B"))
        for name, preset in PRESETS.items()
        if name != "tiny"
    ]
    return table(("preset", "saved state"), rows)


def rate(gpu: Gpu, count: int) -> float:
    """Operations a second that we hope for."""
    return gpu.peak_flops * gpu.share * count


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


TABLES: dict[str, Callable[[], str]] = {
    found.__name__: found for found in (presets, sizes, whole, feed, memory, exchange, disk, state)
}


def filled(page: str) -> str:
    """The page with every table as it is now."""
    for name, make in TABLES.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        page, count = marks.subn(lambda found, make=make: found[1] + make() + found[2], page)
        assert count == 1, name
    return page


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
    else:
        print("\n".join(f"{name}\n\n{make()}" for name, make in TABLES.items()))
