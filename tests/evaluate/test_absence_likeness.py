"""How like altered vectors are to whole ones."""

import numpy as np
import pytest

from terrashot.evaluate.absence.likeness import Partners


def test_vectors_are_alike_by_what_modalities_share():
    rng = np.random.default_rng(0)
    shared, own = rng.standard_normal((2, 30, 2, 4)).astype(np.float32)
    whole = np.concatenate([own, shared], axis=2).reshape(30, -1)
    altered = np.concatenate([own[::-1], shared], axis=2).reshape(30, -1)
    n_parts = {"s2rgbm": 1, "s1grdm": 1}
    found = Partners(whole, n_parts, shared=4).likeness(altered)
    plain = Partners(shared.reshape(30, -1), n_parts).likeness(shared.reshape(30, -1))
    assert found.cosine == pytest.approx(1) and found.recall == plain.recall
    assert Partners(whole, n_parts).likeness(altered).cosine < 0.9
