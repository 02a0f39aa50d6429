"""How many directions a set of vectors really uses, from its spectrum."""

import numpy as np
from jaxtyping import Float64


def effective_rank(singular_values: Float64[np.ndarray, " k"]) -> float:
    """The exponential of the entropy of the values' shares: 1 where one holds all, k where all are equal; 1 of none above 0.

    Source: Roy and Vetterli 2007, "The effective rank: a measure of effective dimensionality", EUSIPCO, section 2.
    """
    total = singular_values.sum()
    if not total > 0:
        return 1.0
    shares = singular_values[singular_values > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def participation_ratio(variances: Float64[np.ndarray, " k"]) -> float:
    """Square of the sum over the sum of squares: 1 where one direction holds all variance, k where all are equal.

    Source: Gao et al. 2017, doi:10.1101/214262, section 2.
    """
    squares = np.square(variances).sum()
    return float(variances.sum() ** 2 / squares) if squares > 0 else 1.0
