"""From an outline to chips.parquet, beside the least that this can be: corners into degrees, and the same table written.

python benchmarks/chips.py [--quick]

Ours finds the chips that a box holds, makes ids, footprints and names, orders them along a Hilbert curve, and writes table and
digest, flushed to the disk. The bare pipeline is given the chips: pyproj takes all corners into degrees, a call a zone, and
pyarrow writes our finished table with the same compression, unflushed. `ratio` is theirs by ours at the largest size; the goal
is a third, and `times_bare` its inverse at each size. `exponent` is the slope of log seconds over log chips from the smallest
size to the largest; 1 is linear. What a run does besides is told apart: `split`, in bands with a buffer of one chip, timed in
the same rounds; `check_s`, the check of that split, and `seams_s`, the measure of the seams between zones, once at the largest size.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from interleaved import report, seconds_a_call
from resident import resident

from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.cells import Cells
from terrashot.domain.grid import to_degrees
from terrashot.domain.split import SplitRecipe, make_split
from terrashot.domain.split_check import check_split
from terrashot.domain.tables import Chips
from terrashot.domain.zone_seams import seam_cover
from terrashot.store.parquet import ROW_GROUP_ROWS
from terrashot.store.tables import write_chips

SIZE_M, MIDDLE_LON, MIDDLE_LAT = 4480.0, 21.0, 15.0
BANDS = SplitRecipe("bands")
SIZES = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Trial:
    """One size of area, and both ways to its table."""

    area: Area
    chips: Chips
    table: pa.Table
    folder: Path

    def ours(self) -> None:
        """What is compared."""
        write_chips(self.folder / "ours.parquet", placed(self.area))

    def split(self) -> None:
        """What a run does next."""
        make_split(self.chips, BANDS)

    def bare(self) -> None:
        """Corners one zone after the other, then the table."""
        utm = self.chips.utm
        assert utm is not None
        for zone in np.unique(utm[:, 0]).tolist():
            west, south, east, north = Cells(SIZE_M, *utm[utm[:, 0] == zone].T).edges_m()
            for x, y in ((west, south), (east, south), (east, north), (west, north)):
                to_degrees(zone).transform(x, y)
        pq.write_table(
            self.table, self.folder / "bare.parquet", compression="zstd", write_page_checksum=True, row_group_size=ROW_GROUP_ROWS
        )  # fmt: skip


def placed(area: Area) -> Chips:
    """The area's chips in the order of the file."""
    return chips_of_areas([area], SIZE_M)[0]


def box(n_chips: int) -> Area:
    """A box around 21 E, 15 N of about so many chips, as wide as it is high."""
    half_deg = math.degrees(math.asin(math.sqrt(n_chips) * SIZE_M / 2 / 6_371_000))
    wide = half_deg / math.cos(math.radians(MIDDLE_LAT))
    return Area("box", box_outline(MIDDLE_LON - wide, MIDDLE_LAT - half_deg, MIDDLE_LON + wide, MIDDLE_LAT + half_deg))


def trial(n_chips: int, folder: Path) -> Trial:
    folder.mkdir()
    area = box(n_chips)
    chips = placed(area)
    write_chips(folder / "ours.parquet", chips)
    # Without outlines: a million more of them alive would slow the garbage collector of one side alone.
    return Trial(area, replace(chips, footprint=None), pq.read_table(folder / "ours.parquet"), folder)


def measured(n_chips: int, folder: Path, rounds: int) -> dict[str, object]:
    """Chips, seconds of both and their ratios at one size."""
    own = trial(n_chips, folder)
    times = seconds_a_call({"ours": own.ours, "bare": own.bare, "split": own.split}, rounds=rounds, at_least_s=0.0)
    sizes = [(folder / f"{name}.parquet").stat().st_size for name in ("ours", "bare")]
    assert abs(sizes[0] / sizes[1] - 1) < 0.01, f"not the same bytes: {sizes}"
    return {
        "chips": len(own.chips),
        "seconds": {name: round(statistics.median(found), 3) for name, found in times.items()},
        "ratios": [bare / ours for ours, bare in zip(times["ours"], times["bare"], strict=True)],
        "mb": round(sizes[0] / 1e6, 1),
    }


def seconds_of(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return round(time.perf_counter() - started, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    sizes, rounds = (SIZES[:2], 3) if quick else (SIZES, 5)
    with TemporaryDirectory() as name:
        found = [measured(n, Path(name) / str(n), rounds) for n in sizes]
        peak = resident("VmHWM")
    area = box(sizes[-1])
    chips = placed(area)
    split = make_split(chips, BANDS)
    first, last = found[0], found[-1]
    slopes = {
        way: math.log(last["seconds"][way] / first["seconds"][way]) / math.log(last["chips"] / first["chips"])
        for way in last["seconds"]
    }
    report(
        "chips", last["ratios"], "pyproj's corners of the same chips and pyarrow's write of the same table",
        times_bare={row["chips"]: round(1 / statistics.median(row["ratios"]), 3) for row in found},
        seconds={row["chips"]: row["seconds"] for row in found}, mb={row["chips"]: row["mb"] for row in found},
        exponent={way: round(slope, 3) for way, slope in slopes.items()}, peak_gb=round(peak / 1e9, 2),
        check_s=seconds_of(lambda: check_split(chips, split)), seams_s=seconds_of(lambda: seam_cover(area, SIZE_M)),
    )  # fmt: skip


if __name__ == "__main__":
    main()
