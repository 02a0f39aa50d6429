"""The simulated Earth behind the borders of ingest: repeatable, in range, and absent as often as asked."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from simulated_ground import delivered
from terrashot.domain.grid import Grid
from terrashot.domain.modality import MODALITIES
from terrashot.engine import ordered_map
from terrashot.errors import InputError, MissingImageryError
from terrashot.ingest.world.absences import Absences
from terrashot.ingest.world.sources import SimulatedLabels, World, simulated_sources

WORLD = World(0, 64)
NOTHING_LOST = Absences(modality=0.0, month=0.0, polarisation=0.0, cloud=0.0, swath=0.0)
WHOLE = World(0, 64, absences=NOTHING_LOST)
IDS = [Grid(32632, 640.0).chip(7794 + i, 830 + j).id for i in range(8) for j in range(8)]


def sources(world=WORLD, pixel_m=10.0):
    return {source.modality: source for source in simulated_sources(world, pixel_m)}


def content(source, chip_id):
    try:
        imagery = source.read(chip_id)
    except MissingImageryError as absent:
        return str(absent)
    return imagery.channels, imagery.values.tobytes(), imagery.n_acquisitions, imagery.absences


@pytest.mark.parametrize("modality", list(MODALITIES))
def test_a_chip_is_the_same_bytes_in_any_order_and_after_a_journey_to_another_worker(modality):
    source = sources()[modality]
    forward = {chip_id: content(source, chip_id) for chip_id in IDS[:10]}
    again = pickle.loads(pickle.dumps(source))  # noqa: S301
    assert {chip_id: content(again, chip_id) for chip_id in reversed(IDS[:10])} == forward


def test_another_process_makes_the_same_labels():
    labels = SimulatedLabels(WORLD)
    assert list(ordered_map(labels.read, IDS[:4], workers=2)) == [labels.read(chip_id) for chip_id in IDS[:4]]


@pytest.mark.parametrize("modality", list(MODALITIES))
def test_a_source_keeps_the_promises_of_its_border(modality):
    source = sources()[modality]
    for imagery in delivered(source, IDS):
        assert imagery.values.dtype == np.float32
        assert imagery.values.shape == (len(imagery.channels), source.side_px, source.side_px)
        assert len(imagery.channels) == len(imagery.n_acquisitions) <= source.max_channels
        names = [channel.name for channel in imagery.channels]
        assert len(set(names)) == len(names)
        low, high = MODALITIES[modality].valid_range
        seen = imagery.values[np.isfinite(imagery.values)]
        assert ((seen >= low) & (seen <= high)).all()
        if source.channels is not None:
            missing = [absence.channel for absence in imagery.absences]
            assert sorted([*names, *(c.name for c in missing)]) == sorted(c.name for c in source.channels)
            assert [c for c in source.channels if c in imagery.channels] == list(imagery.channels)


def test_values_are_those_of_land_seen_by_each_sensor():
    found = {name: np.concatenate([i.values.ravel() for i in delivered(s, IDS)]) for name, s in sources(WHOLE).items()}
    assert 0.02 < np.median(found["s2rgbm"]) < 0.15
    assert np.quantile(found["s2rgbm"], 0.999) < 0.6
    assert -18 < np.median(found["s1grdm"]) < -9
    assert np.quantile(found["s1grdm"], 0.001) > -35
    assert 0.1 < np.median(found["gunw"]) < 0.6


def test_channel_names_say_month_and_band_or_the_later_and_the_earlier_date():
    optical, radar = sources()["s2rgbm"], sources()["s1grdm"]
    assert [c.name for c in optical.channels[:4]] == ["2020-01_red", "2020-01_green", "2020-01_blue", "2020-02_red"]
    assert [(c.name, c.unit) for c in radar.channels[:2]] == [("2020-01_vv", "dB"), ("2020-01_vh", "dB")]
    assert [d.channel.name for d in radar.differences] == ["2020-01_vv-vh", "2020-02_vv-vh", "2020-03_vv-vh"]
    for imagery in delivered(sources()["gunw"], IDS):
        for channel in imagery.channels:
            later, earlier = channel.name.split("_")
            assert earlier == channel.first_date.replace("-", "")
            assert later == channel.second_date.replace("-", "")
            days = (np.datetime64(channel.second_date) - np.datetime64(channel.first_date)).astype(int)
            assert 6 <= days <= 48
            assert "20200101" <= later <= "20200331"


def test_coherence_falls_with_the_days_between_the_dates():
    by_days = {}
    for imagery in delivered(sources(WHOLE)["gunw"], IDS):
        for channel, image in zip(imagery.channels, imagery.values, strict=True):
            days = (np.datetime64(channel.second_date) - np.datetime64(channel.first_date)).astype(int)
            by_days.setdefault(int(days), []).append(image.mean())
    means = [np.mean(by_days[days]) for days in sorted(by_days)]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize(("pixel_m", "side_px"), [(10.0, 7), (100.0, 71), (1.0, 1)])
def test_coherence_has_its_own_lattice_of_about_90_m(pixel_m, side_px):
    assert sources(pixel_m=pixel_m)["gunw"].side_px == side_px


def test_clouds_are_not_cut_at_the_edge_of_a_chip():
    cloudy = World(0, 64, absences=replace(NOTHING_LOST, cloud=0.5))
    left, right = (np.isnan(sources(cloudy)["s2rgbm"].read(i).values[0]) for i in IDS[:2])
    assert (left[:, -1] == right[:, 0]).mean() > 0.9


@pytest.mark.parametrize("modality", ["s2rgbm", "s1grdm"])
def test_no_light_or_scene_changes_at_the_edge_of_a_chip(modality):
    row = np.stack([sources(WHOLE)[modality].read(chip_id).values[0] for chip_id in IDS[:8]])
    columns = np.concatenate(row, axis=1).mean(axis=0)
    steps = np.abs(np.diff(columns))
    at_edges = np.arange(1, len(columns)) % 64 == 0
    assert steps[at_edges].mean() < 2 * steps[~at_edges].mean()


def test_exact_labels_are_shares_of_a_fully_known_chip():
    for chip_id in IDS[:8]:
        found = SimulatedLabels(WORLD, exact=True).read(chip_id)
        assert all(0 <= value <= 1 and valid == 1 for value, valid in found.values())
        assert sum(value for value, _ in found.values()) <= 1 + 1e-6


def test_labels_are_those_of_maps_that_come_near_the_truth_and_may_not_know_all_of_a_chip():
    maps, truth = SimulatedLabels(WORLD), SimulatedLabels(WORLD, exact=True)
    read, exact = ([labels.read(chip_id) for chip_id in IDS] for labels in (maps, truth))
    assert maps.targets == truth.targets == tuple(read[0])
    for target in maps.targets:
        known = [(one[target], true[target][0]) for one, true in zip(read, exact, strict=True) if one[target][1] > 0]
        assert all(0 <= value <= 1 and 0 < valid <= 1 for (value, valid), _ in known)
        assert np.mean([abs(value - true) for (value, _), true in known]) < 0.15
        assert any(value != true for (value, _), true in known)


def test_what_is_absent_changes_no_label():
    lossy = World(0, 64, absences=Absences(modality=1.0, cloud=1.0))
    assert SimulatedLabels(lossy).read(IDS[0]) == SimulatedLabels(WHOLE).read(IDS[0])


def test_an_id_that_is_not_ours_is_refused():
    for source in (*sources().values(), SimulatedLabels(WORLD)):
        with pytest.raises(InputError, match="its place is unknown"):
            source.read("place_7")
