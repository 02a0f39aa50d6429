"""What every source of imagery must keep, whoever it is: to be called by the tests of each."""

import pickle

import numpy as np

from terrashot.domain.modality import MODALITIES, Imagery
from terrashot.errors import MissingImageryError
from terrashot.ingest.source import ImagerySource


def keeps_the_contract(source: ImagerySource, chip_ids: list[str]) -> None:
    """Nothing, if the source keeps all that the harvest and the store rely on, for these chips."""
    assert isinstance(source, ImagerySource)
    assert source.modality in MODALITIES and source.side_px >= 1 and source.max_channels >= 0
    assert pickle.loads(pickle.dumps(source)).read(chip_ids[0]) is not None  # noqa: S301
    for chip_id in chip_ids:
        try:
            found = source.read(chip_id)
        except MissingImageryError:
            continue
        _holds_together(source, found)
        _is_the_same_again(found, source.read(chip_id))


def _holds_together(source: ImagerySource, found: Imagery) -> None:
    n = len(found.channels)
    assert n <= source.max_channels
    assert found.values.shape == (n, source.side_px, source.side_px) and found.values.dtype == np.float32
    # A channel that is there has a value somewhere; one that has none is an absence, with its reason.
    assert np.isfinite(found.values).any(axis=(1, 2)).all() and not np.isinf(found.values).any()
    low, high = MODALITIES[source.modality].valid_range
    assert np.nanmin(found.values, initial=low) >= low and np.nanmax(found.values, initial=high) <= high
    assert len(found.n_acquisitions) in (0, n) and len(found.mean_counts) in (0, n)
    assert len({channel.name for channel in found.channels}) == n
    if source.unit is not None:
        assert {channel.unit for channel in found.channels} <= {source.unit}
    absent = [row.channel for row in found.absences if row.channel is not None]
    assert all(row.reason for row in found.absences) and all(row.status != "ok" for row in found.absences)
    if source.channels is not None and None not in [row.channel for row in found.absences]:
        named = [channel.name for channel in source.channels]
        assert sorted([c.name for c in (*found.channels, *absent)]) == sorted(named)
        assert [c.name for c in found.channels] == [name for name in named if name in {c.name for c in found.channels}]
    stored = {channel.name for channel in source.channels or ()}
    assert all({d.minuend, d.subtrahend} <= stored for d in source.differences)


def _is_the_same_again(one: Imagery, other: Imagery) -> None:
    assert one.channels == other.channels and one.absences == other.absences
    np.testing.assert_array_equal(one.values, other.values)
