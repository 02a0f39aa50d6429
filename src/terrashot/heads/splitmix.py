"""Random whole numbers inside compiled code, from a state that is an argument."""

from typing import no_type_check

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
@no_type_check
def random_below(state: np.ndarray, below: int) -> int:
    """A whole number from 0 to `below` - 1 (at most 2^32); the state (one uint64) moves on.

    Source: Steele et al. 2014, doi:10.1145/2660193.2660195 (splitmix64); Lemire 2019, arXiv:1805.10941 (the high part of
    a product instead of a remainder; the bias, below 2^-32 times `below`, is left).
    """
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return int(((z >> np.uint64(32)) * np.uint64(below)) >> np.uint64(32))
