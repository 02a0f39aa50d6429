"""Seasonal coherence from tiles: named by their north-western corner, joined across their edges, absences told."""

import math

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402
from faults.server import FaultServer  # noqa: E402

from coherence_fields import expected, field  # noqa: E402
from terrashot.domain.grid import Grid, to_metres  # noqa: E402
from terrashot.errors import NetworkError  # noqa: E402
from terrashot.ingest.far_files import FarFiles  # noqa: E402
from terrashot.ingest.seasonal_source import SeasonalSource, lattice_around, tile_name, tiles_of  # noqa: E402

AT = (6.0, 49.0)
"""Where four tiles meet, on the edge of two zones."""
SIDE = 50
HUNDREDTH = 0.0051


def tile_bytes(west, north, at=AT, dtype="uint8", shift=0.0):
    cols, rows = (np.arange(1200) + 0.5)[None], (np.arange(1200) + 0.5)[:, None]
    stored = np.round(100 * np.clip(field(west + cols / 1200, north - rows / 1200, at), 0.01, 1)).astype(dtype)
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=1200, height=1200, count=1, dtype=dtype, crs="EPSG:4326", compress="deflate", nodata=0,
            transform=Affine(1 / 1200, 0, west + shift, 0, -1 / 1200, north), blockxsize=256, blockysize=256, tiled=True,
        ) as file:  # fmt: skip
            file.write(stored, 1)
        return memory.read()


@pytest.fixture(scope="module")
def tiles():
    return {
        f"/data/tiles/{tile}/{tile}_winter_vv_COH12.tif": tile_bytes(west, north)
        for west in (5, 6)
        for north in (49, 50)
        for tile in (tile_name(west, north),)
    }


def source_on(server, seasons=("winter",), days=(12,)):
    far = FarFiles(allowed_hosts=server.rules.allowed_hosts)
    return SeasonalSource(server.url(""), seasons, ("vv",), days, SIDE, far)


def chip_over(lon_deg, lat_deg, epsg):
    return Grid(epsg, 4480.0).chip_at(*to_metres(epsg).transform(lon_deg, lat_deg))


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [(-90, 48, "N48W090"), (5, 50, "N50E005"), (0, 0, "N00E000"), (180, -1, "S01W180"), (-181, 1, "N01E179")],
)
def test_a_tile_is_named_by_its_north_western_corner(lon, lat, name):
    assert tile_name(lon, lat) == name


def test_a_chip_where_four_tiles_and_two_zones_meet_has_no_seam(tiles):
    with FaultServer(tiles) as server:
        source = source_on(server)
        for epsg in (32631, 32632):
            chip = chip_over(*AT, epsg)
            imagery = source.read(chip.id)
            (channel,) = imagery.channels
            assert (channel.name, channel.kind, channel.first_date) == (
                "2019-12_winter_vv_coh12",
                "vv_coh12",
                "2019-12-01",
            )
            assert np.isfinite(imagery.values).all()
            # Hundredths are what the data set has: no nearer than half of one.
            assert np.abs(imagery.values[0] - expected(chip, SIDE, AT)).max() < HUNDREDTH


def test_a_chip_across_the_antimeridian_asks_for_the_tiles_of_both_sides():
    around = lattice_around(chip_over(180.0, -16.5, 32760))
    names = {tile for tile, _, _ in tiles_of(around, slice(2 * 1200, 3 * 1200), slice(0, 5 * 1200))}
    assert {"S16E179", "S16W180"} <= names and len(names) == 5
    spans = [cols for _, _, cols in tiles_of(around, slice(2400, 2410), slice(1100, 1300))]
    assert [(part.start, part.stop) for part in spans] == [(1100, 1200), (1200, 1300)]


def test_what_the_data_set_does_not_have_is_told_by_channel(tiles):
    with FaultServer(tiles) as server:
        source = source_on(server, ("summer", "winter"), (24, 12))
        assert [c.name[8:] for c in source.channels] == [
            "winter_vv_coh12", "winter_vv_coh24", "summer_vv_coh12", "summer_vv_coh24"
        ]  # fmt: skip
        imagery = source.read(chip_over(5.5, 48.5, 32631).id)
    assert [channel.name for channel in imagery.channels] == ["2019-12_winter_vv_coh12"]
    assert {(absence.status, absence.reason) for absence in imagery.absences} == {
        ("missing", "no tile of the data set here")
    }


@pytest.mark.parametrize("how", [{"shift": 0.5}, {"dtype": "uint16"}])
def test_a_tile_of_another_place_or_form_fails_its_channel_alone(tiles, how):
    west, north = math.floor(5.5), 49
    name = f"/data/tiles/{tile_name(west, north)}/{tile_name(west, north)}_spring_vv_COH12.tif"
    with FaultServer({**tiles, name: tile_bytes(west, north, **how)}) as server:
        imagery = source_on(server, ("winter", "spring")).read(chip_over(5.5, 48.5, 32631).id)
    (absence,) = imagery.absences
    assert absence.status == "failed" and "another form" in absence.reason and len(imagery.channels) == 1


def test_a_bucket_that_refuses_is_a_network_error(tiles):
    with FaultServer(tiles, lambda number: "redirect to a private address") as server, pytest.raises(NetworkError):
        source_on(server).read(chip_over(5.5, 48.5, 32631).id)
