"""Five lines of Python give what the command gives."""

import numpy as np
import pandas as pd
import pytest

import terrashot
from terrashot.errors import InputError
from terrashot.evaluate.protocol.comparison import DrawSettings
from terrashot.evaluate.protocol.fewshot import FewshotSettings
from terrashot.evaluate.protocol.fitting import FitSettings

SETTINGS = FewshotSettings(DrawSettings((10, 50), 3), FitSettings(("logistic",)))
RNG = np.random.default_rng(0)
Y = np.repeat(["forest", "water"], 100)
VECTORS = (RNG.normal(size=(200, 6)) + (Y == "water")[:, None]).astype(np.float32)


def test_vectors_and_labels_are_enough():
    found = terrashot.fewshot(VECTORS, {"kind": Y}, settings=SETTINGS)
    assert set(found.table["features"]) == {"vectors", "majority"}
    best = found.answers.verdicts[-1]
    assert (best.features, best.beats_floors) == ("vectors", True)
    assert best.sentence in repr(found)
    assert "neighbours may straddle it" in repr(found)
    assert "<li>" in found._repr_html_()
    assert len(found.figure().axes) == 1


def test_groups_keep_neighbours_together():
    chips = pd.DataFrame({"group": [f"g{row // 10}" for row in range(200)]})
    assert "whole groups" in repr(terrashot.fewshot({"mine": VECTORS}, {"kind": Y}, chips=chips, settings=SETTINGS))


@pytest.mark.parametrize(
    ("vectors", "labels", "chips", "said"),
    [
        (VECTORS, {"kind": Y[:-1]}, None, "'kind' has 199 rows, the first vectors have 200"),
        (np.where(np.arange(6) == 2, np.nan, VECTORS), {"kind": Y}, None, "row 0 holds NaN or infinity among numbers"),
        (VECTORS.astype(int), {"kind": Y}, None, "vectors are floats"),
        (VECTORS, {"kind": Y}, pd.DataFrame({"id": ["a"] * 200}), "199 ids occur twice"),
        (VECTORS, {"kind": ["water"] * 200}, None, "fewer than two classes"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(vectors, labels, chips, said):
    with pytest.raises(InputError) as error:
        terrashot.fewshot(vectors, labels, chips=chips, settings=SETTINGS)
    assert said in str(error.value)


def test_a_chip_without_a_vector_is_left_out_and_that_is_said():
    holed = VECTORS.copy()
    holed[::20] = np.nan
    assert "10 of 200 labelled chips lack a modality" in repr(terrashot.fewshot(holed, {"kind": Y}, settings=SETTINGS))
