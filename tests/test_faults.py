"""No fault is silent and none crashes; and a writer or a check that is broken on purpose does not pass."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.outcome import Outcome, Tally, crashed, exact, refused, table
from faults.rows import NAMES, all_rows

ROOT = Path(__file__).resolve().parents[1]
AT_LEAST = {
    "write_points": 40, "random_kills": 57, "training_kills": 16, "bit_flips": 3000, "storage": 20, "power_cuts": 35, "concurrent": 12,
    "determinism": 14, "memory": 2, "chip_content": 200, "georeferencing": 90, "missing_data": 1250, "dates": 110, "store_machine": 25, "formats": 16,
    "damaged_scenes": 1190, "coherence": 310, "coherence_places": 120, "coherence_dates": 100,
    "bombs": 30, "hostile_files": 120, "bad_labels": 150, "fuzz": 2000, "network": 340,
}  # fmt: skip
"""Faults that quick injects; 48 more of `storage` where a file system may be mounted."""


def python_m_faults(*arguments):
    command = [sys.executable, "-m", "faults", "--json", *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr[-2000:]
    return ended, {row["row"]: row for row in json.loads(ended.stdout.splitlines()[-1])["rows"]}


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_no_fault_is_silent_or_crashes():
    ended, rows = python_m_faults()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert set(rows) == set(NAMES)
    assert {name: row["injected"] for name, row in rows.items() if row["injected"] < AT_LEAST[name]} == {}
    assert sum(row["silent"] + row["crashed"] for row in rows.values()) == 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_seeds_find_nothing_either(seed):
    ended, _ = python_m_faults("--seed", str(seed))
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("what", "row", "cases"),
    [
        pytest.param("rename-before-flush", "power_cuts", ["ingest"], marks=pytest.mark.slow),
        pytest.param("digest-skipped", "bit_flips", ["150 flips in results.parquet"], marks=pytest.mark.slow),
        pytest.param("range-believed", "network", ["ranges: wrong range"], marks=pytest.mark.slow),
        pytest.param("sums-skipped", "damaged_scenes", ["band near, flipped"], marks=pytest.mark.slow),
        pytest.param("window-unmoved", "georeferencing", ["Norway"], marks=pytest.mark.slow),
        pytest.param("nothing-kept", "random_kills", ["far harvest, 1"], marks=pytest.mark.slow),
        pytest.param("damage-unsaid", "missing_data", ["scenes without month"], marks=pytest.mark.slow),
        pytest.param("counted-twice", "dates", ["one item", "processed again", "two frames"], marks=pytest.mark.slow),
        pytest.param("middle-for-corner", "coherence_places", ["Norway"], marks=pytest.mark.slow),
        pytest.param("name-believed", "coherence_places", ["wrong"], marks=pytest.mark.slow),
        pytest.param("oldest-first", "coherence_dates", ["searched: version 2 and 3"], marks=pytest.mark.slow),
    ],
)
def test_what_is_broken_on_purpose_is_caught(what, row, cases):
    chosen = [word for case in cases for word in ("--case", case)]
    ended, rows = python_m_faults("--break", what, "--row", row, *chosen)
    assert ended.returncode == 1
    assert rows[row]["silent"] + rows[row]["crashed"] > 0


def test_rows_and_their_least_counts_agree():
    assert set(AT_LEAST) == set(NAMES) == set(all_rows())


def test_a_table_counts_every_outcome():
    tally = Tally("x", 7)
    for verdict in (exact(), refused(3), crashed("boom")):
        tally.add(type("Case", (), {"name": "c"})(), verdict)
    assert "| X | 5 | 1 | 3 | 0 | 0 | 1 | 7 |" in table([tally], {"x": "X"})
    assert tally.bad == ["c: crashed: boom"]
    assert tally.as_json["silent"] == 0 and len(Outcome) == 5
