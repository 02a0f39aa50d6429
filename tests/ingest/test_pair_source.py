"""Coherence of pairs on chips: at the right place across frames and zones, each pair a channel, absences told."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

pytest.importorskip("rasterio")
from faults.gunw_files import V2, V3, Layout, gunw_name
from faults.own_pairs import SIDE, source_of

from coherence_fields import cells_off, expected, frame
from terrashot.domain.cells import cells_of, footprints
from terrashot.domain.grid import Grid, chip_from_id, to_metres
from terrashot.errors import InputError
from terrashot.ingest.own_products import own_product, own_product_paths
from terrashot.ingest.pair_cuts import Cuts
from terrashot.ingest.pair_list import needed_of
from terrashot.ingest.pair_products import CutOrder, Cutter, ProductFiles, cut_square
from terrashot.ingest.pair_source import PairSource, mosaic
from terrashot.raster.gunw_product import open_gunw_product

PLACES = {
    "Mexico": (-99.1, 19.4), "equator": (-78.4, -0.01), "Luxembourg": (6.0, 49.7), "Norway": (6.01, 61.2),
    "southern": (20.9, -31.0), "the far east of a zone": (-96.02, 35.0), "across the antimeridian": (179.98, -17.0),
}  # fmt: skip


def chip_over(lon_deg, lat_deg, epsg):
    x_m, y_m = to_metres(epsg).transform(lon_deg, lat_deg)
    return Grid(epsg, 4480.0).chip_at(x_m, y_m)


def zone(lon_deg, lat_deg, beside=0):
    number = (int((lon_deg + 180) // 6) + beside) % 60 + 1
    return (32600 if lat_deg >= 0 else 32700) + number


@pytest.mark.parametrize("layout", [Layout(), Layout(3, south_up=True)])
@pytest.mark.parametrize("where", PLACES)
def test_a_chip_of_its_own_zone_and_of_the_next_one_lies_where_pyproj_says(tmp_path, where, layout):
    """The largest difference, along latitude, from the field at the middles of the chip's cells: a fourth of a 90 m cell at most."""
    lon, lat = PLACES[where]
    path = frame(tmp_path / "a.nc", PLACES[where], lon - 0.15, lat - 0.1, lon + 0.15, lat + 0.1, layout)
    for beside in (0, 1):
        chip = chip_over(lon, lat, zone(lon, lat, beside if where != "southern" else -beside))
        with open_gunw_product(path, "coherence") as product:
            square = mosaic([cut_square(product, chip, SIDE)])
        assert np.isfinite(square).all()
        assert cells_off(square, expected(chip, SIDE, PLACES[where])) < 0.25, (where, beside)


@pytest.mark.parametrize("turns", [-1, 0])
def test_a_frame_across_the_antimeridian_serves_chips_on_both_sides_however_its_longitudes_count(
    tmp_path, study, turns
):
    at = lon, lat = 179.98 + 360 * turns, -17.0
    path = tmp_path / "own" / named("20210723", "20210711", at=(179.98, -17.0))
    frame(path, at, lon - 0.15, lat - 0.1, lon + 0.15, lat + 0.1)
    chips = [chip_over(179.95, lat, 32760), chip_over(-179.95, lat, 32701)]
    source = study(chips)
    for chip in chips:
        (found,) = source.read(chip.id).values
        assert cells_off(found, expected(chip, SIDE, (179.98, lat))) < 0.25


def test_half_a_cell_is_seen_by_that_comparison(tmp_path):
    """What a reader would give that takes the first middle for a corner, as the trap of this format has it, along one axis."""
    at = lon, lat = PLACES["Mexico"]
    path = frame(tmp_path / f"{V2}.nc", at, lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1)
    chip = chip_over(lon, lat, zone(lon, lat))
    with open_gunw_product(path, "coherence") as product:
        a, b, c, d, e, f = product.place.affine
        wrong = replace(product, place=replace(product.place, affine=(a, b, c + a / 2, d, e, f)))
        assert cells_off(mosaic([cut_square(wrong, chip, SIDE)]), expected(chip, SIDE, at)) > 0.4


@pytest.fixture
def study(tmp_path):
    """A folder of products, and the source that a study would make of it for some chips."""
    (tmp_path / "own").mkdir()
    return partial(source_of, tmp_path)


def named(later, earlier, track="014", direction="D", at=PLACES["Mexico"]):
    return f"{gunw_name(later, earlier, at, track=track, direction=direction)}.nc"


def test_frames_of_one_pair_are_one_channel_without_a_seam_also_beside_a_zone_edge(tmp_path, study):
    """Two frames that meet in the middle of a chip without a common cell, and the chip's twin in the next zone."""
    at = (-96.0, 35.0)  # the edge of zones 14 and 15
    frame(tmp_path / "own" / named("20210723", "20210711", at=at), at, -96.2, 35.0, -95.8, 35.2)
    frame(tmp_path / "own" / named("20210723", "20210711", at=(-96.0, 34.8)), at, -96.2, 34.8, -95.8, 34.9992)
    chips = [chip_over(*at, 32614), chip_over(-95.99, 35.0, 32615)]
    source = study(chips)
    for chip in chips:
        imagery = source.read(chip.id)
        assert [channel.name for channel in imagery.channels] == ["20210723_20210711_D014"]
        assert imagery.n_acquisitions == (2,) and not imagery.absences
        assert np.isfinite(imagery.values).all()
        assert cells_off(imagery.values[0], expected(chip, SIDE, at)) < 0.25


def test_pairs_of_one_date_on_two_tracks_are_two_channels_in_the_order_of_their_dates(tmp_path, study):
    at = PLACES["Mexico"]
    box = at, at[0] - 0.1, at[1] - 0.1, at[0] + 0.1, at[1] + 0.1
    for name in (
        named("20210723", "20210711"), named("20210723", "20210711", "078", "A"), named("20210711", "20210629"),
        named("20210723", "20210717", "078", "A"),
    ):  # fmt: skip
        frame(tmp_path / "own" / name, *box)
    chip = chip_over(*at, 32614)
    imagery = study([chip]).read(chip.id)
    assert [channel.name for channel in imagery.channels] == [
        "20210711_20210629_D014", "20210723_20210711_A078", "20210723_20210711_D014", "20210723_20210717_A078"
    ]  # fmt: skip
    assert {(c.kind, c.unit) for c in imagery.channels} == {("coherence", "coherence")}
    few = study([chip], most_pairs=2).read(chip.id)
    assert [channel.name for channel in few.channels] == ["20210711_20210629_D014", "20210723_20210717_A078"]


def test_of_a_pair_in_two_versions_the_third_counts_and_the_second_is_not_needed(tmp_path, study):
    at = PLACES["Mexico"]
    for name in (V2, V3):
        frame(tmp_path / "own" / f"{name}.nc", at, at[0] - 0.2, at[1] - 0.2, at[0] + 0.2, at[1] + 0.2)
    chip = chip_over(*at, 32614)
    (found,) = study([chip]).pairs.over(chip)
    assert [product.name.text for product in found.products] == [V3]
    # At the rim of the newer frame the older one is needed still.
    rim = chip_over(at[0] - 0.2, at[1], 32614)
    products = list(study([rim]).pairs.products)
    (outline,) = footprints(cells_of([rim]))
    assert [product.name.text for product in needed_of(products, outline)] == [V3, V2]


def test_a_chip_without_a_pair_says_so_and_one_beside_the_frame_has_an_empty_pair(tmp_path, study):
    at = PLACES["Mexico"]
    frame(tmp_path / "own" / f"{V2}.nc", at, at[0] - 0.1, at[1] - 0.1, at[0] + 0.1, at[1] + 0.1)
    far, near = chip_over(at[0] + 1, at[1], 32614), chip_over(*at, 32614)
    source = study([near])
    (absence,) = source.read(far.id).absences
    assert (absence.status, absence.reason, absence.channel) == ("missing", "no pair was formed", None)
    assert source.read(far.id).values.shape == (0, SIDE, SIDE)


def test_what_was_cut_and_is_lost_fails_its_pair_and_is_cut_again(tmp_path, study):
    at = PLACES["Mexico"]
    frame(tmp_path / "own" / f"{V2}.nc", at, at[0] - 0.1, at[1] - 0.1, at[0] + 0.1, at[1] + 0.1)
    chip = chip_over(*at, 32614)
    source = study([chip])
    whole = source.read(chip.id)
    assert source.cuts.is_done(V2, [chip.id])
    for path in (tmp_path / "cuts").glob("??/*"):
        if path.stat().st_size > 8 * SIDE**2:
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)
    (absence,) = source.read(chip.id).absences
    assert absence.status == "failed" and "lost" in absence.reason
    assert not source.cuts.is_done(V2, [chip.id])
    np.testing.assert_array_equal(study([chip]).read(chip.id).values, whole.values)


def test_a_product_that_cannot_be_read_fails_its_pair_alone(tmp_path, study):
    at = PLACES["Mexico"]
    box = at, at[0] - 0.1, at[1] - 0.1, at[0] + 0.1, at[1] + 0.1
    good, bad = (tmp_path / "own" / named(later, "20210601") for later in ("20210619", "20210701"))
    frame(good, *box), frame(bad, *box)
    chip = chip_from_id(chip_over(*at, 32614).id)
    source = study([chip])
    source.cuts.forget(bad.stem)
    bad.write_bytes(bad.read_bytes()[:3000])
    Cutter(ProductFiles(tmp_path / "own", is_own=True), source.cuts, "coherence")(
        CutOrder(source.pairs.products[1], (chip.id,))
    )
    # The squares that were cut before are whole and still serve; those of another recipe are not there.
    other = PairSource(source.pairs, Cuts(source.cuts.spool, "another recipe", SIDE))
    other.cuts.fail(bad.stem, "failed to read: broken")
    statuses = {absence.channel.name: absence.reason for absence in other.read(chip.id).absences}
    assert (
        statuses["20210701_20210601_D014"] == "failed to read: broken" and "lost" in statuses["20210619_20210601_D014"]
    )


def test_a_folder_without_products_and_one_with_a_stranger_among_them_are_refused(tmp_path):
    with pytest.raises(InputError, match="no GUNW products"):
        own_product_paths(tmp_path)
    (tmp_path / "a.nc").write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.nc"):
        own_product(tmp_path / "a.nc", "coherence")
