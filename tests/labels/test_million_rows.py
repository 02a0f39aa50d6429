"""A table of a million rows is joined in some times the memory of its own bytes, and in time that grows with its rows."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHILD = """\
import sys
from pathlib import Path
from time import process_time
from resident import resident
from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.labels.own.join import own_target
from terrashot.own_label_sections import OwnLabelsSection
chips, _ = chips_of_areas([Area("a", box_outline(9.0, 45.0, 9.5, 45.5))], 640.0)
before, started, path = resident("VmRSS"), process_time(), Path(sys.argv[1])
found = own_target(path, OwnLabelsSection(file=path, how="count"), chips)
print(int(found.values.sum()), len(found.bad), resident("VmHWM") - before, process_time() - started)
"""
"""Its peak is asked of the kernel for this program alone."""


def joined(folder, n_rows):
    """Rows counted, bad rows, bytes and seconds taken, and bytes of the table."""
    rng = np.random.default_rng(0)
    places = np.column_stack([rng.uniform(9.01, 9.49, n_rows), rng.uniform(45.01, 45.49, n_rows)])
    np.savetxt(folder / "rows.csv", places, "%.7f", ",", header="lon,lat", comments="")
    path = ":".join(map(str, (ROOT / "src", ROOT, ROOT / "benchmarks")))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, folder / "rows.csv"],
        env={"PYTHONPATH": path, "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    counted, bad, taken, seconds = map(float, done.stdout.split())
    return counted, bad, taken, seconds, (folder / "rows.csv").stat().st_size


@pytest.mark.slow
def test_a_million_rows_take_ten_times_the_time_of_a_tenth_and_no_more_than_some_copies_of_the_table(tmp_path):
    few, many = joined(tmp_path, 100_000), joined(tmp_path, 1_000_000)
    assert [few[0] + few[1], many[0] + many[1]] == [100_000, 1_000_000]
    assert many[2] < 16 * many[4], many
    assert many[3] < 20 * few[3], (few, many)
    print(f"{many[2] / many[4]:.1f} times the table's bytes, {many[3] / few[3]:.1f} times the seconds of a tenth")
