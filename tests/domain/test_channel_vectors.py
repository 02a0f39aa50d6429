"""A chip's vector is made of the channels that are there, and of no other."""

import numpy as np
import pytest
from tests.simulated_channels import MONTHS, modality

from terrashot.domain import channel_vectors
from terrashot.domain.channel_vectors import parts_without, side_by_side

OWN = modality(np.random.default_rng(0).standard_normal((50, 3)), ("red", "blue", "nir"), MONTHS, absent=0.4)
ROWS = np.arange(50)
NONE = np.zeros((1, 6), dtype=bool)


def naive(own, row, gone, places):
    there = [own.vectors[row, c] for c in places if not gone[c] and not np.isnan(own.vectors[row, c, 0])]
    if not there:
        return np.full(own.vectors.shape[2], np.nan)
    mean = np.sum(there, axis=0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize(
    ("policy", "parts"),
    [("mean", [range(6)]), ("each", [(0, 3), (1, 4), (2, 5)]), ("each-date", [(c,) for c in range(6)])],
)
def test_a_part_is_the_unit_mean_of_the_channels_that_are_left(policy, parts):
    gone = np.random.default_rng(1).random((50, 6)) < 0.3
    for mask in (NONE, gone[:1], gone):
        found = parts_without(OWN, ROWS, mask, policy)
        expected = [[naive(OWN, row, mask[row % len(mask)], own) for own in parts] for row in ROWS]
        np.testing.assert_allclose(found, np.array(expected), atol=1e-6)
    assert np.isnan(found).any() and not np.isnan(found).all()


def test_few_rows_at_a_time_and_half_precision_give_the_same(monkeypatch):
    gone = np.random.default_rng(1).random((50, 6)) < 0.3
    whole, some = parts_without(OWN, ROWS, gone, "each"), np.array([7, 3, 41, 8])
    np.testing.assert_array_equal(parts_without(OWN, some, gone, "each"), whole[some])
    monkeypatch.setattr(channel_vectors, "NUMBERS_AT_ONCE", 6 * 6 * 7)
    np.testing.assert_array_equal(parts_without(OWN, ROWS, gone, "each"), whole)
    half = channel_vectors.ModalityChannels(OWN.names, OWN.kinds, OWN.months, OWN.vectors.astype(np.float16))
    np.testing.assert_allclose(parts_without(half, ROWS, gone, "each"), whole, atol=2e-3)


def test_parts_of_modalities_stand_side_by_side():
    left, right = parts_without(OWN, ROWS, NONE, "mean"), parts_without(OWN, ROWS, NONE, "each")
    both = side_by_side([left, right])
    assert both.shape == (50, 6 + 18)
    np.testing.assert_array_equal(both[:, 6:].reshape(50, 3, 6), right)


def test_a_chip_has_a_channel_or_lacks_it():
    np.testing.assert_array_equal(OWN.present, ~np.isnan(OWN.vectors).all(axis=2))
