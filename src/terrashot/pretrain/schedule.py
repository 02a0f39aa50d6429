"""Learning rate over a run."""

import math


def learning_rate_share(step: int, total: int, warmup: int) -> float:
    """Share of the peak rate at a step: linear up over `warmup` steps, then half a cosine down to 0.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, one cycle.
    """
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
