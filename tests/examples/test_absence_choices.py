"""The comparison of what could stand in for an absent part uses the ridge as it is, and others beside it."""

import numpy as np
from examples.absence_choices import FACTORS, changes, shrunk_anew
from tests.simulated_channels import study

from terrashot.evaluate.absence.altered import Material


def test_the_same_share_of_shrinkage_is_the_same_model():
    vectors, _ = study(200)
    ridge = Material(vectors, "each", "ridge").models["ridge"]
    np.testing.assert_allclose(shrunk_anew(ridge, 1.0).covariance, ridge.covariance, atol=1e-15)
    np.testing.assert_allclose(shrunk_anew(ridge, 2.0).shrinkage, 2 * ridge.shrinkage)


def test_every_choice_is_measured_on_the_same_cases():
    vectors, labels = study(300)
    found = changes(Material(vectors, "mean", "ridge"), labels)
    assert list(found) == [
        "training mean",
        *(f"ridge, penalty x {factor:g}" for factor in FACTORS),
        "ridge, unit length",
    ]
    assert {size: len(values) for size, values in found["training mean"].items()} == {50: 6, 100: 6}
    assert np.mean(found["ridge, penalty x 1"][100]) > np.mean(found["training mean"][100])
