"""Random numbers of the compiled code."""

import numpy as np
from numba import njit

from terrashot.heads.splitmix import random_below


@njit
def several(seed, below, n):
    state, found = np.array([seed], np.uint64), np.empty(n, np.int64)
    for at in range(n):
        found[at] = random_below(state, below)
    return found


def test_they_are_the_high_bits_of_the_published_numbers():
    # First five outputs for the seed 1234567, as in the test vectors that accompany the Java and C sources.
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert several(np.uint64(1234567), 2**32, 5).tolist() == [number >> 32 for number in published]


def test_each_number_below_the_bound_comes_about_equally_often():
    counts = np.bincount(several(np.uint64(1), 7, 70_000), minlength=7)
    assert len(counts) == 7
    # Five standard errors of a count of 10,000.
    assert np.abs(counts - 10_000).max() < 500
