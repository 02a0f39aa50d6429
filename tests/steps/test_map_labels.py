"""Labels of a study from reference maps: near, in an open bucket and in a catalogue on loopback; simulated ground of the rehearsal."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))  # where they lie when one of them is run
from rehearsal_ground import Plan  # noqa: E402
from rehearsal_maps import BUILT_PATH, write_maps  # noqa: E402
from rehearsal_server import RehearsalServer  # noqa: E402

from terrashot.domain.grid import chip_from_id  # noqa: E402
from terrashot.errors import InputError, NetworkError  # noqa: E402
from terrashot.ingest.world.sources import SimulatedLabels  # noqa: E402
from terrashot.steps.progress import finish  # noqa: E402
from terrashot.steps.run import Wishes, run_and_report, run_study  # noqa: E402
from terrashot.store.study import find_study  # noqa: E402
from terrashot.store.tables import read_own_labels  # noqa: E402

PLAN = Plan(chips=6)
LABELS = Wishes(only=("chips", "labels"))
HEAD = """\
[source]
kind = "scenes"
months = ["2020-01"]
[source.optical]
folder = "none"
[grid]
chip_px = 32
[areas.edge]
bbox = {bbox}
[split]
scheme = "random"
shares = [0.4, 0.3, 0.3]
[ingest]
allowed_hosts = ["{host}"]
"""
LAND = '[labels.maps.cropland]\nproduct = "worldcover-2020"\nclasses = [40]\n{where}\n[labels.maps.vegetation]\nproduct = "worldcover-2020"\nclasses = [10]\n{where}\n'
BUILT = '[labels.maps.builtup]\nproduct = "ghs-built-s"\n{where}\n'


@pytest.fixture(scope="module")
def served(made_once):
    """Tiles and the catalogue that tells of them."""

    def fill(folder):
        items = write_maps(PLAN, folder)
        collections = {"esa-worldcover": {"id": "esa-worldcover", "item_assets": {}}}
        apis = {"/api/stac/v1": {"items": items, "collections": collections}}
        (folder / "catalogue.json").write_text(json.dumps({"apis": apis, "aliases": {}}))

    return made_once("simulated-maps", fill)


@pytest.fixture
def server(served):
    with RehearsalServer(served) as running:
        yield running


def study_at(folder, server, maps, head=HEAD):
    folder.mkdir(parents=True, exist_ok=True)
    host = server.host if server else "127.0.0.1:9"
    (folder / "study.toml").write_text(head.format(bbox=list(PLAN.bbox), host=host) + maps)
    return find_study(folder)


def labels_of(study):
    finish(run_study(study, LABELS))
    return read_own_labels(study.labels)


def test_bucket_catalogue_and_folder_give_the_same_labels_and_they_are_those_of_the_ground(server, served, tmp_path):
    tiles = tmp_path / "tiles"
    tiles.mkdir()
    for path in (served / "v100").rglob("*.tif"):
        shutil.copy(path, tiles)
    ways = {
        "bucket": f'url = "{server.url}"',
        "catalogue": f'catalogue = "planetary-computer"\nsearch_url = "{server.url}/api/stac/v1/search"',
        "folder": f'folder = "{tiles}"',
    }
    found = {
        name: labels_of(study_at(tmp_path / name, server, LAND.format(where=where))) for name, where in ways.items()
    }
    first = found["bucket"]
    for other in found.values():
        for target in ("cropland", "vegetation"):
            assert other.targets[target].tobytes() == first.targets[target].tobytes()
            assert other.valid_fraction[target].tobytes() == first.valid_fraction[target].tobytes()
    truth = SimulatedLabels(PLAN.world, exact=True)
    assert {chip_from_id(chip_id).epsg for chip_id in first.chip_ids} == {
        32631,
        32632,
    }  # and tiles meet where the zones do
    for row, chip_id in enumerate(first.chip_ids):
        assert first.targets["cropland"][row] == pytest.approx(truth.read(chip_id)["cropland"][0], abs=0.1)
    np.testing.assert_allclose(first.valid_fraction["cropland"], 1, atol=1e-6)
    assert not (tmp_path / "bucket" / "labels.fetched").exists()


def test_built_up_ground_is_read_from_one_far_file_and_from_a_zip_file_alike(server, served, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "built.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(served / BUILT_PATH, "GHS_BUILT_S.tif")
    far = labels_of(study_at(tmp_path / "far", server, BUILT.format(where=f'url = "{server.url}/{BUILT_PATH}"')))
    near = labels_of(study_at(tmp_path / "near", server, BUILT.format(where=f'file = "{tmp_path}/built.zip"')))
    assert far.targets["builtup"].tobytes() == near.targets["builtup"].tobytes()
    truth = SimulatedLabels(PLAN.world, exact=True)
    for row, chip_id in enumerate(far.chip_ids):
        assert far.targets["builtup"][row] == pytest.approx(truth.read(chip_id)["builtup"][0], abs=0.03)


def test_a_dry_run_tells_which_maps_would_be_read_and_reads_none(server, tmp_path):
    study = study_at(tmp_path, server, LAND.format(where=f'url = "{server.url}"'))
    answer = finish(run_and_report(study, Wishes(only=("chips", "labels"), dry_run=True)))
    assert any("cropland, vegetation: ESA WorldCover 2020 v100" in line and "2 tiles" in line for line in answer.lines)
    assert answer.facts["maps"]["cropland"]["tiles"][0] == "ESA_WorldCover_10m_2020_v100_N42E003_Map.tif"
    assert server.asked == [] and not study.labels.exists()


def test_a_run_that_the_network_broke_goes_on_where_it_was_and_ends_the_same(server, served, tmp_path):
    where = f'url = "{server.url}"'
    whole = labels_of(study_at(tmp_path / "whole", server, LAND.format(where=where)))
    needed = len(server.asked)
    with RehearsalServer(served, dict.fromkeys(range(needed - 1, 1000), "forbidden")) as broken:
        study = study_at(tmp_path / "broken", broken, LAND.format(where=f'url = "{broken.url}"'))
        with pytest.raises(NetworkError, match="Map"):
            finish(run_study(study, LABELS))
        assert study.fetched_maps.is_dir() and not study.labels.exists()
        before = len(broken.asked)
        broken.faults.clear()
        again = labels_of(study)
        assert len(broken.asked) - before <= 1
    assert again.targets["cropland"].tobytes() == whole.targets["cropland"].tobytes()


def test_a_tile_that_its_maker_does_not_have_is_ground_of_which_nothing_is_known(served, tmp_path):
    root = tmp_path / "served"
    shutil.copytree(served, root)
    (west,) = root.rglob("*E003_Map.tif")
    west.unlink()
    with RehearsalServer(root) as server:
        found = labels_of(study_at(tmp_path / "study", server, LAND.format(where=f'url = "{server.url}"')))
        is_west = np.array([chip_from_id(chip_id).epsg == 32631 for chip_id in found.chip_ids])
        assert np.isnan(found.targets["cropland"][is_west & (found.valid_fraction["cropland"] < 0.9)]).all()
        assert found.valid_fraction["cropland"].min() < 0.1 and found.valid_fraction["cropland"].max() == pytest.approx(
            1
        )
        with pytest.raises(InputError, match=r"nothing of any chip.*2 tiles are not there"):
            labels_of(study_at(tmp_path / "wrong", server, LAND.format(where=f'url = "{server.url}/elsewhere"')))


def test_a_changed_map_or_rule_makes_the_labels_stale_and_another_study_is_not(served, tmp_path):
    tiles = tmp_path / "tiles"
    tiles.mkdir()
    for path in (served / "v100").rglob("*.tif"):
        shutil.copy(path, tiles)
    study = study_at(tmp_path / "study", None, LAND.format(where=f'folder = "{tiles}"'))
    labels_of(study)
    only = Wishes(only=("labels",), dry_run=True)
    assert not finish(run_study(study, only))[0].runs
    path = next(tiles.iterdir())
    path.touch()
    decided = finish(run_study(study, only))[0]
    assert decided.runs and "map of cropland, vegetation changed" in decided.why
    labels_of(study)
    study.config_path.write_text(study.config_path.read_text() + "min_valid_fraction = 0.5\n")
    assert "settings changed" in finish(run_study(study, only))[0].why


def test_maps_stand_beside_a_table_and_a_target_of_both_is_refused(server, tmp_path):
    where = f'url = "{server.url}"'
    study = study_at(tmp_path, server, '[labels]\nfile = "labels.csv"\n' + LAND.format(where=where))
    finish(run_study(study, Wishes(only=("chips",))))
    chip_ids = list(PLAN.chip_ids)
    (tmp_path / "labels.csv").write_text("id,kind\n" + "".join(f"{chip_id},wood\n" for chip_id in chip_ids[1:]))
    found = labels_of(study)
    assert set(found.targets) == {"kind", "cropland", "vegetation"}
    kinds = dict(zip(found.chip_ids, found.targets["kind"], strict=True))
    assert kinds[chip_ids[0]] is None and kinds[chip_ids[1]] == "wood"
    (tmp_path / "labels.csv").write_text("id,cropland\n" + "".join(f"{chip_id},1\n" for chip_id in chip_ids))
    with pytest.raises(InputError, match="rename one"):
        finish(run_study(study, LABELS))


def test_chips_of_a_folder_have_labels_where_their_images_say_where_they_lie(served, tmp_path):
    chips = [chip_from_id(chip_id) for chip_id in PLAN.chip_ids]
    (tmp_path / "chips" / "s2rgbm").mkdir(parents=True)
    names = [f"own-{number}" for number in range(len(chips))]
    (tmp_path / "chips" / "chips.csv").write_text(
        "id,split\n" + "".join(f"{name},{('train', 'val', 'test')[n % 3]}\n" for n, name in enumerate(names))
    )
    for name, chip in zip(names, chips, strict=True):
        west, _, _, north = chip.bounds_m
        with rasterio.open(
            tmp_path / "chips" / "s2rgbm" / f"{name}.tif", "w", driver="GTiff", width=8, height=8, count=1, dtype="uint8",
            crs=f"EPSG:{chip.epsg}", transform=rasterio.Affine(40, 0, west, 0, -40, north),
        ) as file:  # fmt: skip
            file.write(np.ones((1, 8, 8), np.uint8))
    where = f'file = "{served / BUILT_PATH}"'
    study = study_at(
        tmp_path / "study", None, BUILT.format(where=where), f'[source]\nkind = "folder"\npath = "{tmp_path}/chips"\n'
    )
    own = labels_of(study)
    ours = labels_of(study_at(tmp_path / "ours", None, BUILT.format(where=where)))
    expected = dict(zip(ours.chip_ids, ours.targets["builtup"], strict=True))
    for name, value in zip(own.chip_ids, own.targets["builtup"], strict=True):
        assert value == pytest.approx(expected[chips[int(name.removeprefix("own-"))].id], abs=1e-6)
