"""Months and coherence that Earth Engine computes, on an engine that works out in numpy what it is asked."""

from datetime import datetime

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")

from fake_earth_engine import FakeEarthEngine, FakeImage  # noqa: E402
from terrashot.domain.grid import Grid  # noqa: E402
from terrashot.errors import InputError, NetworkError  # noqa: E402
from terrashot.ingest.clear_sky import clear_by_scl  # noqa: E402
from terrashot.ingest.composite import make_composite, see  # noqa: E402
from terrashot.ingest.decibels import to_db  # noqa: E402
from terrashot.ingest.each_once import by_month, each_once  # noqa: E402
from terrashot.ingest.earthengine.coherence_source import COHERENCE, EarthEngineCoherence  # noqa: E402
from terrashot.ingest.earthengine.monthly_source import EarthEngineOptical, EarthEngineRadar  # noqa: E402
from terrashot.ingest.earthengine.optical import CLOUD_SCORES, REFLECTANCE, SENTINEL2, list_optical  # noqa: E402
from terrashot.ingest.earthengine.radar import SENTINEL1  # noqa: E402
from terrashot.ingest.months import window_utc  # noqa: E402
from terrashot.ingest.scene_source import Recipe  # noqa: E402
from terrashot.raster.onto_chip import chip_place, onto  # noqa: E402
from terrashot.raster.place import RasterPlace  # noqa: E402

SIDE = 16
CHIP = Grid(32632, SIDE * 10).chip_at(500_080, 5_000_080)
MONTHS = ("2020-01", "2020-02", "2020-03")
RNG = np.random.default_rng(3)


def milliseconds(day, hour=10, minute=0):
    return datetime.fromisoformat(f"{day}T{hour:02d}:{minute:02d}:00+00:00").timestamp() * 1000


def around(rows=SIDE + 8, cols=SIDE + 8, east=0):
    """A lattice of 10 m with the chip inside, 4 pixels from its corner, or so many pixels further east."""
    west, _, _, north = CHIP.bounds_m
    return RasterPlace("EPSG:32632", (10.0, 0.0, west - 40 + 10 * east, 0.0, -10.0, north + 40), cols, rows)


def sentinel2(
    day, *, tile="32TNR", strip="20200101T100000", baseline="0214", cloud=20.0, clouded=0.3, east=0, satellite="A"
):
    """A granule of random numbers, part of it cloud."""
    place = around(east=east)
    shape = (place.height_px, place.width_px)
    classes = np.where(RNG.random(shape) < clouded, 9, RNG.choice([2, 4, 5, 6, 7, 11], shape)).astype(float)
    stamp = day.replace("-", "") + "T100000"
    name = f"{stamp}_{stamp[:-1]}{baseline[-1]}_T{tile}"
    bands = {band: RNG.integers(1, 9000, shape).astype(float) for band in ("B2", "B3", "B4")}
    bands["B4"][0:6, 5] = np.nan  # a band that ends before the others
    bands |= {"SCL": classes, "QA60": np.where(classes == 9, 1 << 10, 0).astype(float)}
    properties = {
        "system:time_start": milliseconds(day), "CLOUDY_PIXEL_PERCENTAGE": cloud, "MGRS_TILE": tile,
        "PRODUCT_ID": f"S2{satellite}_MSIL2A_{stamp}_N{baseline}_R022_T{tile}_{stamp}",
        "DATASTRIP_ID": f"S2{satellite}_OPER_MSI_L2A_DS_SGS__{stamp}_S{strip}_N02.14", "GENERATION_TIME": milliseconds(day, 20),
    }  # fmt: skip
    return {f"{SENTINEL2}/{name}": FakeImage(place, bands, properties)}


def sentinel1(day, *, passing="ASCENDING", letters="DV", minute=0, start=0, rows=SIDE + 8, resolution=10):
    place = around(rows)
    shape = (place.height_px, place.width_px)
    stamp = day.replace("-", "") + f"T05{minute:02d}{start:02d}"
    name = f"S1A_IW_GRDH_1S{letters}_{stamp}_{stamp}_031234_03A1B2_ABCD"
    kinds = {"DV": ("VV", "VH"), "SV": ("VV",), "DH": ("HH", "HV")}[letters]
    bands = {kind: RNG.gamma(4, 0.03, shape) for kind in kinds}
    bands[kinds[0]][6, 7] = 0.0  # noise was taken away
    properties = {
        "system:time_start": milliseconds(day, 5, minute) + 1000 * start, "orbitProperties_pass": passing,
        "instrumentMode": "IW", "resolution_meters": resolution,
    }  # fmt: skip
    return {f"{SENTINEL1}/{name}": FakeImage(place, bands, properties)}


def optical(engine, *, statistic="mean", mask="scl", months=MONTHS, kinds=("red", "green"), readers=1, cloudiest=80.0):
    return EarthEngineOptical(engine, Recipe(months, kinds, statistic), SIDE, mask, cloudiest, readers)


def radar(engine, orbits="mixed", months=MONTHS):
    return EarthEngineRadar(engine, Recipe(months, ("vv", "vh"), "mean", orbits), SIDE)


def on_chip(image, band):
    """The chip's part of a band, cut by plain indices."""
    shift = round((CHIP.bounds_m[0] - image.place.affine[2]) / 10)
    full = np.full((SIDE, SIDE), np.nan)
    cols = [col for col in range(SIDE) if 0 <= col + shift < image.place.width_px]
    rows = [row for row in range(SIDE) if row + 4 < image.place.height_px]
    full[np.ix_(rows, cols)] = image.bands[band][np.ix_([row + 4 for row in rows], [col + shift for col in cols])]
    return full


def reference(images, month, statistic, kinds=("B4", "B3")):
    """The month by the code that reads scenes, on the same numbers."""
    engine = FakeEarthEngine(images)
    passes = by_month(each_once(list_optical(engine, CHIP, *window_utc(month), 100)), (month,))[month]

    def read(delivery):
        image = images[f"{SENTINEL2}/{delivery.id}"]
        values = np.array([on_chip(image, band) for band in kinds], np.float32) * np.float32(REFLECTANCE)
        values[:, np.isnan(values).any(axis=0)] = np.nan
        return see(values, clear_by_scl(np.nan_to_num(on_chip(image, "SCL")).astype(int)))

    return make_composite(passes, read, statistic=statistic, n_channels=len(kinds), side_px=SIDE)


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_month_is_what_the_same_images_give_where_they_are_read_as_scenes(statistic):
    images = {
        **sentinel2("2020-01-03"), **sentinel2("2020-01-13"), **sentinel2("2020-01-23", clouded=1.0), **sentinel2("2020-01-31", satellite="B"),
        **sentinel2("2020-03-03"), **sentinel2("2020-03-05", east=12), **sentinel2("2020-03-08", east=60),
    }  # fmt: skip
    found = optical(FakeEarthEngine(images), statistic=statistic).read(CHIP.id)
    planes = dict(zip((c.name for c in found.channels), found.values, strict=True))
    assert list(planes) == ["2020-01_red", "2020-01_green", "2020-03_red", "2020-03_green"]
    for month, expected in ((m, reference(images, m, statistic)) for m in ("2020-01", "2020-03")):
        own = np.array([planes[f"{month}_red"], planes[f"{month}_green"]])
        np.testing.assert_allclose(own, expected.values, rtol=2e-6)
        told = [
            (n, m)
            for c, n, m in zip(found.channels, found.n_acquisitions, found.mean_counts, strict=True)
            if c.name.startswith(month)
        ]
        assert told == [(tally.n_acquisitions, pytest.approx(tally.mean_count)) for tally in expected.tallies]
    assert {(row.channel.name, row.status, row.reason) for row in found.absences} == {
        ("2020-02_red", "missing", "no acquisition in the month"),
        ("2020-02_green", "missing", "no acquisition in the month"),
    }


def test_why_a_month_is_absent_is_told_as_of_scenes():
    images = {**sentinel2("2020-01-03", clouded=1.0), **sentinel2("2020-02-03", east=60)}
    found = optical(FakeEarthEngine(images)).read(CHIP.id)
    reasons = {row.channel.name: row.reason for row in found.absences}
    assert reasons["2020-01_red"] == "all clouded" and reasons["2020-02_red"] == "no acquisition in the month"
    reached = {**sentinel2("2020-02-03")}
    for image in reached.values():
        for band in ("B2", "B3", "B4"):
            image.bands[band][:] = np.nan
    beside = optical(FakeEarthEngine(reached)).read(CHIP.id)
    assert {row.reason for row in beside.absences if row.channel.name == "2020-02_red"} == {"outside the swath"}


def test_tiles_of_one_pass_count_once_and_of_two_baselines_the_newer_one():
    first, again = sentinel2("2020-01-03"), sentinel2("2020-01-03", baseline="0500")
    other = sentinel2("2020-01-03", tile="32TPR", east=4)
    images = {**first, **again, **other}
    found = optical(FakeEarthEngine(images), kinds=("red",)).read(CHIP.id)
    assert found.n_acquisitions == (1,) and found.mean_counts == (1.0,)
    assert sum("N0214" in image.properties["PRODUCT_ID"] for image in images.values()) == 2
    np.testing.assert_allclose(found.values[0], reference(images, "2020-01", "mean").values[0], rtol=2e-6)


def test_more_passes_than_a_band_of_bits_holds_are_counted_all():
    images = {}
    for day in range(1, 32):
        images |= sentinel2(f"2020-01-{day:02d}", clouded=0.0)
        images |= sentinel2(f"2020-01-{day:02d}", clouded=0.0, satellite="B", tile="32TPR") if day % 2 else {}
    found = optical(FakeEarthEngine(images), kinds=("green",)).read(CHIP.id)
    assert found.n_acquisitions == (47,) and found.mean_counts[0] == pytest.approx(47, abs=1)


@pytest.mark.parametrize("mask", ["qa60", "cloud_score"])
def test_each_mask_hides_what_it_calls_cloud(mask):
    images = {**sentinel2("2020-01-03"), **sentinel2("2020-01-13")}
    scored = {}
    for key, image in images.items():
        score = np.where(image.bands["SCL"] == 9, 0.59, 0.6)
        scored[key.replace(SENTINEL2, CLOUD_SCORES)] = FakeImage(image.place, {"cs": score}, image.properties)
    plain = optical(FakeEarthEngine(images)).read(CHIP.id)
    masked = optical(FakeEarthEngine({**images, **scored}), mask=mask).read(CHIP.id)
    np.testing.assert_array_equal(plain.values, masked.values)
    if mask == "cloud_score":
        (lost, *_) = scored
        without = {key: image for key, image in scored.items() if key != lost}
        found = optical(FakeEarthEngine({**images, **without}), mask=mask).read(CHIP.id)
        assert found.n_acquisitions == (1, 1)  # of what has no score nothing is known to be clear


def test_cloudier_images_are_not_looked_at():
    images = {**sentinel2("2020-01-03"), **sentinel2("2020-01-13", cloud=81.0)}
    assert optical(FakeEarthEngine(images)).read(CHIP.id).n_acquisitions == (1, 1)


def test_the_number_of_months_at_once_changes_nothing():
    images = {**sentinel2("2020-01-03"), **sentinel2("2020-02-13"), **sentinel2("2020-03-13")}
    one, many = (optical(FakeEarthEngine(images), readers=readers).read(CHIP.id) for readers in (1, 3))
    np.testing.assert_array_equal(one.values, many.values)


def test_radar_is_averaged_in_power_and_told_in_decibels_of_sigma0():
    images = {
        **sentinel1("2020-01-03"),
        **sentinel1("2020-01-09", passing="DESCENDING"),
        **sentinel1("2020-01-15", letters="SV"),
    }
    found = radar(FakeEarthEngine(images)).read(CHIP.id)
    assert [c.name for c in found.channels] == ["2020-01_vv", "2020-01_vh"]
    assert {c.unit for c in found.channels} == {"dB sigma0"} and found.n_acquisitions == (3, 2)
    for plane, kind in zip(found.values, ("VV", "VH"), strict=True):
        power = np.array([on_chip(image, kind) for image in images.values() if kind in image.bands])
        mean = np.nanmean(np.where(power > 0, power, np.nan), axis=0, keepdims=True)
        np.testing.assert_allclose(plane, to_db(mean.astype(np.float32))[0], atol=2e-5)


def test_directions_apart_are_channels_of_their_own_and_one_alone_leaves_the_other_out():
    images = {**sentinel1("2020-01-03"), **sentinel1("2020-01-09", passing="DESCENDING", letters="SV")}
    apart = radar(FakeEarthEngine(images), "apart", months=("2020-01",)).read(CHIP.id)
    assert [c.name for c in apart.channels] == ["2020-01_asc_vv", "2020-01_asc_vh", "2020-01_des_vv"]
    assert [(row.channel.name, row.reason) for row in apart.absences] == [
        ("2020-01_des_vh", "polarisation not acquired")
    ]
    falling = radar(FakeEarthEngine(images), "descending", months=("2020-01",)).read(CHIP.id)
    assert [c.name for c in falling.channels] == ["2020-01_vv"]
    source = radar(FakeEarthEngine(images), "apart", months=("2020-01",))
    assert [d.channel.name for d in source.differences] == ["2020-01_asc_vv-vh", "2020-01_des_vv-vh"]


def test_frames_of_one_pass_count_once_and_other_modes_not_at_all():
    images = {
        **sentinel1("2020-01-03", rows=14),
        **sentinel1("2020-01-03", start=25),
        **sentinel1("2020-01-04", letters="DH"),
        **sentinel1("2020-01-05", resolution=25),
    }
    found = radar(FakeEarthEngine(images)).read(CHIP.id)
    assert found.n_acquisitions == (1, 1)


def test_what_the_service_cannot_compute_fails_its_month_alone_and_says_why():
    images = {**sentinel2("2020-01-03"), **sentinel2("2020-03-13")}
    engine = FakeEarthEngine(
        images, faults={1: InputError("Earth Engine cannot compute this (status 400): User memory limit exceeded.")}
    )
    found = optical(engine).read(CHIP.id)
    assert [c.name for c in found.channels] == ["2020-03_red", "2020-03_green"]
    failed = {row.channel.name: row for row in found.absences if row.status == "failed"}
    assert set(failed) == {"2020-01_red", "2020-01_green"} and "memory limit" in failed["2020-01_red"].reason


def test_where_the_network_fails_nothing_is_known_of_the_chip():
    engine = FakeEarthEngine(sentinel2("2020-01-03"), faults={1: NetworkError("gave up")})
    with pytest.raises(NetworkError):
        optical(engine).read(CHIP.id)


def tile(north_deg, west_deg, rows=200, cols=200, seed=0):
    """A tile of seasonal coherence whose lattice is that of the data set."""
    rng = np.random.default_rng(seed)
    place = RasterPlace("EPSG:4326", (1 / 1200, 0.0, west_deg, 0.0, -1 / 1200, north_deg), cols, rows)
    smooth = np.add.outer(np.linspace(0.2, 0.5, rows), np.linspace(0, 0.3, cols))
    bands = {f"winter_vv_COH{days}": smooth + rng.uniform(0, 0.05, (rows, cols)) for days in ("12", "24")}
    return FakeImage(place, bands, {"tile_id": "N46E008"})


def test_coherence_is_fetched_on_its_own_pixels_and_brought_onto_the_chip_once():
    chip = Grid(32632, 4480).chip_at(500_000, 5_000_000)
    image = tile(45.25, 8.875)
    image.bands["winter_vv_COH12"][40:60] = np.nan
    image.bands["winter_vv_COH24"][:] = np.nan
    engine = FakeEarthEngine({f"{COHERENCE}/a": image})
    source = EarthEngineCoherence(engine, ("winter",), (12, 24), 50)
    found = source.read(chip.id)
    expected = onto(image.bands["winter_vv_COH12"][None].astype(np.float32), image.place, chip_place(chip, 50))
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert [(c.name, c.kind, c.first_date, c.second_date) for c in found.channels] == [
        ("winter_vv_COH12", "coherence", "2019-12-01", "2020-02-29")
    ]
    assert [(row.channel.name, row.status, row.reason) for row in found.absences] == [
        ("winter_vv_COH24", "missing", "no pair was formed")
    ]
    (_, body), (grid,) = engine.asked[1], [engine.asked[1][1]["grid"]]
    assert grid["crsCode"] == "EPSG:4326" and grid["affineTransform"]["scaleX"] == pytest.approx(1 / 1200)
    assert grid["dimensions"]["width"] < 100 and body["bandIds"] == ["winter_vv_COH12", "winter_vv_COH24"]


def test_a_chip_across_the_antimeridian_gets_coherence_from_both_sides():
    chip = Grid(32760, 4480).chip_at(817_400, 8_000_000)
    east_side, west_side = tile(-18.0, 179.9, 200, 120, 1), tile(-18.0, -180.0, 200, 120, 2)
    engine = FakeEarthEngine({f"{COHERENCE}/a": east_side, f"{COHERENCE}/b": west_side})
    found = EarthEngineCoherence(engine, ("winter",), (12,), 50).read(chip.id)
    assert sum(kind == "pixels" for kind, _ in engine.asked) == 2
    # The service's own count of longitudes never passes 180.
    for kind, body in engine.asked:
        if kind == "pixels":
            first = body["grid"]["affineTransform"]["translateX"]
            assert round(first, 9) >= -180 and round(first + body["grid"]["dimensions"]["width"] / 1200, 9) <= 180
    both = RasterPlace("EPSG:4326", (1 / 1200, 0.0, 179.9, 0.0, -1 / 1200, -18.0), 240, 200)
    values = np.concatenate([east_side.bands["winter_vv_COH12"], west_side.bands["winter_vv_COH12"]], axis=1).astype(
        np.float32
    )
    np.testing.assert_allclose(found.values, onto(values[None], both, chip_place(chip, 50)), atol=1e-5)
    assert np.isfinite(found.values).all()


def test_beyond_the_data_set_there_is_no_coherence_and_one_question_tells_it():
    engine = FakeEarthEngine({})
    found = EarthEngineCoherence(engine, ("winter",), (12, 24), 50).read(CHIP.id)
    assert len(found.absences) == 2 and not found.channels and len(engine.asked) == 1


def test_numbers_that_are_no_coherence_are_refused():
    image = tile(45.25, 8.875)
    image.bands["winter_vv_COH12"] *= 100
    with pytest.raises(InputError, match="coherence is 0 to 1"):
        EarthEngineCoherence(FakeEarthEngine({f"{COHERENCE}/a": image}), ("winter",), (12,), 50).read(
            Grid(32632, 4480).chip_at(500_000, 5_000_000).id
        )
