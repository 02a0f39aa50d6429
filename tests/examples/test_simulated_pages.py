"""The script behind the tables of docs/simulated-earth.md says what it lacks."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_without_real_samples_the_comparison_says_so_in_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, DOCS / "compare_with_real.py", "--data", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path) in done.stderr
