"""How many points of few-label accuracy vectors lose when they are stored more coarsely.

Letters: `N` chips, `D` numbers of a vector.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Bool, Float32
from threadpoolctl import threadpool_limits

from terrashot.domain.results import PointsLost
from terrashot.domain.tasks import Classes, TaskRule, make_classes
from terrashot.errors import InputError
from terrashot.evaluate.protocol.sampling import draws_of
from terrashot.heads.pool import HeadSettings, Pool, make_pool, predict

HEAD, DRAWS = "logistic", 5
LABELS = 250
"""Of a draw, or all that there are."""
FEWEST = 20
"""Labels to learn from, or to judge by, that a target must have."""


def points_lost(
    before: Float32[np.ndarray, "N D"],
    after: Float32[np.ndarray, "N D"],
    targets: Mapping[str, np.ndarray],
    rules: Mapping[str, TaskRule],
    is_train: Bool[np.ndarray, " N"],
    seed: int,
) -> PointsLost | None:
    """What logistic heads of up to 250 labels tell of the other chips, before and after; None without a target to tell apart.

    Args:
        targets: as in `Labels`, in the chips' order; numbers are cut in two, as the rules say.
        is_train: chips to draw from; all others are judged.
    """
    if min(is_train.sum(), (~is_train).sum()) < FEWEST:
        return None
    with threadpool_limits(1):
        pools = [make_pool(block[is_train], block[~is_train], seed, (HEAD,)) for block in (before, after)]
        found = [
            [_accuracies(pool, name, classes, is_train, seed) for pool in pools]
            for name, classes in _classes(targets, rules, is_train)
        ]
    if not found:
        return None
    means = np.mean(found, axis=(0, 2))
    return PointsLost(float(means[0]), float(means[1]), LABELS, len(found), int((~is_train).sum()))


def _classes(
    targets: Mapping[str, np.ndarray], rules: Mapping[str, TaskRule], is_train: Bool[np.ndarray, " N"]
) -> Iterator[tuple[str, Classes]]:
    for name, values in targets.items():
        try:
            classes = make_classes(name, values, is_train, rules[name].cut)
        except InputError:
            continue  # nothing to tell apart: said where it is learnt
        if min((classes.y[is_train] >= 0).sum(), (classes.y[~is_train] >= 0).sum()) >= FEWEST:
            yield name, classes


def _accuracies(pool: Pool, name: str, classes: Classes, is_train: Bool[np.ndarray, " N"], seed: int) -> list[float]:
    """One a draw; the same draws whatever the pool."""
    learn, judge = classes.y[is_train], classes.y[~is_train]
    known, judged = np.flatnonzero(learn >= 0), judge >= 0
    accuracies = []
    for repeat in range(DRAWS):
        (draw,) = draws_of(known, [min(LABELS, len(known))], repeat, (seed, name, "stored"))
        told = predict(
            HEAD, pool, draw.rows, learn[draw.rows], n_classes=len(classes.names), settings=HeadSettings(), seed=seed
        ).argmax(axis=1)
        accuracies.append(float((told[judged] == judge[judged]).mean()))
    return accuracies
