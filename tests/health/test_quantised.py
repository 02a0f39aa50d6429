"""Neighbours lost by coarser numbers."""

import numpy as np
import pytest
from tests.health.simulated_vectors import sound_table

from terrashot.health.invariance import batch_measure, workers_measure
from terrashot.health.quantised import neighbours_lost, quantisation_measure
from terrashot.health.survey import Sample


def vectors(n=300, width=16, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def naive(reference, stored):
    def nearest(block):
        distances = np.linalg.norm(block[:, None].astype(np.float64) - block, axis=2)
        np.fill_diagonal(distances, np.inf)
        return np.argsort(distances, axis=1)[:, :10]

    pairs = zip(nearest(reference), nearest(stored), strict=True)
    return 100 - 10 * np.mean([len(set(a) & set(b)) for a, b in pairs])


def sample(block):
    return Sample("a", np.arange(len(block)), block)


@pytest.mark.parametrize("step", [0.01, 0.5])
def test_it_is_the_share_of_ten_neighbours_that_are_others(step):
    block = vectors()
    coarse = (np.rint(block / step) * step).astype(np.float32)
    assert neighbours_lost(block, coarse, 0) == pytest.approx(naive(block, coarse), abs=0.3)  # ties


def test_the_same_numbers_lose_nothing_and_other_numbers_nearly_all():
    assert neighbours_lost(vectors(), vectors(), 0) == 0
    assert neighbours_lost(vectors(), vectors(seed=1), 0) > 90
    assert neighbours_lost(vectors(10), vectors(10), 0) is None


def test_coarser_steps_lose_more():
    block = vectors(600)
    lost = [
        neighbours_lost(block, (np.rint(block / step) * step).astype(np.float32), 0) for step in (1e-3, 1e-2, 1e-1, 1)
    ]
    assert lost == sorted(lost)


def test_half_precision_loses_next_to_nothing():
    block = sound_table()[0].blocks["optical"].astype(np.float32)
    assert neighbours_lost(block, block.astype(np.float16), 0) == 0


@pytest.mark.parametrize(("points", "expected"), [(0.0, "good"), (1.0, "good"), (1.1, "look"), (11.0, "bad")])
def test_what_was_measured_is_judged_by_the_point(points, expected):
    found = quantisation_measure(sample(vectors()), {"a": points}, 0)
    assert (found.verdict, found.value) == (expected, points)


def test_what_int8_would_lose_is_told_and_judged_only_where_numbers_are_crushed():
    assert quantisation_measure(sample(vectors()), None, 0).verdict == "good"
    crushed = np.concatenate([vectors(), np.full((300, 1), 1000, np.float32)], axis=1)
    assert quantisation_measure(sample(crushed), {"b": 0.0}, 0).verdict == "look"
    assert quantisation_measure(sample(vectors(5)), None, 0).verdict is None


@pytest.mark.parametrize(
    ("measure", "difference", "expected"),
    [
        (batch_measure, None, None), (batch_measure, 0.0, "good"), (batch_measure, 3e-6, "good"), (batch_measure, 1e-3, "look"),
        (batch_measure, 0.1, "bad"), (workers_measure, None, None), (workers_measure, 0.0, "good"), (workers_measure, 1e-9, "bad"),
    ],
)  # fmt: skip
def test_batch_size_has_a_tolerance_and_workers_have_none(measure, difference, expected):
    assert measure(difference).verdict == expected
