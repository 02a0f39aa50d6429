"""The report of a study as large as the paper's stays one small file."""

import time
import tracemalloc

import pytest
from tests.report.simulated_report import whole_study

from terrashot.plots.area_map import area_map
from terrashot.plots.style import house_style, rendered
from terrashot.report.figures import write_figures
from terrashot.report.page import write_report

N_CHIPS, N_DRAWN = 845_000, 20_000
AREAS = ("CONUS", "Europe", "China", "South America")


@pytest.fixture(scope="module")
def study():
    return whole_study(N_CHIPS, N_DRAWN, AREAS)


@pytest.mark.slow
def test_its_page_is_below_3_mb_and_so_is_every_figure(study, tmp_path):
    figures = write_figures(study, tmp_path / "figures")
    write_report(study, figures, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3e6
    assert max(path.stat().st_size for path in (tmp_path / "figures").iterdir()) < 3e6
    assert "random sample of 20,000 of 845,000 chips" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_its_map_of_areas_takes_seconds_and_little_memory(study):
    tracemalloc.start()
    begun = time.process_time()
    with house_style():
        picture = rendered(area_map(study.chips), "svg")
    took, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e9 and len(picture) < 3e6
    # Traced, on a busy machine; 3 s without.
    assert took < 60
