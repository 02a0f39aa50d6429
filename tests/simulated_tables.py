"""Few-label tables whose truth is known: logit of being right = size + draw + block + their own luck, then binomial counts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from terrashot.evaluate.certainty.curve import Curve

SIZES = (5, 10, 100, 250, 500, 1000, 20_000)
LEVELS = np.array([0.1, 0.3, 0.9, 1.25, 1.45, 1.5, 1.52])
"""Logits of the sizes; the last is all labels, fitted once and the same whatever is drawn."""
DRAW_SCALES = np.array([3.0, 2.0, 0.7, 0.4, 0.3, 0.2, 0.0])
"""Draws differ less the larger they are."""


@dataclass(frozen=True)
class World:
    """How much draws, blocks and a draw's luck in a block matter, in logits."""

    draws: float = 0.3
    blocks: float = 0.5
    luck: float = 0.3
    unequal: float = 0.5
    """Coefficient of variation of the blocks' chips."""
    chips: int = 30
    """Mean of a block."""

    def expectation(self, level, size):
        """Accuracy at a size over new draws and new blocks."""
        x, weight = np.polynomial.hermite_e.hermegauss(40)
        sd = np.hypot(self.blocks, np.hypot(self.draws, self.luck) * DRAW_SCALES[size])
        return float((expit(level + sd * x) * weight).sum() / weight.sum())

    def curves(self, rng, repeats, blocks, levels=(LEVELS,)):
        """Curves of sets that share chips, most of the draws' effects and most of the blocks' effects; a row of levels each."""
        shape = 1 / self.unequal**2
        n = 1 + rng.poisson(rng.gamma(shape, self.chips / shape, blocks))
        of_draw, of_block = rng.standard_normal((repeats, 1)), rng.standard_normal(blocks)
        return [self._curve(rng, f"set{k}", own, n, of_draw, of_block) for k, own in enumerate(levels)]

    def _curve(self, rng, name, levels, n, of_draw, of_block):
        sums = []
        for level, scale in zip(levels, DRAW_SCALES, strict=True):
            shape = (len(of_draw) if scale else 1, len(n))
            draw = _mix(rng, of_draw[: shape[0]], 0.5)
            logit = level + self.blocks * _mix(rng, of_block, 0.9) + scale * (
                self.draws * draw + self.luck * rng.standard_normal(shape)
            )  # fmt: skip
            sums.append(rng.binomial(n, np.broadcast_to(expit(logit), shape)))
        return Curve("water", "here", name, "forest", SIZES, (*[False] * 6, True), tuple(sums), n)


def _mix(rng, shared, share):
    return np.sqrt(share) * shared + np.sqrt(1 - share) * rng.standard_normal(shared.shape)


def majority(curve, share=0.5):
    """The floor that tells nothing apart, on the curve's chips: right in about a share of each block."""
    right = np.round(curve.n * share).astype(np.int64)[None]
    return Curve(curve.task, curve.area, "majority", "forest", curve.sizes[-1:], (True,), (right,), curve.n)
