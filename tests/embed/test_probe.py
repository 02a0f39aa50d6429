"""The probe sees how far vectors move for no reason, and which kinds of channel move them."""

import dataclasses

import numpy as np
import pytest
from test_channels import STATS, TWO, store_of
from test_embed import IDS, job_of

from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.embed import probe
from terrashot.embed.probe import leaving_out, probe_embedding
from terrashot.health.channels import kinds_measure


def probed(stats=STATS, channels="each"):
    return probe_embedding(job_of(store_of(), channels=channels, towers=TWO, stats=stats), IDS)


def test_a_sound_model_moves_by_rounding_alone_and_looks_at_every_kind():
    found = probed()
    assert found.batch < 1e-5 and found.workers == 0
    assert set(found.without_kind) == {"optical"}, "coherence is one kind: nothing to leave out"
    assert set(found.without_kind["optical"]) == {"red", "blue"}
    assert kinds_measure("optical", found.without_kind["optical"]).verdict == "good"


@pytest.mark.parametrize("channels", ["mean", "each"])
def test_a_model_that_sees_one_channel_only_is_found(channels):
    # A spread without end makes every image of blue the same to the towers.
    blind = ChannelStats(
        {**STATS.kinds, "optical": {"red": STATS.of("optical", "red"), "blue": KindStats(0.0, 1e12, 9, "unit")}}
    )
    measure = kinds_measure("optical", probed(blind, channels).without_kind["optical"])
    assert measure.verdict == "bad" and "sees red alone" in measure.sentence


def test_vectors_that_hang_on_their_neighbours_are_found(monkeypatch):
    real = probe.embed_chips

    def leaky(job, chip_ids):
        raw = yield from real(job, chip_ids)
        return dataclasses.replace(raw, parts={name: parts + 0.01 * len(chip_ids) for name, parts in raw.parts.items()})

    monkeypatch.setattr(probe, "embed_chips", leaky)
    assert probed().batch > 0.05


def test_a_kind_that_adds_the_same_to_every_chip_changes_nothing():
    rng = np.random.default_rng(0)
    red = rng.normal(size=(20, 4)).astype(np.float32)
    found = leaving_out({"red": red, "blue": np.ones((20, 4), np.float32), "half": red})
    assert found["blue"] == pytest.approx(1, abs=1e-6) and found["red"] == pytest.approx(1, abs=1e-6)
    assert leaving_out({"red": red}) == {} and leaving_out({"red": red[:1], "blue": red[:1]}) == {}
