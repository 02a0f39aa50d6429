"""The five areas of the paper hold as many chips as it says."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from terrashot.areas.outline import read_outline
from terrashot.config import read_config
from terrashot.domain.area import Area, cells_in

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
# Allen et al. 2023, figure 1 and section 3.
PAPER = {"conus": 167_000, "middleeast": 163_000, "pakin": 147_000, "china": 285_000, "southamerica": 83_000}


@pytest.mark.parametrize("name", PAPER)
def test_an_area_holds_the_papers_number_of_chips_and_shares_none(name):
    outlines = {other: read_outline(RECIPES / "areas" / f"{other}.geojson")[0] for other in PAPER}
    assert not any(outlines[name].intersects(outlines[other]) for other in PAPER if other != name)
    cells = cells_in(Area(name, outlines[name]), 4480.0)
    assert len(cells) == pytest.approx(PAPER[name], rel=0.01)
    assert len(np.unique(cells.keys)) == len(cells)


def test_the_recipe_of_the_paper_is_a_study_of_these_areas():
    config = read_config(RECIPES / "paper.toml")
    assert {name: RECIPES / area.outline for name, area in config.areas.items()} == {
        name: RECIPES / "areas" / f"{name}.geojson" for name in PAPER
    }
    assert config.grid.chip_px * config.grid.pixel_m == 4480
    assert tomllib.loads((RECIPES / "paper.toml").read_text())["split"]["buffer_chips"] == 0
