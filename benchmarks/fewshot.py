"""How much faster the few-label forests are than scikit-learn's plain loop, binning included.

python benchmarks/fewshot.py [--quick]
"""

import argparse
import statistics

import numpy as np
from interleaved import report, seconds_a_call
from sklearn.ensemble import RandomForestClassifier

from terrashot.heads.pool import HeadSettings, make_pool, predict

TREES, DEPTH, CLASSES = 50, 7, 2


def vectors(n: int, dimensions: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Low-rank clusters in noise, unit length, as embeddings are."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    y = rng.integers(0, CLASSES, n)
    signal = fixed.normal(size=(CLASSES, 64))[y] + 2 * rng.normal(size=(n, 64))
    found = signal @ fixed.normal(size=(64, dimensions)) + 4 * rng.normal(size=(n, dimensions))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32), y.astype(np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    dimensions, n_test, sizes, repeats = (
        (192, 500, (10, 100, 250), 3) if quick else (768, 20_000, (10, 100, 1000, 5000), 3)
    )
    train, y = vectors(max(sizes) * 2, dimensions, 0)
    test, y_test = vectors(n_test, dimensions, 1)
    draws = [np.random.default_rng(r).permutation(len(train))[:n] for n in sizes for r in range(repeats)]
    scores: dict[str, list[float]] = {"ours": [], "sklearn": []}

    def ours() -> None:
        pool = make_pool(train, test, 0)
        for rows in draws:
            found = predict(
                "forest", pool, rows, y[rows], n_classes=CLASSES, settings=HeadSettings(TREES, DEPTH), seed=1
            )
            scores["ours"].append(float((found.argmax(axis=1) == y_test).mean()))

    def plain_loop() -> None:
        for rows in draws:
            model = RandomForestClassifier(TREES, max_depth=DEPTH, random_state=1, n_jobs=1).fit(train[rows], y[rows])
            scores["sklearn"].append(float(model.score(test, y_test)))

    times = seconds_a_call({"ours": ours, "sklearn": plain_loop}, rounds=3, at_least_s=0.0)
    ratios = [theirs / mine for theirs, mine in zip(times["sklearn"], times["ours"], strict=True)]
    report(
        "fewshot", ratios, "scikit-learn RandomForestClassifier, one thread, the same draws and test rows",
        sizes=sizes, dimensions=dimensions, test_rows=n_test,
        accuracy={name: round(statistics.mean(found), 4) for name, found in scores.items()},
        seconds={name: round(statistics.median(found), 3) for name, found in times.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()
