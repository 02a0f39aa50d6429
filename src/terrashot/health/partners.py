"""Whether a chip's vector of one modality finds the same chip's vector of another, which is what pretraining was for."""

import numpy as np
from jaxtyping import Int64

from terrashot.domain.health import Measure
from terrashot.domain.retrieval import one_vector, partner_ranks
from terrashot.health.judge import LEAST_ACCORD, ONE_PERCENT, unmeasured
from terrashot.health.survey import Survey

MOST = 2000
FEWEST = 20
CERTAIN = 3.0
"""Standard deviations above chance: exceeded once in 740 tables whose ids are mixed up."""


def partner_measure(survey: Survey, left: str, right: str, rows: Int64[np.ndarray, " n"]) -> Measure:
    """`partners`: how much higher a chip's other modality ranks than by chance; 1 is always first, 0 anywhere, -1 always last.

    Args:
        rows: by id, those that have both.
    """
    pair, table = f"{left} & {right}", survey.table
    if table.model is None:
        return unmeasured("partners", pair, "the table tells of no model that gave both one space")
    if len(rows) < FEWEST:
        return unmeasured("partners", pair, f"{len(rows)} chips have both; {FEWEST} are needed")
    if table.shared_parts(left).shape[2] != table.shared_parts(right).shape[2]:
        return unmeasured("partners", pair, "vectors of unlike length")
    chips = survey.some(rows, MOST, "partners")
    views = [one_vector(table.shared_parts(name)[chips]) for name in (left, right)]
    ranks = np.concatenate([partner_ranks(*views), partner_ranks(*views[::-1])])
    value = float(1 - 2 * ranks.mean() / (len(chips) - 1))
    spread = 1 / np.sqrt(3 * len(chips))
    first = float((ranks == 0).mean())
    sentence = (
        f"of {len(chips):,} chips the same chip in the other modality ranks at {100 * (1 - value) / 2:.0f} % from the top, "
        f"and is first for {100 * first:.1f} % (by chance at 50 %, for {100 / len(chips):.1f} %)"
    )
    if value > CERTAIN * spread:
        return Measure("partners", pair, value, "good", sentence)
    if value + ONE_PERCENT * spread < LEAST_ACCORD:
        mixed = ": no better than chance; ids of one modality are mixed up, or the model never learnt to pair them"
        return Measure("partners", pair, value, "bad", sentence + mixed)
    return Measure("partners", pair, value, "look", sentence + "; too few chips to tell from chance")
