"""Shares of what is there and of why the rest is not: the same as counting chip by chip."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulated_presence import CLOUD, LATE, MONTHS, NO_PAIR, OK, UNREAD, optical, states_of

from terrashot.domain.channel_states import ChannelState, count_absent, state_of
from terrashot.domain.presence_shares import WHOLE, Why, presence_shares

AREAS = ("north", "south", "north", "south", "north")
cell = st.tuples(
    st.integers(0, 4), st.sampled_from(["s2rgbm", "gunw"]), st.sampled_from([None, *MONTHS, "coherence"]),
    st.sampled_from([OK, CLOUD, LATE, UNREAD, NO_PAIR]),
)  # fmt: skip


def by_hand(rows, area, modality, part):
    """Of the chips of an area that have rows of a part, or of its whole modality, the share that is absent, by reason."""
    own = defaultdict(list)
    for chip, its, its_part, what in rows:
        if its == modality and AREAS[chip] == area and (part is None or its_part in (part, None)):
            own[chip].append(what)
    shares = defaultdict(float)
    for whats in own.values():
        for what in whats:
            shares[what] += 1 / len(whats) / len(own)
    return {Why(*what): pytest.approx(share) for what, share in shares.items() if what[0] != "ok"}


@given(st.lists(cell, max_size=40))
def test_shares_are_those_of_counting_chip_by_chip(rows):
    shares = presence_shares(states_of(rows), AREAS)
    for own in shares.modalities:
        for number, area in enumerate(shares.areas):
            whole = dict(zip(own.whys, own.whole.shares([number])[0], strict=True))
            assert {why: share for why, share in whole.items() if share} == by_hand(rows, area, own.modality, None)
            for part, found in zip(own.parts, own.by_part.shares([number]), strict=True):
                asked = None if part == WHOLE else part
                told = {why: share for why, share in zip(own.whys, found, strict=True) if share}
                assert told == by_hand(rows, area, own.modality, asked)


@given(st.lists(cell, max_size=40))
def test_the_mean_over_chips_of_what_is_there_is_what_is_not_absent(rows):
    shares = presence_shares(states_of(rows), AREAS)
    for own in shares.modalities:
        assert np.nanmean(own.present) == pytest.approx(1 - own.absent([0, 1]), abs=1e-6)


def test_a_chip_without_any_month_has_a_share_of_0_and_one_that_nothing_is_told_of_none():
    (own,) = presence_shares(states_of(optical("oo", "oc", "cn")), ("a",) * 4).modalities
    assert np.array_equal(own.present, [1, 0.5, 0, np.nan], equal_nan=True)


def test_reasons_come_by_status_and_then_the_commonest_first():
    (own,) = presence_shares(states_of(optical("fn", "cc", "fn", "fo")), ("a",) * 4).modalities
    assert own.whys == (Why(*CLOUD), Why(*LATE), Why(*UNREAD))
    assert own.is_failed.tolist() == [True, False, True, True]
    assert own.by_part.shares([0]).tolist() == [[0.25, 0, 0.75], [0.25, 0.5, 0]]


def test_a_chip_of_which_no_channel_was_formed_lacks_every_part():
    rows = [(0, "gunw", "coherence", OK), (0, "gunw", "phase", OK), (1, "gunw", None, NO_PAIR)]
    (own,) = presence_shares(states_of(rows), ("a", "a")).modalities
    assert own.parts == ("coherence", "phase") and own.by_part.shares([0]).tolist() == [[0.5], [0.5]]


def test_only_the_modalities_that_lack_something_in_an_area_are_named_for_it():
    rows = [*optical("oo", "oc"), (0, "gunw", None, NO_PAIR), (1, "gunw", "coherence", OK)]
    shares = presence_shares(states_of(rows), ("north", "south"))
    assert [[own.modality for own in shares.lacking([area])] for area in (0, 1)] == [["gunw"], ["s2rgbm"]]


def test_a_state_has_the_month_of_a_composite_or_else_its_kind_and_few_words():
    assert state_of("s2rgbm", "red", ("2020-03-01", None), "ok", None) == ChannelState("s2rgbm", "2020-03", "ok", "")
    late = state_of("gunw", "coherence", ("2020-03-01", "2020-03-13"), "missing", "no file: neither here nor there")
    assert late == ChannelState("gunw", "coherence", "missing", "no file")
    assert state_of("gunw", None, (None, None), "missing", "no pair") == ChannelState(
        "gunw", None, "missing", "no pair"
    )


def test_what_failed_is_one_reason_whichever_file_it_was():
    for told in ("/data/c7.tif: no such file", "failed to read: B04: 404", None):
        assert state_of("s2rgbm", "red", ("2020-03-01", None), "failed", told).reason == "failed to read"


def test_absent_channels_are_counted_by_modality_status_and_reason():
    counts = count_absent(states_of([*optical("cc", "on"), (0, "gunw", None, NO_PAIR)]))
    assert counts == [
        ("gunw", "missing", "no pair was formed", 1), ("s2rgbm", "empty", "all clouded", 4),
        ("s2rgbm", "missing", "no acquisition in the month", 2),
    ]  # fmt: skip
