"""recipes/paper-published-data.toml goes from published chips to its report, by the commands that stand in it."""

import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

pytest.importorskip("rasterio")
from published_layout import CONUS, OF_PAPER, as_parquet, write_all
from published_real import COUNT, SPAIN, write_real
from terrashot.cli import app
from terrashot.config import read_config
from terrashot.steps.import_chips import ChipImport, choices_of, import_chip_folder
from terrashot.steps.new import make_study
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.store.chips import open_chip_store
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "paper-published-data.toml"
SMALL = {
    'preset = "paper"': 'preset = "tiny"', "epochs = 570": "epochs = 2", "batch_size = 256": "batch_size = 16",
    "sizes = [5, 10, 100, 250, 500, 1000, 5000, 20000]": "sizes = [5, 10]", "repeats = 10": "repeats = 2",
}  # fmt: skip
FIGURES = {"areas", "labels", "chips", "curves-forest", "tsne", "located", "model", "pretraining", "label-map-1"}


def small(text):
    for asked, instead in SMALL.items():
        assert asked in text, asked
        text = text.replace(asked, instead)
    return text


def commands(text):
    """The lines at its top that are to be typed."""
    return [shlex.split(line.removeprefix("# terrashot ")) for line in text.splitlines() if line[:12] == "# terrashot "]


def rehearse(folder, text):
    """What the study holds once its commands were typed in a folder."""
    (folder / "recipes").mkdir()
    (folder / "recipes" / RECIPE.name).write_text(small(text))
    for command in commands(text):
        ended = CliRunner().invoke(app, command)
        assert ended.exit_code == 0, (command, ended.output[-1500:])
    return find_study(folder / "recipes" / RECIPE.name)


def test_its_areas_are_the_sets_that_it_asks_for_and_the_import_leaves_what_it_reads():
    text = RECIPE.read_text()
    sets = dict(re.findall(r"(\w+) ([0-9a-f]{13})", text))
    assert [f"{name}_partitions_aschips_{digest}" for name, digest in sets.items()] == [area.stem for area in OF_PAPER]
    areas = read_config(RECIPE).areas
    assert set(areas) == set(sets)
    for name, area in areas.items():
        assert (area.partitions, area.splits) == tuple(
            Path(f"published-chips/{name}{end}") for end in (".geojson", "_splits.csv")
        )


def test_a_new_study_of_imported_chips_knows_their_outlines(tmp_path):
    write_all(tmp_path / "published", 5)
    choices = choices_of("2020-01", 48, "mixed", "together", "utm")
    finish(import_chip_folder(ChipImport("geetiles", tmp_path / "published", tmp_path / "chips", choices, workers=1)))
    make_study(tmp_path / "study", "folder", tmp_path / "chips")
    study = find_study(tmp_path / "study")
    finish(run_study(study, Wishes(only=("chips",))))
    chips = read_chips(study.chips)
    assert chips.footprint is not None and set(chips.area) == {"conus"} and chips.split.count("train") == 3


@pytest.mark.slow
def test_chips_of_five_areas_go_from_their_tiles_to_the_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, area in enumerate(OF_PAPER):
        write_all(tmp_path / "published", 30, area=area, seed=seed)
    study = rehearse(tmp_path, RECIPE.read_text())
    chips = read_chips(study.chips)
    assert chips.footprint is not None and {name: chips.area.count(name) for name in set(chips.area)} == {
        area.stem.partition("_")[0]: 30 for area in OF_PAPER
    }
    results = pq.read_table(study.results).to_pandas()
    assert set(results.task) == {"vegetation", "builtup", "cropland", "water"}
    assert {"s2rgbm", "s1grdm", "gunw", "modsconcat"} <= set(results.features) and set(results.split_scheme) == {
        "given"
    }
    drawn = {path.stem for path in (study.folder / "figures").glob("*.png")}
    assert drawn >= FIGURES and (study.folder / "report.html").is_file()
    assert CONUS.stem.partition("_")[0] in (study.folder / "report.html").read_text()


@pytest.mark.slow
def test_real_chips_in_the_form_of_m3leo_go_to_the_report_and_water_is_where_the_radar_is_dark(
    shared_data, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_real(tmp_path / "published", shared_data)
    as_parquet(tmp_path / "published", SPAIN)
    text = re.sub(r"\[areas\.(?!conus)\w+\]\n.*\n.*\n\n", "", RECIPE.read_text())
    text = text.replace("conus", "spain").replace("geetiles", "m3leo").replace("2020-", "2018-")
    study = rehearse(tmp_path, text)
    store, labels = open_chip_store(study.folder), pq.read_table(study.labels).to_pandas().set_index("id")
    assert len(store.chip_ids) == COUNT == len(labels) and set(labels) >= {"water", "builtup", "cropland"}
    dark = [np.nanmean(store.read("s1grdm", [(name, at.slot)])) for name in store.chip_ids
            for at in store.channels(name, "s1grdm") if at.channel.name == "2018-01_vv"]  # fmt: skip
    assert np.corrcoef(dark, labels.water[list(store.chip_ids)])[0, 1] < -0.5
    drawn = {path.stem for path in (study.folder / "figures").glob("*.png")}
    assert drawn >= FIGURES and (study.folder / "report.html").is_file()
