"""Seconds of a harvest of whole scenes by those of the window reads that it cannot avoid.

python benchmarks/ingest.py [--quick]

Months of Sentinel-2 (three bands and classes) and Sentinel-1 (two polarisations) on chips of 448 px, from made scenes that a
process of its own serves on loopback. Ours finds the scenes of each chip, reads, masks, brings onto the chip, averages, packs
and writes, and keeps what it fetched on disk for a later run. The bare reads are the same windows in the same order by rasterio
alone, far through GDAL's own /vsicurl/, by as many threads, each file opened once; nothing is done with the pixels and nothing
is written. `ratio` is ours by bare, far, in one process, with 8 readers; the goal is at most 1.3. Each run is in a fresh process,
so that none finds files open or blocks unpacked; its start, with 0.4 s of CPU in which compiled code is loaded, is not timed, that
of the second process of two is. Both sides keep 512 MiB
of unpacked blocks from chip to chip, so that neither unpacks one twice. `late` is the ratio where each answer comes 30 ms later, as
from a server far away. `cpu` is the ratio of CPU times, in which waiting, other programs and the number of cores have no part;
`parts` tells ours by part.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from bare_windows import Wanted, read_all, wanted
from ingest_parts import watching
from made_scenes import BANDS, CHIP_PX, OFFSET, RADAR, Plan, make_scenes, optical_items, radar_items
from range_server import HOST, serving

from terrashot.durable.files import sha256_of_file
from terrashot.durable.spool import Spool
from terrashot.ingest.clear_sky import clear_by_scl
from terrashot.ingest.composite import MeanStack
from terrashot.ingest.decibels import as_power, to_db_into
from terrashot.ingest.far_files import FarFiles
from terrashot.ingest.harvest import harvest
from terrashot.ingest.hidden import hide, is_empty
from terrashot.ingest.near_files import NearFiles
from terrashot.ingest.reflectance import reflectance
from terrashot.ingest.scaled import scaled
from terrashot.ingest.scene_file import Listed, SceneFile, write_listed
from terrashot.ingest.scene_source import Recipe, SceneSource
from terrashot.ingest.window import OpenPlane
from terrashot.raster.onto_chip import nearest_onto, onto
from terrashot.raster.place import RasterPlace
from terrashot.raster.predictor import floats_of, numbers_of
from terrashot.remote.profiles import profile_of
from terrashot.store.encode import count_of_both, encode
from terrashot.store.encoding import ENCODINGS

READERS, LATE_S, LATE_CHIPS = 8, 0.03, 4
MONTHS = tuple(f"2021-{month:02d}" for month in range(4, 10))
"""Six, so that a shard holds 16 chips, and two processes find work."""
QUICK, FULL = Plan(4, 5, MONTHS, 1), Plan(4, 8, MONTHS, 3)
_RUN = count()


@dataclass(slots=True)
class Spent:
    """What one run took."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    """Of this process."""


@contextmanager
def watch() -> Iterator[Spent]:
    """What is spent inside, once it is left."""
    spent, began, cpu_began = Spent(), time.perf_counter(), time.process_time()
    yield spent
    spent.seconds, spent.cpu_s = time.perf_counter() - began, time.process_time() - cpu_began


@dataclass(frozen=True, slots=True)
class Trial:
    """The made scenes, and both ways to read them."""

    plan: Plan
    folder: Path
    base: str
    """What stands before the files' names: an address, or nothing for paths."""

    @property
    def chips(self) -> list[Wanted]:
        return wanted(self.plan, optical_items(self.plan, self.base) + radar_items(self.plan, self.base))

    def ours(self, n_chips: int, *, workers: int = 1) -> Spent:
        """A harvest into a new store, with nothing fetched before."""
        made = self.folder / f"run{next(_RUN)}-{os.getpid()}"
        sources = [self._source(made, radar) for radar in (False, True)]
        ids = [chip.id for chip in self.plan.chips[:n_chips]]
        with watch() as spent:
            found = [done.failed for done in harvest(sources, ids, made / "store", workers=workers)]
        assert not any(found), "chips that could not be read"
        shutil.rmtree(made)
        return spent

    def bare(self, n_chips: int) -> Spent:
        """The reads alone."""
        chips, prefix = self.chips[:n_chips], "/vsicurl/" if self.base else f"{self.folder}/"
        with watch() as spent:
            read_all(chips, prefix, READERS)
        return spent

    def parts(self, n_chips: int) -> dict[str, float]:
        """CPU seconds a chip of ours, by part."""
        with watching() as clock:
            self.ours(n_chips)
        assert clock.pixels == sum(chip.pixels for chip in self.chips[:n_chips]), "not the windows that bare reads"
        return {part: seconds / n_chips for part, seconds in clock.seconds.most_common()}

    def _source(self, made: Path, is_radar: bool) -> SceneSource:
        made.mkdir(exist_ok=True)
        items = (radar_items if is_radar else optical_items)(self.plan, self.base)
        path = made / f"{'radar' if is_radar else 'optical'}.json"
        write_listed(path, Listed("made", items, offsets={} if is_radar else {item["id"]: OFFSET for item in items}))
        product = profile_of("planetary-computer/sentinel-1-rtc" if is_radar else "earth-search/sentinel-2-l2a")
        recipe = Recipe(self.plan.months, RADAR if is_radar else BANDS)
        scenes = SceneFile(path, sha256_of_file(path))
        return SceneSource(product, recipe, scenes, CHIP_PX, self._opener(made), READERS)

    def _opener(self, made: Path) -> OpenPlane:
        if not self.base:
            return NearFiles(self.folder)
        return FarFiles(allowed_hosts=frozenset({HOST}), spool=Spool(made / "fetched"))


def afresh(call: Callable[[], Any]) -> Any:
    """What the call returns, from a process that has read nothing yet."""
    ours, theirs = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=lambda: theirs.send(call()))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        process.join()


def interleaved(calls: Mapping[str, Callable[[], Spent]], rounds: int) -> dict[str, list[Spent]]:
    """What was spent by name, one a round, in shuffled order; the files were written just before, so no disk is waited for."""
    order, shuffle = list(calls), random.Random(0)
    found: dict[str, list[Spent]] = {name: [] for name in calls}
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            found[name].append(afresh(calls[name]))
    return found


def ratios(spent: Mapping[str, Sequence[Spent]], where: str) -> tuple[list[float], float]:
    """Ours by bare: of the seconds, round by round; of CPU time, in the middle."""
    pairs = list(zip(spent[f"{where} ours"], spent[f"{where} bare"], strict=True))
    cpu = statistics.median(own.cpu_s / least.cpu_s for own, least in pairs)
    return [own.seconds / least.seconds for own, least in pairs], round(cpu, 4)


def load_compiled() -> None:
    """Nothing; processes forked from now on have the compiled code of a harvest, as a long one has it after its first chip."""
    plane, place = np.zeros((1, 1, 1), np.float32), RasterPlace("EPSG:32632", (1, 0, 0, 0, -1, 0), 1, 1)
    numbers_of(np.zeros((1, 1, 1), np.uint16))
    floats_of(np.zeros((1, 4, 1, 1), np.uint8))
    reflectance(np.zeros((1, 1), np.uint16), OFFSET)
    as_power(scaled(plane[0], 1.0, 0.0, (None, None))[None], "power")
    is_empty(
        hide(
            onto(plane, place, place),
            nearest_onto(clear_by_scl(np.zeros((1, 1), np.uint8)), place, place, outside=False),
        )
    )
    stack = MeanStack((1, 1, 1))
    for _ in range(2):
        stack.add(plane)
    stack.result_into(plane)
    to_db_into(plane, plane)
    encode(ENCODINGS["dB"], np.zeros((1, 1), np.float32))
    count_of_both(*np.zeros((2, 1, 1), np.float32))


def late_ratio(plan: Plan, folder: Path) -> float:
    """Ours by bare where answers are late, once."""
    with serving(folder, LATE_S) as address:
        trial = Trial(plan, folder, f"{address}/")
        own, least = (afresh(partial(way, LATE_CHIPS)) for way in (trial.ours, trial.bare))
    return float(own.seconds / least.seconds)


@dataclass(frozen=True, slots=True)
class Measured:
    """What all runs took."""

    spent: dict[str, list[Spent]]
    """By way."""
    chips_a_second: dict[str, float]
    parts: dict[str, dict[str, float]]
    """CPU seconds a chip of ours."""


def measured(plan: Plan, folder: Path, quick: bool) -> Measured:
    """Both ways, near and far, in one process; ours in two."""
    n_all = len(plan.chips)
    n_chips, n_parts, rounds = (8, 2, 1) if quick else (16, 8, 3)
    with serving(folder) as address:
        trials = {"far": Trial(plan, folder, f"{address}/"), "near": Trial(plan, folder, "")}
        single = {
            f"{where} {way}": partial(getattr(trial, way), n_chips) for where, trial in trials.items() for way in ("ours", "bare")
        }  # fmt: skip
        double = {f"{where} ours 2": partial(trial.ours, n_all, workers=2) for where, trial in trials.items()}
        alone, together = interleaved(single, rounds), interleaved(double, 1 if quick else rounds)
        parts = {where: afresh(partial(trial.parts, n_parts)) for where, trial in trials.items()}
    rates = {
        name: round(n_read / statistics.median(run.seconds for run in runs), 3)
        for found, n_read in ((alone, n_chips), (together, n_all)) for name, runs in found.items()
    }  # fmt: skip
    return Measured(alone, rates, parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    plan = QUICK if quick else FULL
    with TemporaryDirectory() as name:
        folder = Path(name)
        afresh(partial(make_scenes, folder, plan))
        load_compiled()
        found = measured(plan, folder, quick)
        late = late_ratio(plan, folder)
    (far, far_cpu), (near, near_cpu) = (ratios(found.spent, where) for where in ("far", "near"))
    print(json.dumps({
        "name": "ingest", "ratio": round(statistics.median(far), 4),
        "against": "the same windows read by rasterio through /vsicurl/, each file opened once, nothing else done",
        "better": "lower", "low": round(min(far), 4), "high": round(max(far), 4), "repeats": len(far),
        "near": round(statistics.median(near), 4), "late": round(late, 4), "cpu": {"far": far_cpu, "near": near_cpu},
        "chips_a_second": found.chips_a_second,
        "windows_a_chip": len(plan.days) * (len(BANDS) + 1 + len(RADAR)), "readers": READERS,
        "parts": {where: _shares(own) for where, own in found.parts.items()},
    }))  # fmt: skip


def _shares(parts: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Milliseconds a chip and share of the whole, by part."""
    total = sum(parts.values())
    return {part: {"ms": round(1000 * spent, 1), "share": round(spent / total, 3)} for part, spent in parts.items()}


if __name__ == "__main__":
    main()
