"""Descriptors that were worked out before."""

import numpy as np
import pytest

from terrashot.pretrain import known_descriptors
from terrashot.pretrain.descriptors import describe
from terrashot.pretrain.known_descriptors import KnownDescriptors

IMAGES = np.random.default_rng(0).normal(size=(6, 16, 16)).astype(np.float32)


def asked(known, numbers):
    """What it gives of these images, and which of them it had to read."""
    seen = []

    def read(places):
        seen.extend(numbers[place] for place in places)
        return IMAGES[[numbers[place] for place in places]]

    return known.of([("c", "optical", number) for number in numbers], read), seen


def test_what_is_known_is_not_read_again_and_stays_the_same():
    known = KnownDescriptors()
    first, seen = asked(known, [0, 1, 2])
    again, seen_again = asked(known, [2, 3, 0])
    assert (seen, seen_again) == ([0, 1, 2], [3])
    np.testing.assert_array_equal(first, describe(IMAGES[:3]))
    np.testing.assert_array_equal(again, describe(IMAGES[[2, 3, 0]]))


@pytest.mark.parametrize("most", [0, 2])
def test_beyond_so_many_they_are_worked_out_each_time(most, monkeypatch):
    monkeypatch.setattr(known_descriptors, "MOST_KNOWN", most)
    known = KnownDescriptors()
    for _ in range(2):
        found, seen = asked(known, [4, 1, 3, 5])
        np.testing.assert_array_equal(found, describe(IMAGES[[4, 1, 3, 5]]))
    assert len(seen) == 4 - most


def test_nothing_is_asked_of_nothing():
    found, seen = asked(KnownDescriptors(), [])
    assert found.shape == (0, describe(IMAGES).shape[1]) and not seen
