"""Real acquisitions to months, and published monthly composites of one place: dates, the months without data, units.

From the time series of WorldCereal: raw Sentinel-1 and Sentinel-2 of two places, monthly composites of a third. The
composites were made from other acquisitions than the raw ones here, so they check months, units and absences, not pixels.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from terrashot.ingest.composite import STATISTICS, make_composite, see
from terrashot.ingest.decibels import as_power, from_db, to_db
from terrashot.ingest.each_once import Delivery, by_month, each_once
from terrashot.ingest.monthly import imagery_of, optical_channels
from terrashot.raster.onto_chip import onto
from terrashot.raster.place import RasterPlace

h5netcdf = pytest.importorskip("h5netcdf", reason="the time series are netCDF files")
pytestmark = pytest.mark.filterwarnings("error")

SITES = {
    "00002806639B424A_32631_2017-08-01_2018-11-30": (159, 118),
    "0000280849BAC91C_32631_2018-08-01_2019-11-30": (80, 72),
}
"""Number of radar and optical acquisitions."""
COMPOSITES = "worldcereal_preprocessed_inputs.nc", "WORLDCEREAL-INPUTS-10m_belgium_good_32631_2020-08-30_2022-03-03.nc"
NO_DATA = 65535


@dataclass
class Series:
    """Acquisitions of one sensor over one place."""

    deliveries: list[Delivery]
    values: dict[str, np.ndarray]
    """(C, H, W) by delivery."""

    def months(self):
        return sorted({f"{delivery.sensed_at:%Y-%m}" for delivery in self.deliveries})

    def composite(self, passes, statistic="mean", prepare=lambda values: values):
        (channels, side_px, _) = next(iter(self.values.values())).shape
        return make_composite(
            passes, lambda d: see(prepare(self.values[d.id])), statistic=statistic, n_channels=channels, side_px=side_px
        )


def moments(variable):
    unit, start = variable.attrs["units"].split(" since ")
    return [datetime.fromisoformat(start).replace(tzinfo=UTC) + timedelta(**{unit: int(n)}) for n in variable[:]]


def read_series(path, platform, bands, scale):
    with h5netcdf.File(path, "r") as file:
        times = moments(file["timestamp"])
        layers = np.stack([file[band][:] for band in bands], axis=1)
    values = np.where(layers == 0, np.nan, layers * scale).astype(np.float32)
    deliveries = [Delivery(f"{platform}-{n}", platform, moment) for n, moment in enumerate(times)]
    return Series(deliveries, {delivery.id: own for delivery, own in zip(deliveries, values, strict=True)})


@pytest.fixture(params=SITES, ids=lambda site: site[:16])
def site(request, shared_data):
    folder = shared_data / "worldcereal_s1s2_timeseries"
    radar = read_series(folder / f"S1_GRD-ASCENDING_20m_{request.param}.nc", "sentinel-1", ("VV", "VH"), 1e-4)
    optical = read_series(folder / f"S2_L2A_10m_{request.param}.nc", "sentinel-2", ("B04", "B03", "B02"), 1e-4)
    assert (len(radar.deliveries), len(optical.deliveries)) == SITES[request.param]
    return radar, optical


def test_every_acquisition_is_in_the_month_that_numpy_counts_it_in_and_in_no_other(site):
    for series in site:
        months = series.months()
        found = by_month(each_once(series.deliveries), months)
        stamps = [np.datetime64(delivery.sensed_at.replace(tzinfo=None), "M") for delivery in series.deliveries]
        assert {month: len(passes) for month, passes in found.items()} == {
            str(month): n for month, n in Counter(stamps).items()
        }
        assert len(months) == 16
        assert sum(len(passes) for passes in found.values()) == len(series.deliveries), (
            "no two acquisitions are taken for one"
        )


def test_radar_months_are_the_mean_power_in_decibels(site):
    radar, _ = site
    for month, passes in by_month(each_once(radar.deliveries), radar.months()).items():
        found = radar.composite(passes, prepare=from_db)
        db = np.stack([radar.values[p.deliveries[0].id] for p in passes]).astype(np.float64)
        np.testing.assert_allclose(to_db(found.values), 10 * np.log10(np.mean(10 ** (db / 10), axis=0)), atol=2e-4)
        vv, vh = to_db(found.values)
        assert -15 < np.median(vv) < -5 and 5 < np.median(vv - vh) < 10
        above = float((to_db(found.values) - db.mean(axis=0)).mean())
        assert 0.05 < above < 0.8, f"{month}: what a mean of decibels would be too low by"
        assert {tally.n_acquisitions for tally in found.tallies} == {len(passes)}
        assert all(
            str(tally.first_date) >= f"{month}-01" and str(tally.last_date) <= f"{month}-31" for tally in found.tallies
        )


@pytest.mark.parametrize("statistic", STATISTICS)
def test_optical_months_are_those_of_plain_numpy_in_reflectance(site, statistic):
    _, optical = site
    for _, passes in by_month(each_once(optical.deliveries), optical.months()).items():
        found = optical.composite(passes, statistic)
        layers = np.stack([optical.values[p.deliveries[0].id] for p in passes]).astype(np.float64)
        np.testing.assert_allclose(found.values, getattr(np, f"nan{statistic}")(layers, axis=0), rtol=1e-6)
        np.testing.assert_array_equal(found.counts, np.isfinite(layers).sum(axis=0))
        assert found.values.min() > 0 and found.values.max() < 2


def test_real_months_are_the_same_bytes_in_any_order_and_with_every_acquisition_twice(site):
    for series in site:
        offered = (
            np.random.default_rng(0).permutation(np.array(series.deliveries + series.deliveries, dtype=object)).tolist()
        )
        other = by_month(each_once(offered), series.months())
        for month, passes in list(by_month(each_once(series.deliveries), series.months()).items())[::5]:
            one, two = series.composite(passes), series.composite(other[month][::-1])
            assert one.values.tobytes() == two.values.tobytes() and one.tallies == two.tallies


def published(folder, name, bands):
    """Months, pixels as stored (T, C, H, W), and the lattice."""
    with h5netcdf.File(folder / "worldcereal_s1s2_timeseries" / name, "r") as file:
        months = [f"{moment:%Y-%m}" for moment in moments(file["t"])]
        x, y = file["x"][:], file["y"][:]
        layers = np.stack([np.asarray(file[band][:]).view(np.uint16) for band in bands], axis=1)
    affine = (10.0, 0.0, float(x[0]) - 5, 0.0, -10.0, float(y[0]) + 5)
    return months, layers, RasterPlace("EPSG:32631", affine, len(x), len(y))


def test_the_two_months_that_a_published_series_has_not_are_absent_and_the_others_are_reflectance(shared_data):
    months, layers, _ = published(shared_data, COMPOSITES[0], [f"S2-L2A-B0{n}" for n in (4, 3, 2)])
    assert (months[0], months[-1], len(months)) == ("2020-11", "2021-10", 12)
    reflectance = np.where(layers == NO_DATA, np.nan, layers * 1e-4).astype(np.float32)
    moment = {month: datetime.fromisoformat(f"{month}-15T10:30:00+00:00") for month in months}
    passes = by_month(each_once(Delivery(month, "s2", moment[month]) for month in months), months)
    made = [
        make_composite(
            passes[month], lambda d: see(reflectance[months.index(d.id)]), statistic="mean", n_channels=3, side_px=100
        )
        for month in months
    ]
    imagery = imagery_of(np.concatenate([month.values for month in made]), made, optical_channels(months))
    assert sorted({absence.channel.name[:7] for absence in imagery.absences}) == ["2020-12", "2021-01"]
    assert {absence.reason for absence in imagery.absences} == {"outside the swath"}, "nobody told of clouds"
    assert len(imagery.channels) == 30 and len(imagery.absences) == 6
    np.testing.assert_array_equal(
        imagery.values, reflectance[[m not in (1, 2) for m in range(12)]].reshape(30, 100, 100)
    )
    assert 0.02 < np.median(imagery.values) < 0.12 and imagery.values.max() < 2


def test_published_radar_integers_are_amplitudes_whose_decibels_are_those_of_their_note(shared_data):
    _, layers, _ = published(shared_data, COMPOSITES[0], ("S1-SIGMA0-VV", "S1-SIGMA0-VH"))
    amplitude = (layers * 10 ** (-83 / 20)).astype(np.float32)
    for own, integers in zip(amplitude, layers, strict=True):
        np.testing.assert_allclose(
            to_db(as_power(own, "amplitude")), 20 * np.log10(integers.astype(np.float64)) - 83, atol=1e-4
        )
    vv, vh = (
        np.median(to_db(as_power(amplitude[:, 0], "amplitude"))),
        np.median(to_db(as_power(amplitude[:, 1], "amplitude"))),
    )
    assert -12 < vv < -8 and -19 < vh < -15


def test_two_publications_of_one_place_meet_on_the_ground(shared_data):
    months, one, place = published(shared_data, COMPOSITES[0], ["S2-L2A-B02", "S2-L2A-B08"])
    other_months, other, other_place = published(shared_data, COMPOSITES[1], ["B2", "B8"])
    shared_corner = RasterPlace("EPSG:32631", (10.0, 0.0, 664_760.0, 0.0, -10.0, 5_612_120.0), 24, 22)
    compared = 0
    for month in set(months) & set(other_months):
        stored = one[months.index(month)], other[other_months.index(month)]
        pixels = [np.where(own == NO_DATA, np.nan, own).astype(np.float32) for own in stored]
        here, there = onto(pixels[0], place, shared_corner), onto(pixels[1], other_place, shared_corner)
        np.testing.assert_array_equal(here, there)
        compared += int(np.isfinite(here).sum())
    assert compared == 10 * 2 * 24 * 22
