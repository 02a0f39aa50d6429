"""Radar scenes on a chip: averaged in power, told in dB, by direction; made files whose means are known."""

import json

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402

from near_files import Near  # noqa: E402
from terrashot.domain.grid import Grid  # noqa: E402
from terrashot.durable.files import sha256_of_file  # noqa: E402
from terrashot.ingest.harvest import harvest  # noqa: E402
from terrashot.ingest.scene_file import Listed, SceneFile, write_listed  # noqa: E402
from terrashot.ingest.scene_source import Recipe, SceneSource  # noqa: E402
from terrashot.remote.profiles import profile_of  # noqa: E402
from terrashot.steps.progress import finish  # noqa: E402
from terrashot.store.chips import open_chip_store  # noqa: E402

PRODUCT = profile_of("planetary-computer/sentinel-1-rtc")
CHIP = Grid(32629, 320).chip_at(240_000, 2_700_000)
MONTHS = ("2020-02", "2020-03")
NO_DATA = -32768.0


def item(folder, name, *, day="2020-02-03", power=(0.1, 0.02), orbit="ascending", hole=False):
    """A scene of one number a polarisation over the chip; where `hole`, its upper half was not sensed."""
    west, _, _, north = CHIP.bounds_m
    assets = {}
    for key, number in zip(("vv", "vh"), power, strict=True):
        if number is None:
            continue
        pixels = np.full((96, 96), number, np.float32)
        if hole:
            pixels[:48] = NO_DATA
        with rasterio.open(
            folder / f"{name}-{key}.tif", "w", driver="GTiff", width=96, height=96, count=1, dtype="float32",
            nodata=NO_DATA, crs="EPSG:32629", transform=Affine(10, 0, west - 320, 0, -10, north + 320),
        ) as file:  # fmt: skip
            file.write(pixels, 1)
        assets[key] = {"href": f"https://example.com/{name}-{key}.tif"}
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "sentinel-1-rtc", "assets": assets,
        "geometry": {"type": "Polygon", "coordinates": [[[-13, 23], [-11, 23], [-11, 26], [-13, 26], [-13, 23]]]},
        "properties": {"datetime": f"{day}T06:10:00Z", "platform": "sentinel-1a", "sat:orbit_state": orbit},
    }  # fmt: skip


def source(folder, items, orbits="mixed"):
    path = folder / "s1grdm.json"
    write_listed(path, Listed("a question", json.loads(json.dumps(items))))
    recipe = Recipe(MONTHS, ("vv", "vh"), "mean", orbits)
    return SceneSource(PRODUCT, recipe, SceneFile(path, sha256_of_file(path)), 32, Near(folder))


def told(imagery):
    means = [float(np.unique(plane[~np.isnan(plane)])[0]) for plane in imagery.values]
    return {channel.name: mean for channel, mean in zip(imagery.channels, means, strict=True)}


def test_power_is_averaged_and_then_told_in_decibels(tmp_path):
    items = [item(tmp_path, "a"), item(tmp_path, "b", day="2020-02-15", power=(0.3, 0.04))]
    found = source(tmp_path, items).read(CHIP.id)
    assert told(found) == {
        "2020-02_vv": pytest.approx(10 * np.log10(0.2), abs=1e-5),
        "2020-02_vh": pytest.approx(10 * np.log10(0.03), abs=1e-5),
    }
    assert found.n_acquisitions == (2, 2)
    assert {row.reason for row in found.absences} == {"no acquisition in the month"}


def test_a_polarisation_without_a_file_was_not_acquired_and_the_other_is_there(tmp_path):
    found = source(tmp_path, [item(tmp_path, "a", power=(0.1, None))]).read(CHIP.id)
    assert list(told(found)) == ["2020-02_vv"]
    reasons = {row.channel.name: (row.status, row.reason) for row in found.absences}
    assert reasons["2020-02_vh"] == ("missing", "polarisation not acquired")


def test_what_the_swath_did_not_reach_is_filled_by_the_other_pass_alone(tmp_path):
    items = [item(tmp_path, "a", hole=True), item(tmp_path, "b", day="2020-02-15", power=(0.3, 0.04))]
    found = source(tmp_path, items).read(CHIP.id)
    upper, lower = found.values[0, :16], found.values[0, 16:]
    np.testing.assert_allclose(upper, 10 * np.log10(0.3), atol=1e-5)
    np.testing.assert_allclose(lower, 10 * np.log10(0.2), atol=1e-5)
    assert found.mean_counts[0] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("orbits", "expected"),
    [
        ("mixed", {"2020-02_vv": 0.2}),
        ("ascending", {"2020-02_vv": 0.1}),
        ("descending", {"2020-02_vv": 0.3}),
        ("apart", {"2020-02_asc_vv": 0.1, "2020-02_des_vv": 0.3}),
    ],
)
def test_directions_are_mixed_kept_apart_or_left_out(tmp_path, orbits, expected):
    items = [item(tmp_path, "up"), item(tmp_path, "down", day="2020-02-15", power=(0.3, 0.04), orbit="descending")]
    one = source(tmp_path, items, orbits)
    found = {name: mean for name, mean in told(one.read(CHIP.id)).items() if name.endswith("vv")}
    assert found == {name: pytest.approx(10 * np.log10(power), abs=1e-5) for name, power in expected.items()}
    declared = [channel.name for channel in one.channels]
    assert len(set(declared)) == len(declared) and set(found) <= set(declared)


def test_vv_minus_vh_is_derived_when_the_store_is_read(tmp_path):
    finish(harvest([source(tmp_path, [item(tmp_path, "a")])], [CHIP.id], tmp_path / "store", workers=1))
    store = open_chip_store(tmp_path / "store")
    names = [stored.channel.name for stored in store.channels(CHIP.id, "s1grdm")]
    assert "2020-02_vv-vh" in names
    pixels = store.read("s1grdm", [(CHIP.id, store.channels(CHIP.id, "s1grdm")[names.index("2020-02_vv-vh")].slot)])
    np.testing.assert_allclose(pixels, 10 * np.log10(0.1 / 0.02), atol=0.02)
