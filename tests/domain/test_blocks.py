"""A checkerboard over the Earth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.domain.blocks import block_folds


@settings(max_examples=60)
@given(st.floats(-180, 180), st.floats(-80, 84), st.sampled_from([3, 5, 8]))
def test_the_fold_of_a_place_depends_on_no_other_place(lon, lat, folds):
    among = block_folds(np.array([lon, 1.0, -170.0]), np.array([lat, 2.0, 60.0]), 50.0, folds)
    alone = block_folds(np.array([lon]), np.array([lat]), 50.0, folds)
    assert among[0] == alone[0] and 0 <= alone[0] < folds


@pytest.mark.parametrize("folds", [3, 4, 5, 7])
def test_blocks_are_of_their_size_and_those_beside_each_other_differ(folds):
    along = np.arange(0, 3.0, 0.001)
    found = block_folds(10 + along, np.full(len(along), 45.1), 50.0, folds)
    changes = np.flatnonzero(np.diff(found))
    widths_km = np.diff(along[changes]) * 111.19 * np.cos(np.radians(45.1))
    assert widths_km == pytest.approx(50.0, rel=0.02)
    assert (np.diff(found)[changes] % folds == 1).all()
    up = block_folds(np.full(len(along), 10.0), 45 + along, 50.0, folds)
    heights_km = np.diff(along[np.flatnonzero(np.diff(up))]) * 111.19
    assert (heights_km > 49).all()


@pytest.mark.parametrize("folds", [3, 5])
def test_every_fold_holds_about_as_much_ground(folds):
    rng = np.random.default_rng(0)
    found = block_folds(rng.uniform(-20, 20, 20_000), rng.uniform(-10, 10, 20_000), 50.0, folds)
    assert np.bincount(found, minlength=folds) / 20_000 == pytest.approx(1 / folds, abs=0.02)
