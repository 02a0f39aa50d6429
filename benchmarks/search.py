"""Exact search in blocks beside the plain way in NumPy, which holds every product and sorts out the best.

python benchmarks/search.py [--quick] [--rows N] [--width D] [--threads N]

Vectors as towers make them: unit length, in clusters, with most of their spread in few directions.
"""

import argparse
import statistics

import numpy as np
import torch
from interleaved import report, seconds_a_call
from threadpoolctl import threadpool_limits

from terrashot.domain.retrieval import nearest

K = 10


def vectors(n: int, width: int) -> np.ndarray:
    """Unit rows: 200 clusters in 48 directions, and noise in all."""
    rng = np.random.default_rng(0)
    centres = 1.2 * rng.standard_normal((200, 48), dtype=np.float32)
    inner = centres[rng.integers(0, 200, n)] + 0.8 * rng.standard_normal((n, 48), dtype=np.float32)
    rows = inner @ rng.standard_normal((48, width), dtype=np.float32)
    rows += 1.5 * rng.standard_normal((n, width), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def plain(queries: np.ndarray, table: np.ndarray) -> np.ndarray:
    """All products at once; the best K by partition, then sorted."""
    products = queries @ table.T
    best = np.argpartition(-products, K, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(products, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    n = min(asked.rows, 50_000) if asked.quick else asked.rows
    table, queries = np.split(vectors(n + 64, asked.width), [n])
    half = table.astype(np.float16)
    calls = {
        "plain, 64": lambda: plain(queries, table),
        "blocks, 64": lambda: nearest(queries, table, K),
        "blocks, 64, float16": lambda: nearest(queries, half, K),
        "products alone, 64": lambda: table @ queries.T,
        "plain, 1": lambda: plain(queries[:1], table),
        "blocks, 1": lambda: nearest(queries[:1], table, K),
    }
    with threadpool_limits(asked.threads):
        found = [set(row) for row in plain(queries, table)]
        recall = np.mean(
            [len(set(ours) & theirs) / K for ours, theirs in zip(nearest(queries, table, K)[0], found, strict=True)]
        )
        times = seconds_a_call(calls, rounds=3 if asked.quick else 7)
    middle = {name: statistics.median(seconds) for name, seconds in times.items()}
    report(
        "search",
        [p / b for p, b in zip(times["plain, 64"], times["blocks, 64"], strict=True)],
        f"NumPy: all products, argpartition, argsort; 64 queries, top {K} of {n} x {asked.width} float32",
        recall=round(float(recall), 4),
        one_query=round(
            statistics.median([p / b for p, b in zip(times["plain, 1"], times["blocks, 1"], strict=True)]), 3
        ),
        queries_a_second={name: round((1 if name.endswith(" 1") else 64) / s, 1) for name, s in middle.items()},
        search_threads=asked.threads,
    )


if __name__ == "__main__":
    main()
