"""Whether vectors differ at all, and in how many directions."""

import numpy as np
from jaxtyping import Float64

from terrashot.domain.health import HealthVerdict, Measure
from terrashot.domain.spectrum import effective_rank, participation_ratio
from terrashot.health.judge import above, below, unmeasured
from terrashot.health.survey import Sample

MOST_OPERATIONS = 4e10
"""Multiplications of one product: about two seconds of one core."""
FEWEST = 3
FEW_DIRECTIONS, FEW_SHARE = 5.0, 0.02
"""Fewer directions than the first, or than this share of all there could be, are worth a look."""
ONE_DIRECTION = 0.9
"""Share of the variance in the first direction that is worth a look; 0.24 to 0.85 in sound tables, docs/health.md."""


def spectrum_measures(sample: Sample) -> list[Measure]:
    """`collapse`, `effective_rank` and `isotropy`."""
    if len(sample.vectors) < FEWEST:
        why = f"{len(sample.vectors)} vectors; {FEWEST} are needed"
        return [unmeasured(name, sample.block, why) for name in ("collapse", "effective_rank", "isotropy")]
    vectors = sample.vectors[_rows_that_fit(*sample.vectors.shape)].astype(np.float64)
    mean_square = float(np.square(vectors).sum(axis=1).mean())
    vectors -= vectors.mean(axis=0)
    variances = _variances(vectors)
    possible = min(len(vectors) - 1, vectors.shape[1])
    spread = float(np.sqrt(variances.sum() / mean_square))
    return [_collapse(sample.block, spread), *_directions(sample.block, variances, possible)]


def _collapse(block: str, spread: float) -> Measure:
    verdict = below(spread, look=0.1, bad=0.02)
    likeness = f"two chips have a cosine of about {1 - spread**2:.3f}"
    sentence = f"vectors lie {100 * spread:.1f} % of their length from their mean; {likeness}"
    return Measure("collapse", block, spread, verdict, sentence + (_ALL_ALIKE if verdict == "bad" else ""))


_ALL_ALIKE = ": all chips have the same vector; train again"


def _directions(block: str, variances: Float64[np.ndarray, " k"], possible: int) -> list[Measure]:
    if possible < 2:
        return [unmeasured(name, block, "one number a vector") for name in ("effective_rank", "isotropy")]
    rank, ratio = effective_rank(np.sqrt(variances)), participation_ratio(variances)
    first = float(variances.max() / variances.sum()) if variances.sum() > 0 else 1.0
    uniform = max(0.0, (ratio - 1) / (possible - 1))
    return [
        Measure(
            "effective_rank", block, rank, _verdict_of_rank(rank, possible),
            f"about {rank:.1f} directions are used of {possible:,} that could be",
        ),
        Measure(
            "isotropy", block, uniform, above(first, look=ONE_DIRECTION, bad=1.0),
            f"{100 * first:.0f} % of what differs between chips lies in one direction (IsoScore {uniform:.3f})",
        ),
    ]  # fmt: skip


def _verdict_of_rank(rank: float, possible: int) -> HealthVerdict:
    """Little more than one direction is a collapse, unless there are not many more."""
    few = min(1 + (possible - 1) / 2, max(FEW_DIRECTIONS, FEW_SHARE * possible))
    return below(rank, look=few, bad=1 + min(1.0, (possible - 1) / 4))


def _variances(centred: Float64[np.ndarray, "n D"]) -> Float64[np.ndarray, " k"]:
    """Variance along each principal direction, from the smaller of the two products."""
    n, width = centred.shape
    product = centred.T @ centred if width <= n else centred @ centred.T
    variances: np.ndarray = np.clip(np.linalg.eigvalsh(product), 0, None) / n
    # What is left of rounding is no direction.
    variances[variances < variances.max() * 1e-14] = 0
    return variances


def _rows_that_fit(n: int, width: int) -> slice:
    """As many of the rows, evenly, as the product may have."""
    most = int(MOST_OPERATIONS / width**2)
    if most < width:
        most = int((MOST_OPERATIONS / width) ** 0.5)
    return slice(None, None, max(1, -(-n // max(FEWEST, most))))
