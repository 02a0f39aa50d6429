"""Real chips go the whole road: a few places of two countries, from image files to the report."""

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_and_report
from terrashot.store.study import find_study

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STUDY = """
[study]
name = "floods"
workers = 1
[source]
kind = "folder"
path = "chips"
[split]
scheme = "groups"
[pretrain]
preset = "tiny"
epochs = 1
[fewshot]
sizes = [10]
heads = ["logistic"]
repeats = 2
"""


@pytest.mark.slow
def test_a_few_real_flood_chips_go_from_files_to_the_report(shared_data, tmp_path):
    for country in ("ALBANIA", "FRANCE"):
        source = shared_data / "ombria_2021_events" / "2021" / country
        places = sorted(int(mask.stem.removeprefix("gt_")) for mask in source.glob("Sentinel2/MASK/*.png"))[:8]
        for image in sorted(source.glob("Sentinel*/*/*.png")):
            if int(image.stem.rpartition("_")[2]) in places:
                target = tmp_path / "src" / "2021" / country / image.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(image, target)
    script = [sys.executable, str(EXAMPLES / "ombria_chips.py"), str(tmp_path / "src"), str(tmp_path / "chips")]
    subprocess.run(script, check=True, capture_output=True)
    (tmp_path / "study.toml").write_text(STUDY)
    answer = finish(run_and_report(find_study(tmp_path), Wishes()))
    assert Path(answer.facts["report"]).is_file()
    results = pq.read_table(tmp_path / "results.parquet").to_pydict()
    assert set(results["area"]) == {"albania", "france"}
    assert set(results["split_scheme"]) == {"groups"}
    # A place never straddles a split.
    chips = pq.read_table(tmp_path / "chips.parquet", columns=["group", "split"]).to_pydict()
    assert len(set(zip(chips["group"], chips["split"], strict=True))) == len(set(chips["group"]))
