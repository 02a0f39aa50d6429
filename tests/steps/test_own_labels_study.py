"""A whole study whose labels are a user's own polygons: from the GeoPackage to the curves, the suspects and the report."""

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.store.study import find_study

WEST, SOUTH, EAST, NORTH = 9.40, 45.10, 9.48, 45.17
STUDY = f"""
[study]
name = "own"
workers = 1
[grid]
chip_px = 16
pixel_m = 40.0
[areas.north]
bbox = [{WEST}, {SOUTH}, {EAST}, {NORTH}]
[split]
scheme = "random"
[labels]
skip_bad = true
[labels.own.crop]
file = "fields.gpkg"
how = "majority"
column = "crop"
[labels.own.vines]
file = "fields.gpkg"
how = "fraction"
column = "crop"
of = ["vine & <b>$x$</b>"]
[tasks.vines]
cut = "present"
balance = "subsample"
[pretrain]
preset = "tiny"
epochs = 1
batch_size = 16
[fewshot]
sizes = [5]
repeats = 2
[missing]
report = false
[report]
plates = 1
"""


def fields(path):
    """Squares of about a chip, of two crops by chance; one vineyard in five."""
    rng = np.random.default_rng(4)
    lon, lat = np.meshgrid(np.arange(WEST, EAST, 0.004), np.arange(SOUTH, NORTH, 0.003))
    shapes = shapely.box(lon.ravel(), lat.ravel(), lon.ravel() + 0.0035, lat.ravel() + 0.0025)
    crops = np.where(rng.random(len(shapes)) < 0.2, "vine & <b>$x$</b>", "maize")
    geopandas.GeoDataFrame({"crop": crops}, geometry=shapes, crs=4326).to_crs(32632).to_file(path, driver="GPKG")


@pytest.mark.slow
def test_a_study_takes_a_users_geopackage_to_its_report(tmp_path):
    fields(tmp_path / "fields.gpkg")
    (tmp_path / "study.toml").write_text(STUDY)
    finish(run_study(find_study(tmp_path), Wishes()))
    tasks = set(pq.read_table(tmp_path / "results.parquet")["task"].to_pylist())
    assert tasks == {"crop", "vines", "vines_balanced"}
    summary = pq.read_table(tmp_path / "labels.summary.parquet").to_pylist()
    assert {row["target"] for row in summary} >= {"crop", "vines"}
    assert (tmp_path / "labels.suspects.parquet").is_file() and (tmp_path / "labels.rejected.csv").is_file()
    page = (tmp_path / "report.html").read_text()
    assert "<b>$x$</b>" not in page and "vines, balanced" in page
