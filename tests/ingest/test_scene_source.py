"""Months of a chip from several scenes, through the store: made files whose means are known."""

import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402

from near_files import Near  # noqa: E402
from stac_items import of_baseline, small_item  # noqa: E402
from terrashot.domain.grid import Grid  # noqa: E402
from terrashot.durable.files import sha256_of, sha256_of_file  # noqa: E402
from terrashot.ingest.checked_offset import checked_offset  # noqa: E402
from terrashot.ingest.harvest import harvest  # noqa: E402
from terrashot.ingest.scene_file import Listed, SceneFile, write_listed  # noqa: E402
from terrashot.ingest.scene_source import Recipe, SceneSource  # noqa: E402
from terrashot.remote.profiles import profile_of  # noqa: E402
from terrashot.remote.stac_item import acquisition_of  # noqa: E402
from terrashot.steps.progress import finish  # noqa: E402
from terrashot.store.chips import open_chip_store  # noqa: E402

PROFILE = profile_of("earth-search/sentinel-2-l2a")
MONTHS = ("2020-02", "2020-03", "2020-04")
CHIP = Grid(32629, 320).chip_at(240_000, 2_700_000)
VEGETATION, CLOUD = 4, 9


def scene(folder, name, *, day="2020-02-19", value=3000, cloud=False, baseline="02.14", red="B04"):
    """A scene of one number over the chip and its surroundings."""
    west, _, _, north = CHIP.bounds_m
    for kind, number, dtype in ((red, value, "uint16"), ("SCL", CLOUD if cloud else VEGETATION, "uint8")):
        with rasterio.open(
            folder / f"{name}-{kind}.tif", "w", driver="GTiff", width=96, height=96, count=1, dtype=dtype, nodata=0,
            crs="EPSG:32629", transform=Affine(10, 0, west - 320, 0, -10, north + 320),
        ) as file:  # fmt: skip
            file.write(np.full((96, 96), number, dtype), 1)
    item = small_item(id=name)
    item["properties"]["datetime"] = f"{day}T11:34:25Z"
    stamp = day.replace("-", "")
    item["properties"]["s2:product_uri"] = f"S2A_MSIL2A_{stamp}T112111_N0214_R037_T29RKH_{stamp}T123947.SAFE"
    item["geometry"]["coordinates"] = [[[-13, 23], [-11, 23], [-11, 26], [-13, 26], [-13, 23]]]
    for key, kind in (("red", red), ("scl", "SCL")):
        item["assets"][key]["href"] = f"https://example.com/{name}-{kind}.tif"
    item = of_baseline(item, baseline) if baseline != "02.14" else item
    return Found(item, checked_offset(acquisition_of(item), PROFILE, Near(folder)))


@dataclass(frozen=True)
class Found:
    """An item, and what is subtracted from its numbers."""

    item: dict
    offset: object


def listed(folder, scenes):
    """The scenes in a file, as a search leaves them."""
    path = folder / f"{sha256_of(json.dumps([found.item for found in scenes]).encode())[:12]}.json"
    offsets = {found.item["id"]: found.offset for found in scenes}
    write_listed(path, Listed("a question", [found.item for found in scenes], offsets=offsets))
    return SceneFile(path, sha256_of_file(path))


def source(folder, scenes, statistic="mean", readers=1):
    recipe = Recipe(MONTHS, ("red",), statistic)
    return SceneSource(PROFILE, recipe, listed(folder, scenes), 32, Near(folder), readers)


def told(imagery):
    return {
        channel.name: float(np.unique(plane)[0])
        for channel, plane in zip(imagery.channels, imagery.values, strict=True)
    }


def test_each_month_is_the_mean_of_its_passes_and_a_month_without_one_is_absent_with_its_reason(tmp_path):
    scenes = [
        scene(tmp_path, "a"),
        scene(tmp_path, "b", day="2020-02-24", value=5000),
        scene(tmp_path, "c", day="2020-03-10", cloud=True),
    ]
    imagery = source(tmp_path, scenes).read(CHIP.id)
    assert told(imagery) == {"2020-02_red": pytest.approx(0.4)}
    assert {(row.channel.name, row.status, row.reason) for row in imagery.absences} == {
        ("2020-03_red", "empty", "all clouded"),
        ("2020-04_red", "missing", "no acquisition in the month"),
    }


def test_a_scene_that_was_processed_again_counts_once_with_its_newest_numbers(tmp_path):
    first, again = scene(tmp_path, "a"), scene(tmp_path, "a2", value=4200, baseline="05.00")
    other = scene(tmp_path, "b", day="2020-02-24", value=5000)
    for scenes in ([first, again, other], [other, again, first, first]):
        assert told(source(tmp_path, scenes).read(CHIP.id)) == {"2020-02_red": pytest.approx((0.32 + 0.5) / 2)}


def test_scenes_beside_the_chip_are_not_opened(tmp_path):
    beside = scene(tmp_path, "far")
    beside.item["geometry"]["coordinates"] = [[[10, 40], [11, 40], [11, 41], [10, 41], [10, 40]]]
    (tmp_path / "far-B04.tif").unlink()
    assert told(source(tmp_path, [beside, scene(tmp_path, "a")]).read(CHIP.id)) == {"2020-02_red": pytest.approx(0.3)}


def test_a_file_that_cannot_be_read_fails_its_month_alone_and_is_named(tmp_path):
    scenes = [scene(tmp_path, "a"), scene(tmp_path, "c", day="2020-03-10", value=2500)]
    (tmp_path / "a-B04.tif").write_bytes(b"no picture")
    imagery = source(tmp_path, scenes).read(CHIP.id)
    assert told(imagery) == {"2020-03_red": pytest.approx(0.25)}
    failed = next(row for row in imagery.absences if row.channel.name == "2020-02_red")
    assert failed.status == "failed" and "a-B04.tif" in failed.reason


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_through_the_store_any_order_of_scenes_and_any_number_of_processes_and_readers_gives_the_same_bytes(
    tmp_path, statistic
):
    scenes = [scene(tmp_path, f"s{day}", day=f"2020-02-{day:02d}", value=2000 + 7 * day) for day in (3, 8, 13, 18)]
    ids = [CHIP.id, Grid(32629, 320).chip(CHIP.row, CHIP.col + 1).id]
    found = []
    for number, (order, workers, readers) in enumerate([(scenes, 1, 1), (scenes[::-1], 2, 4)]):
        folder = tmp_path / f"store{number}"
        done = finish(harvest([source(tmp_path, order, statistic, readers)], ids, folder, workers=workers))
        assert done.failed == {}
        store = open_chip_store(folder)
        found.append(store.read("s2rgbm", [(chip_id, 0) for chip_id in ids]))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0][0], 0.20735, atol=1e-4)


def test_a_scene_whose_offset_cannot_be_known_fails_its_months_and_says_why(tmp_path):
    found = scene(tmp_path, "a")
    imagery = source(tmp_path, [Found(found.item, "item a: says neither its baseline nor its offset")]).read(CHIP.id)
    failed = next(row for row in imagery.absences if row.channel.name == "2020-02_red")
    assert failed.status == "failed" and "neither its baseline" in failed.reason


def test_a_source_is_a_few_hundred_bytes_to_hand_to_a_process_however_many_scenes_there_are(tmp_path):
    scenes = [scene(tmp_path, "a")] * 300
    few, many = (len(pickle.dumps(source(tmp_path, found))) for found in (scenes[:1], scenes))
    assert abs(many - few) < 50
