"""A user's points, lines and polygons give each chip what lies in it: no more, no less, once."""

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.grid import Grid, chip_from_id, to_degrees, to_metres
from terrashot.errors import InputError
from terrashot.labels.own.join import own_target
from terrashot.labels.own.owner import owners
from terrashot.own_label_sections import OwnLabelsSection

SIZE_M = 640.0
CHIPS, _ = chips_of_areas([Area("a", box_outline(9.0, 45.0, 9.06, 45.04))], SIZE_M)
SEAM, _ = chips_of_areas([Area("seam", box_outline(11.96, 45.0, 12.04, 45.02))], SIZE_M)
DATE_LINE, _ = chips_of_areas([Area("fiji", box_outline(179.97, -17.0, -179.97, -16.97))], SIZE_M)


def joined(tmp_path, how, shapes, chips=CHIPS, crs: object = 4326, name="l.gpkg", columns=None, **keys):
    table = geopandas.GeoDataFrame(columns or {}, geometry=list(shapes), crs=crs)
    table.to_parquet(tmp_path / name) if name.endswith(".parquet") else table.to_file(tmp_path / name)
    return own_target(tmp_path / name, OwnLabelsSection(file=tmp_path / name, how=how, **keys), chips)


def chip_square(row):
    """The chip itself in its own metres, and the zone."""
    chip = chip_from_id(CHIPS.ids[row])
    return shapely.box(*chip.bounds_m), chip.epsg


@given(st.floats(9.0, 9.06), st.floats(45.0, 45.04))
@settings(max_examples=30, deadline=None)
def test_a_point_belongs_to_the_chip_of_the_grid_that_holds_it(lon, lat):
    (found,) = owners(np.array([lon]), np.array([lat]), CHIPS.footprint, CHIPS.ids)
    x_m, y_m = to_metres(32632).transform(lon, lat)
    chip = Grid(32632, SIZE_M).chip_at(x_m, y_m)
    west, south, east, north = chip.bounds_m
    if min(x_m - west, east - x_m, y_m - south, north - y_m) > 0.1:  # a side in degrees is no side in metres
        assert (CHIPS.ids[found] if found >= 0 else None) == (chip.id if chip.id in CHIPS.ids else None)


def test_a_point_on_a_corner_belongs_to_one_chip_whatever_the_order_of_the_chips():
    corners = shapely.get_coordinates(CHIPS.footprint)
    found = owners(*corners.T, CHIPS.footprint, CHIPS.ids)
    again = owners(*corners.T, CHIPS.footprint[::-1], CHIPS.ids[::-1])
    assert (found >= 0).all() and [CHIPS.ids[a] for a in found] == [CHIPS.ids[::-1][b] for b in again]
    # Corners go round from the south-west: each chip owns its north-west one, as the grid has it.
    assert found.reshape(-1, 5)[:, 3].tolist() == list(range(len(CHIPS)))


def test_a_point_where_the_chips_of_two_zones_overlap_counts_once(tmp_path):
    lon, lat = np.meshgrid(np.linspace(11.965, 12.035, 40), np.linspace(45.002, 45.018, 12))
    hits = shapely.STRtree(SEAM.footprint).query(shapely.points(lon.ravel(), lat.ravel()), predicate="intersects")[0]
    assert len(hits) > len(np.unique(hits))  # there is an overlap
    found = joined(tmp_path, "count", shapely.points(lon.ravel(), lat.ravel()), SEAM)
    assert found.values.sum() + len(found.bad) == lon.size


def test_the_share_of_a_field_is_that_of_its_metres(tmp_path):
    square, epsg = chip_square(5)
    west, south, _, north = square.bounds
    field = shapely.box(west, south, west + 0.3 * SIZE_M, north - 0.5 * SIZE_M)
    for name, crs in (("utm.gpkg", epsg), ("degrees.gpkg", 4326), ("mercator.parquet", 3857), ("laea.shp", 3035)):
        table = geopandas.GeoDataFrame(geometry=[shapely.segmentize(field, 20.0)], crs=epsg).to_crs(crs)
        found = joined(tmp_path, "fraction", table.geometry, crs=crs, name=name)
        assert found.values[5] == pytest.approx(0.15, abs=1e-6), name
        assert np.delete(found.values, 5).max() < 1e-6


def test_long_straight_sides_stay_where_their_own_system_puts_them(tmp_path):
    """A side of 500 km in a conic projection, against the same side in a thousand parts."""
    x, y = to_degrees(32632).transform(*to_metres(32632).transform(9.03, 45.02))
    (centre_x, centre_y) = geopandas.GeoSeries([shapely.Point(x, y)], crs=4326).to_crs(3035)[0].coords[0]
    big = shapely.box(centre_x - 250_000, centre_y - 300_000, centre_x + 250_000, centre_y)
    rough = joined(tmp_path, "fraction", [big], crs=3035)
    fine = joined(tmp_path, "fraction", [shapely.segmentize(big, 100.0)], crs=3035, name="fine.gpkg")
    np.testing.assert_allclose(rough.values, fine.values, atol=1e-4)
    assert 0 < rough.values.mean() < 1


def test_ground_that_two_fields_cover_counts_once(tmp_path):
    lon, lat = CHIPS.lon_deg[3], CHIPS.lat_deg[3]
    whole, half = shapely.box(lon - 1, lat - 1, lon + 1, lat + 1), shapely.box(lon - 1, lat - 1, lon, lat + 1)
    assert joined(tmp_path, "fraction", [whole, half]).values.tolist() == pytest.approx([1.0] * len(CHIPS))


def test_fields_across_the_antimeridian_are_whole(tmp_path):
    halves = shapely.MultiPolygon([shapely.box(179, -18, 180, -16), shapely.box(-180, -18, -179, -16)])
    assert joined(tmp_path, "fraction", [halves], DATE_LINE).values.tolist() == pytest.approx(
        [1.0] * len(DATE_LINE), abs=1e-5
    )
    points = [shapely.Point(180, -16.985), shapely.Point(-180, -16.985)]
    found = joined(tmp_path, "count", points, DATE_LINE, name="p.gpkg")
    assert (found.values.sum(), found.bad.reasons) == (1, {2: "repeats row 1: same place, same value"})


def test_the_class_of_most_ground_is_the_chip_s(tmp_path):
    lon, lat = CHIPS.lon_deg[7], CHIPS.lat_deg[7]
    fields = [
        shapely.box(lon - 0.5, lat - 0.5, lon - 0.001, lat + 0.5),
        shapely.box(lon - 0.001, lat - 0.5, lon + 0.5, lat + 0.5),
    ]
    found = joined(tmp_path, "majority", fields, columns={"crop": ["maize", "rice"]}, column="crop")
    assert found.values[7] == "rice" and set(found.values) == {"maize", "rice"}
    assert found.valid_fraction == pytest.approx(np.ones(len(CHIPS)))
    little = [shapely.box(lon, lat, lon + 0.001, lat + 0.001)]
    known = joined(
        tmp_path, "majority", little, columns={"crop": ["maize"]}, column="crop", min_covered=0.5, name="b.gpkg"
    )
    assert set(known.values) == {None}


def test_presence_and_count_look_for_the_classes_that_are_named(tmp_path):
    lon, lat = CHIPS.lon_deg, CHIPS.lat_deg
    points = shapely.points(np.r_[lon[:3], lon[0] + 1e-4], np.r_[lat[:3], lat[0]])
    how = {"columns": {"crop": ["rice", "rice", "maize", "rice"]}, "column": "crop", "of": ("rice",)}
    assert joined(tmp_path, "count", points, **how).values[:4].tolist() == [2, 1, 0, 0]
    assert joined(tmp_path, "presence", points, **how, name="b.gpkg").values[:4].tolist() == [1, 1, 0, 0]
    unknown = joined(tmp_path, "presence", points, **how, elsewhere="unknown", name="c.gpkg").values
    assert unknown[:3].tolist() == [1, 1, 0] and np.isnan(unknown[3:]).all()


def test_a_mean_weighs_polygons_by_their_ground_in_the_chip(tmp_path):
    square, epsg = chip_square(5)
    west, south, east, north = square.bounds
    parts = [shapely.box(west, south, west + 160, north), shapely.box(west + 160, south, east, north)]
    found = joined(tmp_path, "mean", parts, crs=epsg, columns={"yield": [8.0, 4.0]}, column="yield")
    assert found.values[5] == pytest.approx(5.0, abs=1e-6)


def test_a_field_of_many_chips_is_counted_once(tmp_path):
    found = joined(tmp_path, "count", [shapely.box(9.0, 45.0, 9.06, 45.04)])
    assert found.values.sum() == 1


def test_the_length_of_roads_decides_between_classes(tmp_path):
    lon, lat = CHIPS.lon_deg[7], CHIPS.lat_deg[7]
    roads = [shapely.LineString([(lon - 0.001, lat), (lon, lat)]), shapely.LineString([(lon, lat), (lon, lat + 0.003)])]
    found = joined(tmp_path, "majority", roads, columns={"kind": ["track", "road"]}, column="kind")
    assert found.values[7] == "road" and found.valid_fraction is None


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("sep", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_of_every_plain_form_say_the_same(tmp_path, coding, sep, end):
    lines = [
        sep.join(row)
        for row in (("lon", "lat", "crop"), (" 9.02", "45.02 ", '" maize"'), ("9.03", "45.02", "rice"), ("", "", ""))
    ]
    (tmp_path / "l.csv").write_bytes((end.join(lines) + end).encode(coding))
    found = own_target(
        tmp_path / "l.csv", OwnLabelsSection(file=tmp_path / "l.csv", how="majority", column="crop"), CHIPS
    )
    assert sorted(value for value in found.values if value) == ["maize", "rice"] and not len(found.bad)


def test_a_table_in_metres_is_moved_to_degrees(tmp_path):
    x_m, y_m = to_metres(32632).transform(CHIPS.lon_deg[2], CHIPS.lat_deg[2])
    (tmp_path / "l.csv").write_text(f"e,n\n{x_m:.1f},{y_m:.1f}\n")
    section = OwnLabelsSection(file=tmp_path / "l.csv", how="presence", lon="e", lat="n", crs="EPSG:32632")
    assert np.flatnonzero(own_target(tmp_path / "l.csv", section, CHIPS).values).tolist() == [2]


def test_three_dimensional_and_multiple_geometries_are_read_flat_and_part_by_part(tmp_path):
    lon, lat = CHIPS.lon_deg, CHIPS.lat_deg
    points = [shapely.MultiPoint([(lon[0], lat[0], 5.0), (lon[1], lat[1], 6.0)]), shapely.Point(lon[2], lat[2], 7.0)]
    assert joined(tmp_path, "count", points, name="l.parquet").values[:4].tolist() == [1, 1, 1, 0]


def test_chips_without_a_place_are_refused():
    with pytest.raises(InputError, match="cannot be joined by place"):
        own_target(None, None, CHIPS.__class__(("a",), ("a",), (None,), (None,)))  # type: ignore[arg-type]
