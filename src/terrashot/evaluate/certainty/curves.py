"""Learning curves from block scores: the fits of one feature set and head, by size."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from terrashot.domain.results import BlockScores, FitName
from terrashot.evaluate.certainty.bootstrap import Weights, make_weights
from terrashot.evaluate.certainty.curve import Curve
from terrashot.evaluate.protocol.sampling import seed_of

Key = tuple[str, str, str, str, str, str]
"""Task, area, training area, scheme, feature set, head."""


def curves_of(scores: Sequence[BlockScores]) -> dict[Key, Curve]:
    """One a task, area, training area, scheme, feature set and head; repeats in order, sizes growing, all labels last."""
    tables: dict[Key, dict[FitName, np.ndarray]] = defaultdict(dict)
    first: dict[Key, BlockScores] = {}
    for one in scores:
        sums = one.correct if one.correct is not None else one.squared_error
        assert sums is not None, "block scores are of classes or of a regression"
        for fit, row in zip(one.fits, sums, strict=True):
            key = (one.task, one.area, one.train_area, one.split_scheme, one.features, fit.head)
            tables[key][fit] = row
            first.setdefault(key, one)
    return {key: _curve(key, rows, first[key]) for key, rows in tables.items()}


def weights_for(curves: Sequence[Curve], seed: int) -> Weights:
    """One set of weights for curves over the same blocks."""
    most = max(len(table) for curve in curves for table in curve.sums)
    rng = np.random.default_rng(seed_of(seed, "bootstrap", curves[0].task, curves[0].area))
    return make_weights(most, len(curves[0].n), rng)


def _curve(key: Key, rows: dict[FitName, np.ndarray], one: BlockScores) -> Curve:
    sizes = sorted({(fit.n_labels_asked is None, fit.n_labels) for fit in rows})
    tables = []
    for is_full, size in sizes:
        own = [fit for fit in rows if (fit.n_labels_asked is None, fit.n_labels) == (is_full, size)]
        tables.append(np.stack([rows[fit] for fit in sorted(own, key=lambda fit: fit.repeat)]))
    return Curve(
        key[0], key[1], key[4], key[5], tuple(size for _, size in sizes), tuple(full for full, _ in sizes),
        tuple(tables), one.n, one.label_sum, one.label_square_sum,
    )  # fmt: skip
