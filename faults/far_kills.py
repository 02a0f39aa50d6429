"""Kills of a harvest from far away: what was fetched is kept, so that no part of any file is asked for twice."""

import functools
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faults.child import Ended, Surroundings, run_child
from faults.outcome import Case, Verdict, crashed, exact, silent
from faults.scenes import CLEAR, OPTICAL, item_of, scene_file, store_digest, write_tif
from faults.server import FaultServer, Seen
from terrashot.domain.grid import Grid
from terrashot.durable.files import CRASH_AT, sweep_leftovers
from terrashot.durable.spool import Spool
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.far_files import FarFiles
from terrashot.ingest.harvest import harvest
from terrashot.ingest.scene_source import Recipe, SceneSource
from terrashot.remote.kept_ranges import BLOCK_BYTES
from terrashot.steps.progress import finish

SCENE_PX, CHIP_PX, N_CHIPS = 320, 32, 5
CORNER = (240_000.0, 2_700_160.0)
"""West and north of every scene: the corner of a chip."""
SCENES = {"a": "2020-02-05", "b": "2020-02-10", "c": "2020-03-05", "d": "2020-03-10"}
LATENCY_S = 0.01
"""Of each answer, so that there is a time in which a request is under way."""
KILLED = (137, -9)
QUICK_KILLS, SOAK_KILLS = 6, 450
QUICK_POINTS, SOAK_POINTS = 3, 50
WORLD = {"type": "Polygon", "coordinates": [[[-13, 23], [-11, 23], [-11, 26], [-13, 26], [-13, 23]]]}


@dataclass(frozen=True, slots=True)
class Whole:
    """An uninterrupted harvest."""

    digest: str
    seconds: float
    puts: int
    """Parts that were kept."""


def far_cases(soak: bool, seed: int) -> Iterator[Case]:
    """Cases of row `random_kills` that read from far away."""
    rng = np.random.default_rng([seed, 1])
    n_kills, n_points = (SOAK_KILLS, SOAK_POINTS) if soak else (QUICK_KILLS, QUICK_POINTS)
    for number, moment in enumerate((np.arange(n_kills) + rng.random(n_kills)) / n_kills):
        readers, again = (1, 4)[number % 2], bool(number % 3 == 2)
        moments = (float(moment), float(rng.random())) if again else (float(moment),)
        name = f"far harvest, {readers} readers, killed at {' and '.join(f'{at:.0%}' for at in moments)} of its time"
        yield Case(name, functools.partial(_killed, readers=readers, moments=moments))
    for share in (np.arange(n_points) + rng.random(n_points)) / n_points:
        yield Case(
            f"far harvest, ends as {share:.0%} of its parts are kept", functools.partial(_ended_at, share=float(share))
        )


def _killed(folder: Path, readers: int, moments: Sequence[float]) -> Verdict:
    whole = _whole(readers)
    return _resumed(folder, readers, [Surroundings(kill_after_s=moment * whole.seconds) for moment in moments])


def _ended_at(folder: Path, share: float) -> Verdict:
    number = 1 + int(share * _whole(1).puts)
    return _resumed(folder, 1, [Surroundings({CRASH_AT: f"spool:{number}"})])


def _resumed(folder: Path, readers: int, attacks: Sequence[Surroundings]) -> Verdict:
    """How a harvest ends that was killed so, again and again, and then left alone."""
    runs: list[list[Seen]] = []
    with FaultServer(_files(), _slowly) as server:
        for around in [*attacks, Surroundings()]:
            n_before = len(server.seen)
            ended = _run(folder, server, readers, around)
            time.sleep(3 * LATENCY_S)  # for what was under way
            runs.append(server.seen[n_before:])
            if ended.code not in (0, *KILLED):
                return crashed(f"it ended with {ended.code}: {ended.error[-300:]}")
    if ended.code != 0:
        return crashed(f"left alone, it ended with {ended.code}")
    if store_digest(folder / "study") != _whole(readers).digest:
        return silent("after the resume the store is another")
    if twice := _fetched_twice(runs):
        return silent(f"fetched twice: {twice}")
    left = [path.name for path in folder.rglob(".*.part")]
    return silent(f"left behind: {left[0]}") if left else exact()


def _run(folder: Path, server: FaultServer, readers: int, around: Surroundings) -> Ended:
    study = folder / "study"
    study.mkdir(exist_ok=True)
    items = [
        item_of(
            name,
            WORLD,
            {key: server.url(f"/{name}-{key}.tif") for key in ("red", "scl")},
            datetime=f"{day}T11:00:00Z",
            platform="s2a",
        )
        for name, day in SCENES.items()
    ]
    scenes = scene_file(folder / "scenes.json", items, dict.fromkeys(SCENES, Offset(0, True, "made so")))
    files = FarFiles(allowed_hosts=server.rules.allowed_hosts, spool=Spool(study / "ingest.fetched"))
    source = SceneSource(OPTICAL, Recipe(("2020-02", "2020-03"), ("red",)), scenes, CHIP_PX, files, readers)

    def work() -> None:
        sweep_leftovers(study)  # as every run begins
        finish(harvest([source], _chip_ids(), study, workers=1))

    return run_child(work, folder / "notes", around)


def _chip_ids() -> list[str]:
    """Chips along the scenes' diagonal, so that each needs other parts of the files."""
    grid = Grid(32629, CHIP_PX * 10.0)
    first = grid.chip_at(CORNER[0], CORNER[1] - 1)
    return [grid.chip(first.row + 2 * number, first.col + 2 * number).id for number in range(N_CHIPS)]


@functools.cache
def _whole(readers: int) -> Whole:
    with tempfile.TemporaryDirectory(prefix="faults-") as name, FaultServer(_files(), _slowly) as server:
        folder = Path(name)
        ended = _run(folder, server, readers, Surroundings())
        if ended.code != 0:
            raise RuntimeError(f"the harvest to be killed does not run: {ended.error[-500:]}")
        puts = sum(1 for path in (folder / "study" / "ingest.fetched").rglob("*") if path.is_file())
        return Whole(store_digest(folder / "study"), ended.seconds, puts)


@functools.cache
def _files() -> Mapping[str, bytes]:
    """A band of 4 parts and a mask of 2 for each scene, by path."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for number, name in enumerate(SCENES):
            rng = np.random.default_rng(number)
            red = rng.integers(1, 9000, (SCENE_PX, SCENE_PX)).astype(np.uint16)
            classes = np.where(rng.random(red.shape) < 0.8, CLEAR, 9).astype(np.uint8)
            for key, pixels in (("red", red), ("scl", classes)):
                path = Path(folder) / f"{name}-{key}.tif"
                write_tif(path, pixels, *CORNER, tiled=True, blockxsize=64, blockysize=64)
                found[f"/{path.name}"] = path.read_bytes()
    return found


def _slowly(number: int) -> str:
    time.sleep(LATENCY_S)
    return ""


def _fetched_twice(runs: Sequence[Sequence[Seen]]) -> str:
    """A part that was asked for though an earlier answer had come; of a killed run the last request of each line was under way."""
    done: set[tuple[str, int]] = set()
    for number, run in enumerate(runs):
        last = {seen.port: seen for seen in run} if number < len(runs) - 1 else {}
        for seen in run:
            parts = set(_parts(seen))
            if again := done & parts:
                return f"{sorted(again)[0]} in run {number}"
            if last.get(seen.port) is not seen:
                done |= parts
    return ""


def _parts(seen: Seen) -> Iterator[tuple[str, int]]:
    first, end = seen.headers["Range"].removeprefix("bytes=").split("-")
    yield from ((seen.path, number) for number in range(int(first) // BLOCK_BYTES, int(end) // BLOCK_BYTES + 1))
