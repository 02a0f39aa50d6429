"""Whether a chip's vector depends on what it was embedded beside, or by how many."""

from terrashot.domain.health import Measure
from terrashot.health.judge import above, unmeasured

BATCH_LOOK, BATCH_BAD = 1e-5, 1e-2
"""Sums in another order move numbers of a unit vector by less than the first in float32 (the stated tolerance), and by about 1e-3 in
bfloat16; beyond the second something else differs."""


def batch_measure(difference: float | None) -> Measure:
    """`batch`: largest difference of a number between two batch sizes."""
    if difference is None:
        return unmeasured("batch", "", "needs the model and the images")
    sentence = f"another batch size moves numbers by up to {difference:.1e}"
    return Measure("batch", "", difference, above(difference, look=BATCH_LOOK, bad=BATCH_BAD), sentence)


def workers_measure(difference: float | None) -> Measure:
    """`workers`: the same between numbers of workers, which must be 0."""
    if difference is None:
        return unmeasured("workers", "", "needs the model and the images")
    if difference == 0:
        return Measure("workers", "", 0.0, "good", "another number of workers changes no bit")
    return Measure(
        "workers", "", difference, "bad", f"another number of workers moves numbers by up to {difference:.1e}"
    )
