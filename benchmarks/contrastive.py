"""Memory and time of the contrastive loss with its gradients, beside the plain way, by size of the batch.

python benchmarks/contrastive.py [--quick] [--width D] [--threads N]

Three modalities, three pairs. The plain way holds whole matrices and lets autograd keep what it wants.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from interleaved import report
from resident import resident

from terrashot.pretrain.loss import pairwise_clip_loss

NAMES = ("optical", "radar", "pairs")
SCALE = 14.0


def plain(views: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Loss and gradients with whole matrices."""
    leaves = {name: vectors.clone().requires_grad_() for name, vectors in views.items()}
    losses = []
    for left, right in (("optical", "radar"), ("optical", "pairs"), ("radar", "pairs")):
        logits, own = SCALE * leaves[left] @ leaves[right].T, torch.arange(len(leaves[left]))
        losses.append((F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2)
    loss = torch.stack(losses).mean()
    loss.backward()
    return loss.detach(), {name: leaf.grad for name, leaf in leaves.items()}


def ours(views: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Loss and gradients block by block."""
    present = {name: torch.ones(len(vectors), dtype=torch.bool) for name, vectors in views.items()}
    scored = pairwise_clip_loss(views, present, scale=torch.tensor(SCALE))
    return scored.loss, scored.vectors


WAYS = {"plain": plain, "ours": ours}


def measured(way: str, batch: int, width: int, threads: int) -> dict[str, float]:
    """Extra peak memory in GB and seconds of one way, in a process of its own; loss and length of the gradient, to compare."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (way, batch, width, threads))


def _measure(way: str, batch: int, width: int, threads: int) -> dict[str, float]:
    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    common = torch.randn(batch, width, generator=generator)
    views = {name: F.normalize(common + torch.randn(batch, width, generator=generator), dim=1) for name in NAMES}
    WAYS[way]({name: vectors[:64] for name, vectors in views.items()})
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    loss, slopes = WAYS[way](views)
    seconds = time.perf_counter() - started
    length = float(torch.stack([slope.square().sum() for slope in slopes.values()]).sum().sqrt())
    return {"gb": (resident("VmHWM") - before) / 1e9, "seconds": seconds, "loss": float(loss), "gradient": length}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    compared = [1024, 4096] if asked.quick else [1024, 4096, 8192]
    rounds = 2 if asked.quick else 3
    shares, times, curve = [], [], []
    for batch in compared:
        for _ in range(rounds):
            found = {way: measured(way, batch, asked.width, asked.threads) for way in WAYS}
            if batch == compared[-1]:
                shares.append(found["ours"]["gb"] / found["plain"]["gb"])
                times.append(found["ours"]["seconds"] / found["plain"]["seconds"])
        curve.append({"batch": batch, **{way: {k: round(v, 4) for k, v in found[way].items()} for way in WAYS}})
        print(json.dumps(curve[-1]), flush=True)
    for batch in [] if asked.quick else [16_384, 32_768]:
        found = measured("ours", batch, asked.width, asked.threads)
        curve.append({"batch": batch, "ours": {name: round(value, 4) for name, value in found.items()}})
        print(json.dumps(curve[-1]), flush=True)
    report(
        "contrastive",
        shares,
        f"extra peak memory of whole matrices with autograd, {compared[-1]} chips of width {asked.width}",
        better="lower",
        time_ratio=round(statistics.median(times), 3),
        curve=curve,
    )


if __name__ == "__main__":
    main()
