"""Whether all channels that are there went into the vectors, and whether each kind of them matters."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from terrashot.domain.health import HealthVerdict, Measure
from terrashot.health.judge import unmeasured

KNOWN_POLICIES = ("mean", "each", "each-date")
UNCHANGED = 1e-6
"""A mean cosine this near to 1 is that of the same vector."""


def channels_measure(
    block: str, went_in: Int[np.ndarray, " n"], there: Int[np.ndarray, " n"] | None, policy: str | None
) -> Measure:
    """`channels`: the fewest that went into a vector.

    Args:
        went_in: of the chips that have a vector; likewise `there`.
    """
    if not len(went_in):
        return unmeasured("channels", block, "no chip has a vector")
    fewest, counts = float(went_in.min()), f"{_range(went_in)} went into a vector"
    if there is None:
        verdict: HealthVerdict = "look" if (went_in == 1).all() else "good"
        return Measure("channels", block, fewest, verdict, f"{counts}; how many there are is not told")
    fewer = int((went_in < there).sum())
    if not fewer:
        return Measure("channels", block, fewest, "good", f"{counts}, all that there are")
    sentence = f"{counts}, where there are {_range(there)}; {fewer:,} chips have more than went in"
    return Measure("channels", block, fewest, *_of_choice(policy, sentence))


def _range(counts: Int[np.ndarray, " n"]) -> str:
    low, high = int(counts.min()), int(counts.max())
    if low == high:
        return f"{low} channel{'' if low == 1 else 's'}"
    return f"{low} to {high} channels"


def _of_choice(policy: str | None, sentence: str) -> tuple[HealthVerdict, str]:
    """Verdict and sentence where channels were left out: by choice, or nobody knows why."""
    if policy == "random":
        return "look", f"{sentence}: one at random, as was asked for (`random`); another draw gives another vector"
    if policy is not None and policy not in KNOWN_POLICIES:
        return "good", f"{sentence}, as was asked for ({policy})"
    return "bad", f"{sentence}, though all were to; embed again"


def kinds_measure(block: str, without: Mapping[str, float]) -> Measure:
    """`kinds`: how many kinds of channel change the vector when they are left out."""
    if len(without) < 2:
        return Measure("kinds", block, float(len(without)), "good", "one kind of channel: " + ", ".join(without))
    telling = [kind for kind, cosine in without.items() if not cosine > 1 - UNCHANGED]
    each = ", ".join(f"{kind} {cosine:.3f}" for kind, cosine in sorted(without.items()))
    sentence = f"{len(telling)} of {len(without)} kinds of channel change the vector; cosine to the vector without each: {each}"
    if len(telling) < 2:
        only = f"; the model sees {telling[0]} alone" if telling else "; the model sees none of them"
        return Measure("kinds", block, float(len(telling)), "bad", sentence + only)
    verdict: HealthVerdict = "good" if len(telling) == len(without) else "look"
    return Measure("kinds", block, float(len(telling)), verdict, sentence)
