"""New chips placed into an old map, beside openTSNE's own way to place them: seconds, neighbours kept, memory.

python benchmarks/placing.py [--quick] [--threads N]
python benchmarks/placing.py --whole 845000     # a whole map: 20,000 laid out, all others placed; synthetic vectors

Neighbours kept: of the 10 nearest laid-out chips of a placed one, by their vectors, the share that is among its 10 nearest in the
map. `all` counts the neighbours among all chips, placed ones too. `laid out` are the chips of the map themselves.
"""

import argparse
import multiprocessing
import statistics
import time
from pathlib import Path

import numpy as np
import openTSNE
from interleaved import report
from openTSNE.affinity import PerplexityBasedNN
from resident import resident
from sklearn.neighbors import NearestNeighbors

from terrashot.embed.placing import Placer
from terrashot.embed.projection import principal, tsne
from terrashot.embed.vector_map import extend_map, map_vectors
from terrashot.steps.projection import PREVIEW_ITERATIONS

WIDTH, DIMENSIONS, K, JUDGED = 256, 50, 10, 3000
LAID_OUT, NARROW, AT_ONCE = 20_000, 64, 65_536
"""Of a whole map: what a study lays out, numbers of a vector, rows made at once."""


def curved(n: int) -> np.ndarray:
    """Unit rows along a bent sheet of four dimensions, with noise: no clusters."""
    rng = np.random.default_rng(0)
    inside = np.sin(rng.uniform(-2, 2, (n, 4)) @ rng.normal(size=(4, WIDTH)))
    rows = np.tanh(2 * inside @ (rng.normal(size=(WIDTH, WIDTH)) / WIDTH**0.5)) + 0.1 * rng.normal(size=(n, WIDTH))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def clustered(n: int) -> np.ndarray:
    """Unit rows in 200 clusters that overlap."""
    rng = np.random.default_rng(0)
    inside = (1.2 * rng.normal(size=(200, 48)))[rng.integers(0, 200, n)] + 0.8 * rng.normal(size=(n, 48))
    rows = inside @ rng.normal(size=(48, WIDTH)) + 1.5 * rng.normal(size=(n, WIDTH))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def kept(vectors: np.ndarray, places: np.ndarray, judged: np.ndarray, among: np.ndarray) -> float:
    """Mean share of the K nearest that the map keeps."""

    def nearest(rows: np.ndarray) -> list[set[int]]:
        found = NearestNeighbors(n_neighbors=K + 1).fit(rows[among]).kneighbors(rows[judged], return_distance=False)
        return [set([r for r in row if r != own][:K]) for own, row in zip(judged, among[found], strict=True)]

    pairs = zip(nearest(vectors), nearest(places), strict=True)
    return float(np.mean([len(true & shown) / K for true, shown in pairs]))


def compared(vectors: np.ndarray, n_laid_out: int, threads: int) -> dict[str, dict[str, float]]:
    """Seconds and neighbours kept of both ways, on the same map."""
    order = np.random.default_rng(0).permutation(len(vectors))
    laid_out, new = np.sort(order[:n_laid_out]), np.sort(order[n_laid_out:])
    basis = principal(vectors[laid_out], DIMENSIONS)
    old, waiting = basis.of(vectors[laid_out]), basis.of(vectors[new])
    places = tsne(old, seed=0, iterations=500, threads=threads).astype(np.float64)
    ways = {"ours": ours, "openTSNE": theirs}
    rows = np.arange(n_laid_out)
    found = {"laid out": {"kept": kept(vectors[laid_out], places, rows[:JUDGED], rows)}}
    judged = np.sort(np.random.default_rng(1).permutation(new)[:JUDGED])
    for name, way in ways.items():
        started = time.perf_counter()
        placed = way(old, places, waiting, threads)
        seconds = time.perf_counter() - started
        whole = np.empty((len(vectors), 2))
        whole[laid_out], whole[new] = places, placed
        found[name] = {
            "seconds": seconds,
            "kept": kept(vectors, whole, judged, laid_out),
            "all": kept(vectors, whole, judged, np.arange(len(vectors))),
        }
    return found


def ours(old: np.ndarray, places: np.ndarray, new: np.ndarray, threads: int) -> np.ndarray:
    """Attraction alone."""
    return Placer(old, places, threads=threads).place(new)


def theirs(old: np.ndarray, places: np.ndarray, new: np.ndarray, threads: int) -> np.ndarray:
    """openTSNE's `transform` with its own settings: 250 iterations with repulsion. It centres the map, so we move back."""
    affinities = PerplexityBasedNN(old, perplexity=30, method="exact", n_jobs=threads)
    there = openTSNE.TSNEEmbedding(places, affinities, n_jobs=threads)
    placed = np.asarray(there.transform(new))
    return placed + (places[0] - np.asarray(there)[0])


def cost(n_laid_out: int, n_new: int, threads: int) -> dict[str, float]:
    """Seconds and extra peak memory of placing alone, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_cost, (n_laid_out, n_new, threads))


def _cost(n_laid_out: int, n_new: int, threads: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(n_laid_out, DIMENSIONS)), rng.normal(size=(n_new, DIMENSIONS)).astype(np.float32)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    placer = Placer(old, rng.normal(size=(n_laid_out, 2)), threads=threads)
    ready = time.perf_counter() - started
    for start in range(0, n_new, 16_384):
        placer.place(new[start : start + 16_384])
    seconds = time.perf_counter() - started
    return {
        "laid_out": n_laid_out,
        "placed": n_new,
        "ready_s": ready,
        "seconds": seconds,
        "gb": (resident("VmHWM") - before) / 1e9,
    }


def whole_map(n: int) -> dict[str, float]:
    """Seconds of one core for laying out a sample and for placing all others, and the peak memory of placing beside the table."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_whole_map, (n,))


def _whole_map(n: int) -> dict[str, float]:
    vectors = half_precision(n)
    rows = np.sort(np.random.default_rng(0).permutation(n)[:LAID_OUT])
    started = time.process_time()
    sample = map_vectors(vectors[rows], np.arange(len(rows)), seed=0, iterations=PREVIEW_ITERATIONS)
    laid_out = time.process_time()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    made = extend_map(vectors, sample.spread(rows, n))
    placed = time.process_time()
    assert made is not None and np.isfinite(made.places).all()
    np.testing.assert_array_equal(made.places[rows], sample.places)
    gb = (resident("VmHWM") - before) / 1e9
    return {"chips": n, "laying_out_core_s": laid_out - started, "placing_core_s": placed - laid_out, "gb": gb}


def half_precision(n: int) -> np.ndarray:
    """Rows in 200 clusters that overlap, as a table holds them; block by block, so that nothing else is held."""
    rng = np.random.default_rng(0)
    centres, turn = 1.2 * rng.normal(size=(200, 16)), rng.normal(size=(16, NARROW))
    vectors = np.empty((n, NARROW), dtype=np.float16)
    for start in range(0, n, AT_ONCE):
        block = vectors[start : start + AT_ONCE]
        inside = centres[rng.integers(0, 200, len(block))] + 0.8 * rng.normal(size=(len(block), 16))
        rows = inside @ turn + 1.5 * rng.normal(size=block.shape)
        block[:] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--whole", type=int, metavar="CHIPS")
    asked = parser.parse_args()
    if asked.whole is not None:
        few, many = whole_map(asked.whole // 4), whole_map(asked.whole)
        what = f"memory of placing {asked.whole // 4:,} chips against {asked.whole:,}; 1 is flat"
        report("placing_whole", [few["gb"] / many["gb"]], what, maps=[_rounded(few), _rounded(many)])
        return
    n, n_laid_out = (4000, 1500) if asked.quick else (12_000, 4000)
    found = {form.__name__: compared(form(n), n_laid_out, asked.threads) for form in (curved, clustered)}
    sizes = [(2000, 10_000), (2000, 40_000)] if asked.quick else [(5000, 25_000), (5000, 100_000), (20_000, 100_000)]
    report(
        "placing",
        [ways["openTSNE"]["seconds"] / ways["ours"]["seconds"] for ways in found.values()],
        f"openTSNE's transform, {n - n_laid_out} chips into a map of {n_laid_out}",
        kept_more=round(statistics.mean(ways["ours"]["kept"] - ways["openTSNE"]["kept"] for ways in found.values()), 4),
        maps={form: {way: _rounded(row) for way, row in ways.items()} for form, ways in found.items()},
        costs=[_rounded(cost(*size, asked.threads)) for size in sizes],
        placing_threads=asked.threads,
    )


def _rounded(row: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in row.items()}


if __name__ == "__main__":
    main()
