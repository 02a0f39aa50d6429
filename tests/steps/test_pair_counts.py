"""`terrashot status` says per area how many pairs its chips have, by days."""

import numpy as np

from terrashot.domain.tables import Chips, Presence
from terrashot.steps.pair_counts import pair_counts, told_pairs


def column(*values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def presence_of(*rows):
    """Rows of chip, modality, status, first and second date."""
    ids, modality, status, first, second = (column(*values) for values in zip(*rows, strict=True))
    n, unknown = len(rows), np.full(len(rows), -1)
    channel = column(*(f"c{number}" for number in range(n)))
    return Presence(
        ids, modality, channel, channel, unknown.astype(np.int16), status, column(*[None] * n), np.full(n, np.nan, np.float32),
        unknown.astype(np.int32), first, second, np.full(n, np.nan, np.float32),
    )  # fmt: skip


def test_pairs_are_counted_by_chip_and_days_and_chips_without_one_count_as_none():
    chips = Chips(("a", "b", "c", "d"), ("north", "north", "north", "south"), (None,) * 4, ("train",) * 4)
    presence = presence_of(
        ("a", "gunw", "ok", "2021-07-11", "2021-07-23"), ("a", "gunw", "ok", "2021-06-29", "2021-07-23"),
        ("b", "gunw", "ok", "2021-07-11", "2021-07-23"), ("b", "gunw", "failed", "2021-06-29", "2021-07-23"),
        ("c", "gunw", "missing", None, None), ("d", "s2rgbm", "ok", "2021-07-01", None),
    )  # fmt: skip
    found = pair_counts(chips, presence)
    assert found["north"].counts == (0, 1, 2) and found["north"].by_days == {12: 2, 24: 1}
    assert found["south"].counts == (0,) and found["south"].by_days == {}
    lines = told_pairs(found)
    assert lines[1] == "pairs of coherence:"
    assert lines[2] == (
        "  north: 0 to 2 a chip, median 1; 1 of 3 chips have none; a chip has on average by days 12 d: 0.7, 24 d: 0.3"
    )
    assert found["north"].as_facts() == {
        "chips": 3,
        "fewest": 0,
        "median": 1.0,
        "most": 2,
        "by_days": {"12": 2, "24": 1},
    }


def test_a_study_without_pairs_says_nothing_of_them():
    chips = Chips(("d",), ("south",), (None,), ("train",))
    assert pair_counts(chips, presence_of(("d", "s2rgbm", "ok", "2021-07-01", None))) == {} and told_pairs({}) == []
