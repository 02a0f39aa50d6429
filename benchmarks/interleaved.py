"""Timing on a machine that others use too: every candidate once a round, in shuffled order, ratios inside a round."""

import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch


def seconds_a_call(
    calls: Mapping[str, Callable[[], object]], *, rounds: int, at_least_s: float = 0.3
) -> dict[str, list[float]]:
    """Seconds a call, one number a round; each is called once before, to warm up."""
    for call in calls.values():
        call()
    order, shuffle = list(calls), random.Random(0)
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            count, started = 0, time.perf_counter()
            while (spent := time.perf_counter() - started) < at_least_s or count == 0:
                calls[name]()
                count += 1
            found[name].append(spent / count)
    return found


def matmul_probe(
    rows: int = 3136, width: int = 768, dtype: torch.dtype = torch.float32
) -> tuple[Callable[[], object], float]:
    """A product of the shape that a ViT-B layer has, and its floating-point operations: the limit that shares refer to."""
    left, right = torch.randn(rows, width, dtype=dtype), torch.randn(width, width, dtype=dtype)
    return lambda: torch.nn.functional.linear(left, right), 2.0 * rows * width * width


def report(name: str, ratios: Sequence[float], against: str, **detail: object) -> None:
    """Prints the one line that other programs read; ratios that should be high."""
    answer = {
        "name": name,
        "ratio": round(statistics.median(ratios), 4),
        "against": against,
        "better": "higher",
        "low": round(min(ratios), 4),
        "high": round(max(ratios), 4),
        "repeats": len(ratios),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **detail,
    }
    print(json.dumps(answer))
