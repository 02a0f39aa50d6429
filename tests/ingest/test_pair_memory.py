"""Cutting takes as much memory for many chips as for few, and less than the product unpacked."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from faults.gunw_files import V2, Layout, write_gunw

pytest.importorskip("rasterio")
ROOT = Path(__file__).resolve().parents[2]
SIDE_PX = 4800
"""Of the product: four degrees a side, more than a frame has."""
CHILD = """\
import sys
from pathlib import Path
from resident import resident
from terrashot.domain.grid import Grid, to_metres
from terrashot.durable.spool import Spool
from terrashot.ingest.own_products import own_product
from terrashot.ingest.pair_cuts import Cuts
from terrashot.ingest.pair_products import CutOrder, Cutter, ProductFiles
folder, rows, cols = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
first = Grid(32614, 4480.0).chip_at(*to_metres(32614).transform(-99.7, 20.2))
chips = [Grid(32614, 4480.0).chip(first.row + row, first.col + col).id for row in range(rows) for col in range(cols)]
before = resident("VmRSS")
product = own_product(next(folder.glob("*.nc")), "coherence")
cut = Cutter(ProductFiles(folder, is_own=True), Cuts(Spool(folder / "cuts"), "r", 50), "coherence")
assert cut(CutOrder(product, tuple(chips))) is None
print(resident("VmHWM") - before)
"""
"""Its peak is asked of the kernel for this program alone: what `getrusage` tells of a child begins with its parent's peak."""


def bytes_taken(folder, rows, cols):
    path = ":".join(map(str, (ROOT / "src", ROOT, ROOT / "benchmarks")))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, folder, str(rows), str(cols)],
        env={"PYTHONPATH": path, "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    return int(done.stdout.split()[-1])


@pytest.mark.slow
def test_memory_stays_flat_from_few_chips_to_many_and_below_the_product_itself(tmp_path):
    coherence = np.linspace(0.1, 0.9, SIDE_PX**2, dtype=np.float32).reshape(SIDE_PX, SIDE_PX)
    write_gunw(tmp_path / f"{V2}.nc", coherence, -100.1, 20.4, Layout(chunks=(600, 600)))
    few, many = bytes_taken(tmp_path, 1, 4), bytes_taken(tmp_path, 12, 12)
    assert many < few + (4 << 20), (few, many)
    assert many < 0.75 * coherence.nbytes, (many, coherence.nbytes)
    print(
        f"few chips {few / 1e6:.0f} MB, many {many / 1e6:.0f} MB, the product unpacked {coherence.nbytes / 1e6:.0f} MB"
    )
