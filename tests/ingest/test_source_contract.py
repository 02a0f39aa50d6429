"""Sources of imagery keep one contract, each on chips of its own."""

import numpy as np
import pytest
from source_contract import keeps_the_contract

from fake_earth_engine import FakeEarthEngine
from terrashot.domain.grid import Grid
from terrashot.domain.modality import Channel, Imagery


def test_whole_scenes_keep_it(tmp_path):
    pytest.importorskip("rasterio")
    from test_scene_source import CHIP, Grid, scene, source

    scenes = [scene(tmp_path, "a"), scene(tmp_path, "c", day="2020-03-10", cloud=True)]
    beside = Grid(32629, 320).chip(CHIP.row, CHIP.col + 1)
    keeps_the_contract(source(tmp_path, scenes), [CHIP.id, beside.id])


@pytest.mark.parametrize("sensor", ["optical", "radar", "coherence"])
def test_earth_engine_keeps_it(sensor):
    pytest.importorskip("rasterio")
    from test_earth_engine_pixels import (
        CHIP,
        COHERENCE,
        EarthEngineCoherence,
        optical,
        radar,
        sentinel1,
        sentinel2,
        tile,
    )

    images = {
        **sentinel2("2020-01-03"), **sentinel2("2020-02-03", clouded=1.0), **sentinel2("2020-02-04", satellite="B", east=60),
        **sentinel1("2020-01-03"), **sentinel1("2020-02-03", letters="SV"), f"{COHERENCE}/a": tile(45.25, 8.875),
    }  # fmt: skip
    engine = FakeEarthEngine(images)
    source = {
        "optical": optical(engine), "radar": radar(engine, "apart"),
        "coherence": EarthEngineCoherence(engine, ("winter",), (12, 24), 2),
    }[sensor]  # fmt: skip
    beside = Grid(32632, 160).chip(CHIP.row, CHIP.col + 200)
    keeps_the_contract(source, [CHIP.id, beside.id])


class Wrong:
    """A source that breaks it in one place."""

    modality, side_px, max_channels, unit, differences = "s2rgbm", 4, 1, "reflectance", ()
    channels = (Channel("2020-01_red", "red", "reflectance"),)

    def read(self, chip_id):
        return Imagery(self.channels, np.full((1, 4, 4), np.nan, np.float32))


def test_a_channel_without_a_value_breaks_it():
    with pytest.raises(AssertionError):
        keeps_the_contract(Wrong(), ["a"])
