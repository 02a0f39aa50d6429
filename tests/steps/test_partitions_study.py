"""Partitions in a study: chips that stand in a file, in place of an outline; and what `export` leaves."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from typer.testing import CliRunner

from terrashot.cli import app
from terrashot.errors import InputError, StorageError, UsageError
from terrashot.steps.export_partitions import ExportRequest, export_files
from terrashot.steps.progress import Said, finish
from terrashot.steps.run import Wishes, run_study
from terrashot.store.study import find_study

HEAD = "[study]\nworkers = 1\n[grid]\nchip_px = 16\npixel_m = 40.0\n"
AREAS = "[areas.north]\nbbox = [9.40, 45.10, 9.48, 45.17]\n[areas.south]\nbbox = [-45.10, -22.16, -45.04, -22.10]\n"
SPLIT = "[split]\nbands = 5\n"
THEIRS = ("0141dce56d692", "1f00aa0000003", "09b3c5a1d2e4f", "0000000000001", "0000000000002", "0000000000003")


def make(folder, text, only=("chips",)):
    """What the steps say."""
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(text)
    work = run_study(find_study(folder), Wishes(only=only))
    return "\n".join(event.text for event in work if isinstance(event, Said))


def exported(folder, **how):
    return finish(export_files(ExportRequest("geetiles", folder / "chips.parquet", folder / "out", **how)))


def listed(folder, splits=True):
    """[areas] that name what was exported."""
    text = ""
    for path in sorted((folder / "out").glob("*.geojson")):
        (csv,) = path.parent.glob(f"{path.stem}_splits_*.csv")
        text += f'[areas.{path.name.split("_")[0]}]\npartitions = "{path}"\n' + (
            f'splits = "{csv}"\n' if splits else ""
        )
    return text


def images(folder):
    """A chip folder with an image of each of their chips."""
    (folder / "chips" / "s2rgbm").mkdir(parents=True)
    for name in THEIRS:
        np.save(folder / "chips" / "s2rgbm" / f"{name}.npy", np.full((3, 8, 8), 0.5, np.float32))
    return folder / "chips"


def theirs(folder, splits=("train", "val", "test", "train", "val", "test")):
    """Six chips side by side with identifiers that say nothing of their place."""
    features = [
        {
            "type": "Feature",
            "properties": {"identifier": name, "area_km2": 1.0, "split": splits[n]},
            "geometry": shapely.geometry.mapping(shapely.box(9 + 0.05 * n, 45.0, 9.05 + 0.05 * n, 45.04)),
        }
        for n, name in enumerate(THEIRS)
    ]
    path = folder / "conus_partitions_aschips_293d95e3ee589.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.mark.parametrize("splits", [True, False])
def test_a_study_from_its_own_partitions_has_the_same_chips_to_the_byte(tmp_path, splits):
    make(tmp_path / "one", HEAD + AREAS + SPLIT)
    answer = exported(tmp_path / "one")
    split = pq.read_table(tmp_path / "one" / "chips.parquet")["split"].to_pylist()
    assert answer.facts["buffer"] == split.count("buffer") > 0 and len(answer.facts["files"]) == 4
    said = make(tmp_path / "two", HEAD + listed(tmp_path / "one", splits))
    assert "split: as the table gives it" in said
    assert (tmp_path / "one" / "chips.parquet").read_bytes() == (tmp_path / "two" / "chips.parquet").read_bytes()


def test_a_change_of_the_csv_makes_the_chips_stale(tmp_path):
    make(tmp_path / "one", HEAD + AREAS + SPLIT)
    exported(tmp_path / "one")
    text = HEAD + listed(tmp_path / "one")
    make(tmp_path / "two", text)
    csv = next((tmp_path / "one" / "out").glob("north*.csv"))
    csv.write_text(csv.read_text().replace(",val", ",train", 1))
    said = make(tmp_path / "two", text)
    assert "chips: runs: splits of north changed" in said
    assert "puts 1 chips elsewhere than the column 'split'" in said


def test_their_chips_are_those_of_a_chip_folder_whose_images_bear_their_identifiers(tmp_path):
    path, _ = theirs(tmp_path), images(tmp_path)
    (tmp_path / "chips" / "chips.csv").write_text("id\nother\n")
    text = (
        f'[study]\nworkers = 1\n[source]\nkind = "folder"\npath = "chips"\n[areas.conus]\npartitions = "{path.name}"\n'
    )
    said = make(tmp_path, text, only=("chips", "ingest"))
    assert "split: as the table gives it" in said and "chips.csv is not read" in said
    table = pq.read_table(tmp_path / "chips.parquet")
    assert sorted(table["id"].to_pylist()) == sorted(THEIRS) and set(table["area"].to_pylist()) == {"conus"}
    assert table["utm_epsg"].null_count == len(table) and table["geometry"].null_count == 0
    presence = pq.read_table(tmp_path / "presence.parquet")
    assert sorted(set(presence["id"].to_pylist())) == sorted(THEIRS) and set(presence["status"].to_pylist()) == {"ok"}


def test_a_buffer_around_their_chips_is_cut_and_its_cost_said(tmp_path):
    path, _ = theirs(tmp_path, ("train", "train", "val", "val", "test", "test")), images(tmp_path)
    text = f'[source]\nkind = "folder"\npath = "chips"\n[areas.conus]\npartitions = "{path.name}"\n[split]\nbuffer_chips = 1\n'
    said = make(tmp_path, text)
    split = dict(
        zip(*(pq.read_table(tmp_path / "chips.parquet")[name].to_pylist() for name in ("id", "split")), strict=True)
    )
    assert [split[name] for name in THEIRS] == ["train", "buffer", "val", "buffer", "test", "test"]
    assert "33.3% of the chips are cut as buffer" in said


def test_the_simulated_earth_refuses_chips_whose_place_no_identifier_tells(tmp_path):
    path = theirs(tmp_path)
    with pytest.raises(
        InputError, match="'0141dce56d692'; the simulated Earth knows the chips of our own grid of 640 m"
    ):
        make(tmp_path, f'{HEAD}[areas.conus]\npartitions = "{path.name}"\n')


def test_chips_of_another_size_than_the_grid_are_refused(tmp_path):
    make(tmp_path / "one", HEAD + AREAS + SPLIT)
    exported(tmp_path / "one")
    with pytest.raises(InputError, match=r"our own grid of 320 m alone.*or set \[grid\] to their size"):
        make(tmp_path / "two", HEAD.replace("chip_px = 16", "chip_px = 8") + listed(tmp_path / "one"))


def test_a_chip_in_two_partitions_is_refused(tmp_path):
    path = theirs(tmp_path)
    with pytest.raises(InputError, match="is in the partitions of a and of b; each chip belongs to one area"):
        make(tmp_path, f'{HEAD}[areas.a]\npartitions = "{path.name}"\n[areas.b]\npartitions = "{path.name}"\n')


def test_what_is_there_is_not_overwritten_unless_asked_and_nothing_partial_is_left(tmp_path):
    make(tmp_path, HEAD + AREAS + SPLIT)
    exported(tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(StorageError, match="is not empty; name another folder, or add --overwrite"):
        exported(tmp_path)
    exported(tmp_path, overwrite=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert not list((tmp_path / "out").glob(".*.part"))


def test_the_command_answers_in_json_and_names_what_is_wrong(tmp_path):
    make(tmp_path, HEAD + AREAS + SPLIT)
    chips, out = str(tmp_path / "chips.parquet"), str(tmp_path / "partitions")
    result = CliRunner().invoke(app, ["export", "geetiles", chips, "--out", out, "--json"])
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["ok"] and all((tmp_path / "partitions" / name).is_file() for name in told["files"])
    with pytest.raises(UsageError, match="export m3leo: no such kind; kinds are geetiles"):
        finish(export_files(ExportRequest("m3leo", tmp_path / "chips.parquet", tmp_path / "x")))
    with pytest.raises(InputError, match="no such table of chips"):
        finish(export_files(ExportRequest("geetiles", tmp_path / "gone.parquet", tmp_path / "x")))
