"""A study that leaves an area out: whole, from the outlines to the report."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from terrashot.errors import InputError
from terrashot.model.checkpoint import read_summary
from terrashot.steps.material import foresee_material
from terrashot.steps.progress import Said, finish
from terrashot.steps.run import Wishes, make_context, run_study
from terrashot.store.study import find_study

STUDY = """
[study]
workers = 1
[source.absences]
modality = 0.0
swath = 0.0
[grid]
chip_px = 16
pixel_m = 40.0
[areas.north]
bbox = [9.40, 45.10, 9.53, 45.20]
[areas.south]
bbox = [-45.10, -22.16, -45.01, -22.06]
[split]
scheme = "leave_area_out"
area = "south"
bands = 6
[pretrain]
preset = "tiny"
epochs = 1
batch_size = 16
[labels]
targets = ["vegetation"]
[embed]
floors = false
[fewshot]
heads = ["logistic"]
sizes = [5, 20, 100]
repeats = 2
most_repeats = 2
[report]
plates = 1
"""


@pytest.fixture(scope="module")
def finished(made_once) -> Path:
    def make(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "study.toml").write_text(STUDY)
        finish(run_study(find_study(folder), Wishes()))

    return made_once("a study that leaves an area out", make)


@pytest.mark.slow
def test_the_area_left_out_tests_whole_and_the_other_trains_and_validates(finished):
    chips = pq.read_table(finished / "chips.parquet").to_pylist()
    counts = Counter((row["area"], row["split"]) for row in chips)
    assert set(counts) == {("south", "test"), ("north", "train"), ("north", "val"), ("north", "buffer")}


@pytest.mark.slow
def test_results_are_of_labels_from_the_other_area_and_tests_in_the_one_left_out(finished):
    rows = pq.read_table(finished / "results.parquet").to_pylist()
    names = ("area", "train_area", "split_scheme")
    assert {tuple(row[name] for name in names) for row in rows} == {("south", "others", "leave_area_out")}
    counts = Counter((row["area"], row["split"]) for row in pq.read_table(finished / "chips.parquet").to_pylist())
    assert max(row["n_test"] for row in rows) <= counts["south", "test"]
    assert 100 <= max(row["n_labels"] for row in rows) <= counts["north", "train"]


@pytest.mark.slow
def test_the_model_has_seen_no_chip_of_the_area_left_out(finished):
    areas = {row["id"]: row["area"] for row in pq.read_table(finished / "chips.parquet").to_pylist()}
    seen = read_summary(finished / "model")["seen_chips"]
    assert {areas[chip_id] for chip_id in seen} == {"north"}


@pytest.mark.slow
def test_leakage_transfer_and_missing_data_are_told_of_the_area_left_out(finished):
    schemes = {
        (row["train_area"], row["split_scheme"]) for row in pq.read_table(finished / "leakage.parquet").to_pylist()
    }
    assert schemes == {("others", "leave_area_out"), ("south", "random")}
    moved = pq.read_table(finished / "transfer.parquet").to_pylist()
    assert {(row["train_area"], row["area"]) for row in moved} == {("north", "south")}
    assert set(pq.read_table(finished / "missing.parquet")["area"].to_pylist()) == {"south"}


@pytest.mark.slow
def test_the_report_tells_it(finished):
    page = (finished / "report.html").read_text()
    assert "area 'south' is left out" in page.replace("&#39;", "'").replace("&#x27;", "'")
    assert (finished / "figures" / "curves-logistic.png").stat().st_size > 0


def chips_step(folder: Path, text: str) -> str:
    """What the step `chips` says, as one text."""
    (folder / "study.toml").write_text(text)
    work = run_study(find_study(folder), Wishes(only=("chips",)))
    return "\n".join(event.text for event in work if isinstance(event, Said))


@pytest.mark.parametrize("key", ["", "buffer_chips = 1", "buffer_m = 100.0"])
def test_what_a_buffer_costs_a_random_split_is_said_and_without_one_it_costs_nothing(tmp_path, key):
    areas = STUDY[: STUDY.index("[split]")]
    said = chips_step(tmp_path, areas + f'[split]\nscheme = "random"\nshares = [0.98, 0.01, 0.01]\n{key}\n')
    split = pq.read_table(tmp_path / "chips.parquet")["split"].to_pylist()
    share = split.count("buffer") / len(split)
    assert f"{share:.1%} of the chips are cut as buffer" in said
    assert (0.05 < share < 0.5) if key else share == 0


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ('scheme = "random"\nbuffer_chips = 1', "give lon and lat, or leave out \\[split\\] buffer_chips"),
        (
            'scheme = "leave_area_out"\narea = "europe"',
            "area = 'europe' must be one of two areas or more; the chips are of a, b",
        ),
    ],
)
def test_a_chip_folder_that_a_split_does_not_fit_is_refused_with_what_to_do(tmp_path, split, said):
    chips = tmp_path / "chips"
    (chips / "s2rgbm").mkdir(parents=True)
    (chips / "chips.csv").write_text("id,area\n" + "".join(f"c{n},{'ab'[n % 2]}\n" for n in range(10)))
    for n in range(10):
        np.save(chips / "s2rgbm" / f"c{n}.npy", np.zeros((3, 8, 8), np.float32))
    with pytest.raises(InputError, match=said):
        chips_step(tmp_path, f'[source]\nkind = "folder"\npath = "chips"\n[split]\n{split}\n')
    assert not (tmp_path / "chips.parquet").exists()


@pytest.mark.slow
def test_a_dry_run_reckons_with_the_chips_of_the_areas_that_train(finished):
    split = pq.read_table(finished / "chips.parquet")
    n_north = split["area"].to_pylist().count("north")
    foreseen = foresee_material(make_context(find_study(finished)), {"chips", "ingest"})
    assert (foreseen.n_train, foreseen.n_val) == (round(0.75 * n_north), round(0.25 * n_north))
