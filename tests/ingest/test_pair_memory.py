"""Cutting takes as much memory for many chips and a large frame as for few and a small one."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rasterio")
ROOT = Path(__file__).resolve().parents[2]
CHILD = """\
import resource, sys
from pathlib import Path
from coherence_fields import frame
from terrashot.domain.grid import Grid, to_metres
from terrashot.durable.spool import Spool
from terrashot.ingest.own_products import own_product
from terrashot.ingest.pair_cuts import Cuts
from terrashot.ingest.pair_products import CutOrder, Cutter, ProductFiles
folder, rows, cols = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
product = own_product(next(folder.glob("*.nc")), "coherence")
first = Grid(32614, 4480.0).chip_at(*to_metres(32614).transform(-99.7, 20.2))
chips = [Grid(32614, 4480.0).chip(first.row + row, first.col + col).id for row in range(rows) for col in range(cols)]
cut = Cutter(ProductFiles(folder, is_own=True), Cuts(Spool(folder / "cuts"), "r", 50), "coherence")
assert cut(CutOrder(product, tuple(chips))) is None
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kib(folder, rows, cols):
    path = ":".join(map(str, (ROOT / "src", ROOT, ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, folder, str(rows), str(cols)],
        env={"PYTHONPATH": path, "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    return int(done.stdout.split()[-1])


@pytest.mark.slow
def test_memory_stays_flat_from_few_chips_to_many_and_below_the_product_itself(tmp_path):
    from faults.gunw_files import V2, Layout

    from coherence_fields import frame

    at = (-99.1, 19.4)
    frame(tmp_path / f"{V2}.nc", at, at[0] - 1, at[1] - 1, at[0] + 1, at[1] + 1, Layout(chunks=(600, 600)))
    few, many = peak_kib(tmp_path, 1, 4), peak_kib(tmp_path, 12, 12)
    assert many < 1.2 * few, (few, many)
