"""What the simulated Earth leaves out: as often as asked, where it was asked, and cut alike in neighbouring chips."""

import numpy as np
import pytest

from simulated_ground import delivered
from terrashot.domain.area import Area, box_outline
from terrashot.domain.cells import cells_of, centres_deg
from terrashot.domain.grid import Grid, chip_from_id, to_metres, utm_zone
from terrashot.domain.modality import MODALITIES
from terrashot.errors import MissingImageryError
from terrashot.ingest.world.absences import MAX_PAIRS, Absences, is_month_lost, number_of_pairs
from terrashot.ingest.world.lattice import make_lattice
from terrashot.ingest.world.sources import World, simulated_sources

NOTHING = {"modality": 0.0, "month": 0.0, "polarisation": 0.0, "cloud": 0.0, "swath": 0.0, "pairs": 4.8}


def spread(n, size_m=640.0, seed=0):
    """Chips all over the globe, up to 64 degrees, by equal area."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-0.9, 0.9, n)))
    places = zip(utm_zone(lon, lat).tolist(), lon, lat, strict=True)
    return [Grid(epsg, size_m).chip_at(*to_metres(epsg).transform(*at)) for epsg, *at in places]


def sources(rates, px=8, by_area=()):
    world = World(0, px, absences=Absences(**{**NOTHING, **rates}), by_area=by_area)
    return {source.modality: source for source in simulated_sources(world, 640.0 / px)}


IDS = [chip.id for chip in spread(250)]


@pytest.mark.parametrize("modality", list(MODALITIES))
def test_a_modality_is_missing_as_often_as_asked_and_names_itself_and_the_chip(modality):
    source = sources({"modality": 0.2})[modality]
    assert 1 - len(delivered(source, IDS)) / len(IDS) == pytest.approx(0.2, abs=0.06)
    with pytest.raises(MissingImageryError, match=f"chip {IDS[0]}: {modality}: no acquisition"):
        sources({"modality": 1.0})[modality].read(IDS[0])


def test_months_polarisations_and_pixels_are_missing_as_often_as_asked():
    optical = delivered(sources({"month": 0.3, "cloud": 0.15})["s2rgbm"], IDS)
    radar = delivered(sources({"polarisation": 0.25})["s1grdm"], IDS)
    assert np.mean([len(i.absences) / 9 for i in optical]) == pytest.approx(0.3, abs=0.05)
    assert np.mean([len(i.absences) == 3 for i in radar]) == pytest.approx(0.25, abs=0.07)
    hidden = np.concatenate([np.isnan(i.values).ravel() for i in optical])
    assert hidden.mean() == pytest.approx(0.15, abs=0.04)
    assert all(absence.reason for i in (*optical, *radar) for absence in i.absences)


@pytest.mark.parametrize("modality", list(MODALITIES))
def test_where_nothing_may_be_missing_nothing_is(modality):
    for imagery in delivered(sources({"pairs": 20.0})[modality], IDS[:60]):
        assert imagery.absences == ()
        assert np.isfinite(imagery.values).all()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_months_are_lost_as_often_as_asked(share):
    places = [make_lattice(chip, 8) for chip in spread(3000)]
    lost = [is_month_lost(place, share, 7, np.random.default_rng(number)) for number, place in enumerate(places)]
    assert np.mean(lost) == pytest.approx(share, abs=0.03 * (0 < share < 1))


def test_a_month_is_lost_by_regions():
    def share_lost(row, col):
        chips = [Grid(32632, 640.0).chip(row + 2 * i, col + 2 * j) for i in range(8) for j in range(8)]
        return np.mean(
            [is_month_lost(make_lattice(chip, 8), 0.3, 7, np.random.default_rng(chip.col)) for chip in chips]
        )

    # Regions of 10 km, 128 km and more apart; drawn chip by chip, the spread would be 0.06.
    shares = [share_lost(5000 + 400 * i, 500 + 200 * j) for i in range(6) for j in range(3)]
    assert np.std(shares) > 0.15
    assert max(shares) < 1


@pytest.mark.parametrize("mean", [0.0, 0.5, 4.8, 20.0, 40.0])
def test_numbers_of_pairs_have_the_mean_that_was_asked_for(mean):
    rng = np.random.default_rng(0)
    counts = np.array([number_of_pairs(mean, rng) for _ in range(5000)])
    assert counts.mean() == pytest.approx(mean, abs=0.35)
    assert counts.min() >= 0 and counts.max() <= MAX_PAIRS
    if 0 < mean < 10:
        assert counts.var() > 2 * mean  # of pairs formed independently it is below the mean
        assert (counts == 0).mean() > 0.1


def test_chips_have_zero_to_forty_pairs_each_another():
    none, all_pairs = (sources({"pairs": mean})["gunw"].read(IDS[0]) for mean in (0.0, 40.0))
    assert [(a.channel, a.status, a.reason) for a in none.absences] == [(None, "missing", "no pair was formed")]
    assert none.values.shape == (0, 7, 7) and none.channels == ()
    assert len({channel.name for channel in all_pairs.channels}) == len(all_pairs.values) == MAX_PAIRS
    some = [len(imagery.channels) for imagery in delivered(sources({})["gunw"], IDS)]
    assert np.mean(some) == pytest.approx(4.8, abs=0.8)
    assert min(some) == 0 and max(some) > 15


@pytest.mark.parametrize("size_m", [640.0, 4480.0])
@pytest.mark.parametrize("share", [0.05, 0.3])
def test_as_many_chips_as_asked_lie_partly_beyond_a_swath_and_none_wholly(size_m, share):
    tracks = World(0, 16).tracks("s1grdm", "2020-01")
    beyond = np.array([tracks.gap(make_lattice(chip, 16), share).mean() for chip in spread(4000, size_m)])
    assert (beyond > 0).mean() == pytest.approx(share, rel=0.12)
    assert 0.25 < beyond[beyond > 0].mean() < 0.5
    assert beyond.max() < 0.9


def test_leaving_out_the_chips_far_from_a_gap_loses_no_pixel_of_one():
    tracks = World(0, 16).tracks("s2rgbm", "2020-02")
    for chip in spread(300):
        place = make_lattice(chip, 16, 2)
        apart_m = (0.75 + 1.15) * 640.0 / 0.4
        by_pixel = tracks._past_m(place.points_m, apart_m) < 0.75 * 640.0
        assert tracks.gap(place, 0.4).tolist() == by_pixel.tolist()


@pytest.mark.parametrize("modality", list(MODALITIES))
def test_the_edge_of_a_swath_goes_on_in_the_next_chip(modality):
    # Seven times seven chips side by side.
    source = sources({"swath": 1.0, "pairs": 40.0}, px=64)[modality]
    rows = [[source.read(Grid(32632, 640.0).chip(7000 + i, 800 + j).id).values[0] for j in range(7)] for i in range(7)]
    beyond, side = np.isnan(np.block(rows)), source.side_px
    assert 0.15 < beyond.mean() < 0.6
    for axis in (0, 1):
        steps = np.moveaxis(np.diff(beyond, axis=axis), axis, 0)
        at_edges = np.arange(1, len(beyond)) % side == 0
        assert steps[at_edges].mean() < 2 * steps[~at_edges].mean()


def test_a_chip_and_the_next_agree_on_the_gap_over_the_ground_that_both_show():
    tracks, overlap = World(0, 64).tracks("s1grdm", "2020-01"), 8
    for chip in spread(40):
        east = Grid(chip.epsg, 640.0).chip(chip.row, chip.col + 1)
        mine, yours = (make_lattice(one, 64, overlap) for one in (chip, east))
        left, right = (place.square(tracks.gap(place, 1.0)) for place in (mine, yours))
        assert (left[:, -2 * overlap :] == right[:, : 2 * overlap]).mean() > 0.995


def test_two_zones_agree_where_a_swath_ends():
    here, there = (Grid(epsg, 640.0).chip_at(*to_metres(epsg).transform(12.0, 47.0)) for epsg in (32632, 32633))
    one, other = make_lattice(here, 64), make_lattice(there, 64)
    tracks = World(3, 64).tracks("s2rgbm", "2020-01")
    distance_m = np.linalg.norm(one.points_m[::7, None] - other.points_m[None], axis=2)
    same_place = distance_m.min(axis=1) < 3.0
    assert same_place.sum() > 20
    mine, yours = tracks.gap(one, 1.0)[::7], tracks.gap(other, 1.0)[distance_m.argmin(axis=1)]
    assert (mine == yours)[same_place].mean() > 0.95


def test_gaps_of_optical_and_radar_move_from_month_to_month_and_those_of_coherence_stay():
    rates = {"swath": 1.0, "pairs": 40.0}
    for modality, differ in (("s2rgbm", True), ("s1grdm", True), ("gunw", False)):
        values = sources(rates, px=32)[modality].read(IDS[1]).values
        first, last = np.isnan(values[0]), np.isnan(values[-1])
        assert (first != last).any() == differ


def test_a_gap_hides_all_channels_of_a_month_alike():
    values = sources({"swath": 1.0}, px=32)["s1grdm"].read(IDS[0]).values
    for vv, vh in zip(values[::2], values[1::2], strict=True):
        assert np.isnan(vv).tolist() == np.isnan(vh).tolist()


def test_rates_leave_what_is_there_as_it_was():
    whole, gappy = (sources({"swath": share}, px=32)["s1grdm"].read(IDS[2]).values for share in (0.0, 1.0))
    there = np.isfinite(gappy)
    assert 0 < there.mean() < 1
    assert (gappy[there] == whole[there]).all()


WEST, EAST = Area("west", box_outline(9.0, 45.0, 9.5, 45.5)), Area("east", box_outline(9.4, 45.0, 10.0, 45.5))
CLEAR, DARK = Absences(**NOTHING), Absences(**{**NOTHING, "cloud": 1.0, "pairs": 0.0})


def chip_at(lon, lat):
    return Grid(32632, 640.0).chip_at(*to_metres(32632).transform(lon, lat)).id


def test_the_first_area_that_holds_a_chips_centre_decides_its_rates():
    world = World(0, 8, absences=CLEAR, by_area=((WEST, DARK), (EAST, CLEAR)))
    assert world.absences_of(chip_at(9.2, 45.2)) == DARK
    assert world.absences_of(chip_at(9.45, 45.2)) == DARK  # both hold it
    assert world.absences_of(chip_at(9.8, 45.2)) == CLEAR
    assert World(0, 8, by_area=((WEST, DARK),)).absences_of(chip_at(9.8, 45.2)) == Absences()


def test_it_is_the_centre_that_counts():
    chip = chip_from_id(chip_at(9.5, 45.2))
    lon = centres_deg(cells_of([chip]))[0][0]
    for east, rates in ((lon + 1e-6, DARK), (lon - 1e-6, CLEAR)):
        area = Area("a", box_outline(9.0, 45.0, float(east), 45.5))
        assert World(0, 8, absences=CLEAR, by_area=((area, DARK),)).absences_of(chip.id) == rates


def test_an_area_of_its_own_rates_is_seen_through_them():
    by_area = ((WEST, DARK),)
    for lon, hidden in ((9.2, True), (9.8, False)):
        optical, coherence = (
            sources({}, by_area=by_area)[name].read(chip_at(lon, 45.2)) for name in ("s2rgbm", "gunw")
        )
        assert np.isnan(optical.values).all() == hidden
        assert len(coherence.channels) == 0 or not hidden
