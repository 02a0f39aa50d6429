"""How many labels are enough, in a sentence that does not mislead."""

import pytest

from terrashot.domain.answers import EnoughLabels
from terrashot.domain.results import Point
from terrashot.evaluate.answers.sentences import sentences


def enough(features, form, n, low=None, high=None):
    return EnoughLabels("water", "north", features, "forest", form, n, low, high, 283)


def said(rows, points):
    (sentence,) = sentences(rows, points)
    return sentence


@pytest.fixture
def points():
    return [Point("water", "north", "gunw", "forest", 283, True, 1, 0.86, 0.0, None)]


def test_the_best_embedding_stands_beside_the_best_floor(points):
    rows = [
        enough("gunw", "common", 240.0, 151.0, 396.0),
        enough("image_stats", "common", 874.0),
        enough("majority", "common", None),
    ]
    assert said(rows, points) == (
        "water in north: 240 labels (150 to 400) of gunw (forest) reach 95 % of the accuracy that the best embedding has with all "
        "283; image_stats need 870"
    )


def test_where_guessing_reaches_the_target_the_labels_above_guessing_are_told(points):
    rows = [enough("gunw", "common", 10.0), enough("gunw", "skill", 120.0, 57.0), enough("majority", "common", 10.0)]
    assert said(rows, points) == (
        "water in north: the most common class alone has 95 % of the accuracy that the best embedding has with all 283; 95 % of "
        "what gunw (forest) adds to it takes 120 labels (57 or more)"
    )
    rows[1] = enough("gunw", "skill", None)
    assert said(rows, points).endswith("with all of them gunw (forest) adds too little to say how many give 95 % of it")


def test_nothing_is_said_of_an_embedding_that_never_gets_there(points):
    assert sentences([enough("gunw", "common", None), enough("majority", "common", None)], points) == []
