"""Vectors of a table that is there, of new chips, and of chips that show something else by now."""

from dataclasses import replace

import numpy as np
import pytest
from test_embed import IDS, chips_of, job_of

from fake_chip_store import FakeChipStore, textured_store
from terrashot.domain.tables import Embeddings
from terrashot.durable.parts import DiskParts
from terrashot.embed.embed import embed_chips
from terrashot.embed.in_parts import embed_in_parts
from terrashot.embed.joined import JoinedVectors, unchanged_chips
from terrashot.steps.progress import finish

OLD = IDS[:10]


def without_radar(store, *chip_ids):
    """As it was when these chips' files could not be read."""
    radar = {name: found for name, found in store.images["radar"].items() if name not in chip_ids}
    return FakeChipStore({**store.images, "radar": radar})


def table_of(store, ids, channels="mean"):
    raw = finish(embed_chips(job_of(store, channels=channels), ids))
    blocks = {name: parts.reshape(len(ids), -1) for name, parts in raw.parts.items()}
    return Embeddings(chips_of(ids), blocks, raw.n_channels, valid_fraction=raw.valid_fraction)


@pytest.fixture
def store():
    return textured_store(IDS, {"optical": 3, "radar": 2})


@pytest.mark.parametrize("channels", ["mean", "random", "each"])
def test_a_chip_whose_file_was_mended_is_changed_and_no_other(store, channels):
    known = table_of(without_radar(store, "chip03"), OLD, channels)
    assert unchanged_chips(job_of(store, channels=channels), known) == set(OLD) - {"chip03"}
    assert unchanged_chips(job_of(without_radar(store, "chip03"), channels=channels), known) == set(OLD)


def test_a_chip_that_shows_more_of_the_same_channels_is_changed(store):
    images = {name: dict(found) for name, found in store.images.items()}
    channel, pixels = images["optical"]["chip04"][1]
    images["optical"]["chip04"] = [(channel, np.where(np.arange(8) < 3, np.nan, pixels).astype(np.float32))]
    known = table_of(FakeChipStore(images), OLD)
    images["optical"]["chip04"] = [(channel, pixels)]
    assert unchanged_chips(job_of(FakeChipStore(images)), known) == set(OLD) - {"chip04"}


def test_a_modality_that_the_table_does_not_know_makes_its_chips_changed(store):
    whole = table_of(store, OLD)
    fields = ("blocks", "n_channels", "valid_fraction")
    known = replace(whole, **{field: {"optical": getattr(whole, field)["optical"]} for field in fields})
    assert unchanged_chips(job_of(without_radar(store, "chip00")), known) == {"chip00"}


def test_what_was_made_now_goes_before_what_the_table_has(store, tmp_path):
    known = table_of(without_radar(store, "chip03"), OLD)
    new = [chip_id for chip_id in IDS if chip_id not in unchanged_chips(job_of(store), known)]
    made = finish(embed_in_parts(job_of(store), new, DiskParts(tmp_path / "p", "m"), name="x", dtype="float32"))
    wanted = table_of(store, IDS)
    ((ids, raw),) = JoinedVectors(IDS, made, known).groups()
    assert tuple(ids) == IDS and new == ["chip03", *IDS[10:]]
    for name in ("optical", "radar"):
        np.testing.assert_allclose(raw.parts[name][:, 0], wanted.blocks[name], atol=1e-5)
        np.testing.assert_array_equal(raw.n_channels[name], wanted.n_channels[name])
