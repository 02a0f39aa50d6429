"""Chips that share a vector with another chip, to the last bit or nearly."""

from hashlib import blake2b

import numpy as np
from jaxtyping import Float, Int64

from terrashot.domain.health import Measure
from terrashot.health.distances import lengths_between, nearest_others
from terrashot.health.judge import above, unmeasured
from terrashot.health.survey import Survey

FEWEST = 10
FEW, MANY = 0.001, 0.03
"""Shares worth a look, and bad: a degenerate run of others had 0.035 of its rows at distance 0 (torchgeo-bench,
docs/interesting-findings.md); sound tables here had none, docs/health.md."""
NEAR = 1e-3
"""In units of the middle distance between two chips. The nearest two chips of sound tables were 3e-3 apart, docs/health.md."""
MOST_PAIRS, FEWEST_ASKED = 100_000_000, 512
PAIRS_FOR_MIDDLE = 10_000


def duplicate_measures(survey: Survey, block: str, rows: Int64[np.ndarray, " n"]) -> list[Measure]:
    """`duplicates`, among all of the rows; `near_duplicates`, of a sample of the rows among all."""
    if len(rows) < FEWEST:
        why = f"{len(rows)} vectors; {FEWEST} are needed"
        return [unmeasured(name, block, why) for name in ("duplicates", "near_duplicates")]
    vectors = survey.table.blocks[block]
    return [_exact(block, vectors, rows), _near(survey, block, rows)]


def _exact(block: str, vectors: Float[np.ndarray, "N D"], rows: Int64[np.ndarray, " n"]) -> Measure:
    digests = b"".join(blake2b(vectors[row].tobytes(), digest_size=8).digest() for row in rows)
    _, member, counts = np.unique(np.frombuffer(digests, np.uint64), return_inverse=True, return_counts=True)
    shared = int((counts[member] > 1).sum())
    sentence = f"{shared:,} of {len(rows):,} chips have exactly the vector of another chip"
    return Measure("duplicates", block, shared / len(rows), above(shared / len(rows), look=FEW, bad=MANY), sentence)


def _near(survey: Survey, block: str, rows: Int64[np.ndarray, " n"]) -> Measure:
    vectors, rng = survey.table.blocks[block], survey.random("pairs")
    pairs = rng.integers(len(rows), size=(2, PAIRS_FOR_MIDDLE))
    pairs = pairs[:, pairs[0] != pairs[1]]
    middle = float(np.median(lengths_between(vectors, rows[pairs[0]], rows[pairs[1]])))
    asked = survey.some(rows, max(FEWEST_ASKED, MOST_PAIRS // len(rows)), "near")
    near = int((nearest_others(vectors, rows, asked) <= NEAR * middle).sum())
    of = f"{len(asked):,} chips looked at" if len(asked) < len(rows) else f"{len(rows):,} chips"
    sentence = f"{near:,} of {of} lie within a thousandth of the middle distance of another chip"
    share = near / len(asked)
    return Measure("near_duplicates", block, share, above(share, look=FEW, bad=MANY), sentence)
