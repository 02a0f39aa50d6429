"""The simulated Earth stays as hard for simple features as it was made to be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "simulated_difficulty.py"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_floors_reach_neither_too_little_nor_too_much_and_lose_abroad():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True)
    tasks = {row["task"]: row for row in json.loads(done.stdout.splitlines()[-1])["tasks"]}
    assert sorted(tasks) == ["builtup", "cropland", "vegetation", "water"]
    for row in tasks.values():
        assert 0.70 <= row["best floor, mean"] <= 0.90
        assert row["lost abroad, mean"] >= 0.05
