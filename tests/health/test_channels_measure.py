"""Channels and kinds: what was left out, and whether that was asked for."""

import numpy as np
import pytest

from terrashot.health.channels import channels_measure, kinds_measure


def channels(went_in, there, policy=None):
    there = None if there is None else np.array(there, np.int64)
    return channels_measure("a", np.array(went_in, np.int64), there, policy)


@pytest.mark.parametrize(
    ("went_in", "there", "policy", "expected"),
    [
        ([4, 4], [4, 4], "mean", "good"),
        ([4, 5], [4, 4], "mean", "good"),  # a difference of two channels is one more
        ([1, 1], [1, 1], "mean", "good"),
        ([1, 1], [4, 4], "mean", "bad"),
        ([4, 3], [4, 4], "mean", "bad"),
        ([1, 4], [4, 4], None, "bad"),
        ([1, 1], [4, 4], "each", "bad"),
        ([1, 1], [4, 4], "random", "look"),
        ([1, 1], [4, 4], "red", "good"),
        ([4, 4], None, "mean", "good"),
        ([1, 1], None, "mean", "look"),
        ([], [], "mean", None),
    ],
)
def test_channels_that_did_not_go_in_are_bad_unless_that_was_asked_for(went_in, there, policy, expected):
    assert channels(went_in, there, policy).verdict == expected


def test_the_sentence_counts():
    sentence = channels([1, 3, 4], [4, 4, 4], "mean").sentence
    assert sentence.startswith(
        "1 to 4 channels went into a vector, where there are 4 channels; 2 chips have more than went in"
    )
    assert channels([1, 1], [1, 1]).sentence == "1 channel went into a vector, all that there are"


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ({"red": 0.9, "blue": 0.99999}, "good"),
        ({"red": 0.9, "blue": 0.8, "green": 1.0}, "look"),
        ({"red": 0.9, "blue": 1.0}, "bad"),
        ({"red": 1.0, "blue": 1.0 - 1e-8}, "bad"),
        ({"vv": 0.2}, "good"),
        ({"red": float("nan"), "blue": 0.9}, "good"),  # nothing is left without red: it tells
    ],
)
def test_a_vector_that_one_kind_alone_changes_is_bad(without, expected):
    assert kinds_measure("a", without).verdict == expected
