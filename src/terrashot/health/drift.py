"""How much of what differs between chips differs between areas."""

import numpy as np
from jaxtyping import Float32, Int64

from terrashot.domain.health import Measure
from terrashot.health.judge import above


def drift_measure(block: str, vectors: Float32[np.ndarray, "n D"], area: Int64[np.ndarray, " n"]) -> Measure:
    """`drift`, as `between_areas`; there are two areas at least."""
    share = between_areas(vectors, area)
    n_areas = len(np.unique(area))
    sentence = f"{100 * max(0.0, share):.0f} % of what differs between chips differs between the {n_areas} areas"
    return Measure("drift", block, share, above(share, look=0.3, bad=0.9), sentence)


def between_areas(vectors: Float32[np.ndarray, "n D"], area: Int64[np.ndarray, " n"]) -> float:
    """Share of the variance of vectors that lies between areas, 0 on average where areas do not matter.

    Adjusted for the number of areas as a coefficient of determination is. Source: Anderson 2001,
    doi:10.1111/j.1442-9993.2001.01070.pp.x, of Euclidean distances.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    total, within = float(np.square(centred).sum()), 0.0
    names = np.unique(area)
    for name in names:
        own = centred[area == name]
        within += float(np.square(own - own.mean(axis=0)).sum())
    if total == 0:
        return 0.0
    return 1 - (within / (len(vectors) - len(names))) / (total / (len(vectors) - 1))
