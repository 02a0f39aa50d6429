"""chips.parquet is read by readers that share no code with ours: by columns, and by place without reading the rest."""

import re
from dataclasses import replace

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.major_tom import grid_cells
from terrashot.store import parquet
from terrashot.store.tables import read_chips, write_chips

BOX = (11.4, 45.0, 12.6, 45.8)
WINDOW = (11.8, 45.2, 12.1, 45.4)
"""Across the seam of two zones."""


@pytest.fixture(scope="module")
def chips():
    found, _ = chips_of_areas([Area("seam", box_outline(*BOX))], 2240.0)
    return replace(found, split=("train", "val", "test", "buffer") * (len(found) // 4) + ("train",) * (len(found) % 4))


@pytest.fixture(scope="module")
def path(chips, tmp_path_factory):
    """The table in row groups of 100 chips, so that a small one has many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", 100)
        path = tmp_path_factory.mktemp("chips") / "chips.parquet"
        write_chips(path, chips)
    return path


def boxes_that_meet(chips, window):
    """By the bounding boxes of the footprints, as both readers do."""
    west, south, east, north = shapely.bounds(chips.footprint).T
    rows = (west <= window[2]) & (east >= window[0]) & (south <= window[3]) & (north >= window[1])
    return [chips.ids[row] for row in np.flatnonzero(rows)]


def groups_that_meet(path, window):
    """Numbers of the row groups whose footer tells that a chip of theirs may meet the window."""
    footer = pq.ParquetFile(path).metadata
    found = []
    for number in range(footer.num_row_groups):
        columns = (footer.row_group(number).column(index) for index in range(footer.num_columns))
        side = {column.path_in_schema: column.statistics for column in columns}
        if (
            side["bbox.xmin"].min <= window[2] and side["bbox.xmax"].max >= window[0]
            and side["bbox.ymin"].min <= window[3] and side["bbox.ymax"].max >= window[1]
        ):  # fmt: skip
            found.append(number)
    return found


def test_geopandas_reads_every_footprint_and_in_what_degrees_they_are(chips, path):
    table = geopandas.read_parquet(path)
    assert table.crs == "EPSG:4326" and table["id"].tolist() == list(chips.ids)
    assert shapely.equals_exact(table.geometry.to_numpy(), chips.footprint, 0).all()
    assert table["grid_cell"].tolist() == grid_cells(chips.lon_deg, chips.lat_deg)


def test_geopandas_reads_a_window_and_some_columns(chips, path):
    table = geopandas.read_parquet(path, bbox=WINDOW, columns=["id", "split", "geometry"])
    assert table["id"].tolist() == boxes_that_meet(chips, WINDOW)
    assert table.columns.tolist() == ["id", "split", "geometry"] and 0 < len(table) < len(chips) / 5


def test_a_window_touches_few_of_the_row_groups_for_chips_lie_along_a_hilbert_curve(chips, path, tmp_path):
    n_groups = pq.ParquetFile(path).metadata.num_row_groups
    assert 0 < len(groups_that_meet(path, WINDOW)) < n_groups / 2
    # In the order of ids, row by row of the lattice, as many chips would lie in more groups.
    by_id = chips.take(np.argsort(chips.ids))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", 100)
        write_chips(tmp_path / "by_id.parquet", by_id)
    narrow = (11.8, 45.05, 11.85, 45.75)
    assert len(groups_that_meet(path, narrow)) < len(groups_that_meet(tmp_path / "by_id.parquet", narrow))


def duckdb_connection():
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: chips.parquet is not read by it")
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
    return connection


IN_WINDOW = "bbox.xmin <= {2} AND bbox.xmax >= {0} AND bbox.ymin <= {3} AND bbox.ymax >= {1}".format(*WINDOW)


def test_duckdb_reads_columns_counts_and_footprints(chips, path):
    with duckdb_connection() as connection:
        rows = connection.sql(f"SELECT id, split, lon, utm_epsg FROM '{path}'").fetchall()
        assert rows == list(zip(chips.ids, chips.split, chips.lon_deg.tolist(), chips.utm[:, 0].tolist(), strict=True))
        counted = connection.sql(f"SELECT split, count(*) FROM '{path}' GROUP BY split").fetchall()
        assert dict(counted) == {name: chips.split.count(name) for name in set(chips.split)}
        drawn = [text for (text,) in connection.sql(f"SELECT geometry::VARCHAR FROM '{path}'").fetchall()]
    assert shapely.equals_exact(shapely.from_wkt(drawn), chips.footprint, 1e-9).all()


def test_duckdb_reads_a_window_by_the_bounding_boxes_and_only_the_row_groups_that_may_hold_it(chips, path):
    with duckdb_connection() as connection:
        rows = connection.sql(f"SELECT id FROM '{path}' WHERE {IN_WINDOW}").fetchall()
        ((_, told),) = connection.sql(f"EXPLAIN ANALYZE SELECT id FROM '{path}' WHERE {IN_WINDOW}").fetchall()
    assert [chip_id for (chip_id,) in rows] == boxes_that_meet(chips, WINDOW)
    scanned, n_groups = map(int, re.search(r"Row Groups Scanned: (\d+) / (\d+)", told).groups())
    assert scanned == len(groups_that_meet(path, WINDOW)) < n_groups / 2


def test_what_is_read_by_others_is_what_we_read_ourselves(chips, path):
    ours = read_chips(path)
    assert (ours.ids, ours.split) == (chips.ids, chips.split)
    assert shapely.equals_exact(ours.footprint, chips.footprint, 0).all()
