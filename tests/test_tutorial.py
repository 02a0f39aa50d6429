"""The tutorial works as it is written: every block, in order, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).resolve().parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_every_block_of_the_tutorial_runs(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    outputs = []
    for kind, text in BLOCK.findall(TUTORIAL.read_text("utf-8")):
        command = ["bash", "-euo", "pipefail", "-c", text] if kind == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        outputs.append(done.stdout + done.stderr)
    assert (tmp_path / "first" / "report.html").is_file()
    assert "report: skipped" in outputs[2], "the second run does nothing"
    assert "best floor" in "".join(outputs) and "coordinates" in outputs[5]
    assert "embed: skipped" in outputs[-1] and "fewshot: runs: its settings changed" in outputs[-1]
