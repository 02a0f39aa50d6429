"""Mutants of every file that we read, by the hundred in a child: refused by an error of ours, or read; nothing else."""

import functools
import json
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from faults import target_stores as s
from faults import targets as t
from faults.child import Surroundings, run_child
from faults.forge import limit_memory
from faults.limited import within
from faults.outcome import Case, Outcome, Row, Verdict, crashed
from faults.studies import finished
from faults.targets import Target
from terrashot.errors import TerrashotError

SECONDS = 1.0
"""Of this process, so that another one on the same core accuses no mutant."""
MORE_BYTES = 500_000_000
A_BATCH = 500
SOAK = 1_000_000
AT = "at"
"""File in which a child notes which mutant it is at, for the case that it dies."""


def _config(folder: Path) -> object:
    from terrashot.config import read_config

    return read_config(folder / "study.toml")


def _outline(folder: Path) -> object:
    from terrashot.areas.outline import read_outline

    return read_outline(folder / "o.geojson")


def _chips(folder: Path) -> object:
    from terrashot.ingest.folder import read_chip_table

    return read_chip_table(folder / "chips.csv")


def _labels(folder: Path) -> object:
    from terrashot.store.label_table import read_labels

    return read_labels(folder / "labels.csv")


def _channel_file(folder: Path) -> object:
    from terrashot.ingest.channel_file import read_channel_file

    return read_channel_file(folder / "s2rgbm.toml")


def _manifest(folder: Path) -> object:
    from terrashot.store import manifest

    return manifest.read(folder / "manifest.jsonl")


def _npy(folder: Path) -> object:
    from terrashot.store.vectors import read_embeddings

    return read_embeddings(folder / "e.npy")


TARGETS = (
    Target("outline", t.outline_mutant, _outline, 1500),
    Target("study.toml", functools.partial(t.text_mutant, name="study.toml", text=t.STUDY), _config, 1500),
    Target("chips.csv", functools.partial(t.text_mutant, name="chips.csv", text=t.CHIPS), _chips, 1500),
    Target("labels.csv", functools.partial(t.text_mutant, name="labels.csv", text=t.LABELS), _labels, 2000),
    Target("channel file", t.channel_file_mutant, _channel_file, 1500),
    Target("manifest", t.manifest_mutant, _manifest, 1500),
    Target("Parquet table", t.parquet_mutant, lambda folder: t.read_table(folder / "t.parquet"), 800),
    Target(".npy table", t.npy_mutant, _npy, 1000),
    Target("model", s.model_mutant, s.read_model, 150),
    Target("training state", s.state_mutant, s.read_state, 300, s.state_around),
    Target("ledger", s.ledger_mutant, s.read_store, 60, s.store_around),
    Target("shard", s.shard_mutant, s.read_shard, 500, s.shard_around),
    Target("image", t.image_mutant, t.read_image, 1500),
    Target("GeoTIFF from far away", t.far_tiff_mutant, t.read_far_tiff, 300),
)
BOMB_TARGETS = tuple(target for target in TARGETS if target.name in ("outline", "Parquet table", ".npy table", "image"))


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for target in TARGETS:
        yield from batches([target], SOAK // len(TARGETS) if soak else target.quick, seed)


def batches(targets: Sequence[Target], n_mutants: int, seed: int, *, more_bytes: int = MORE_BYTES) -> Iterator[Case]:
    """Cases of some hundred mutants each, until each target has had so many.

    Args:
        more_bytes: memory that a reader may take.
    """
    for target in targets:
        for first in range(0, n_mutants, A_BATCH):
            numbers = range(first, min(first + A_BATCH, n_mutants))
            tally = functools.cache(functools.partial(_tally, target, seed, numbers, more_bytes))
            name = f"mutants {numbers.start} to {numbers.stop} of {target.name}"
            yield Case(f"{name}, refused", functools.partial(_verdict, tally=tally, counted="refused"))
            yield Case(f"{name}, read", functools.partial(_verdict, tally=tally, counted="read"))


def _verdict(folder: Path, tally: Callable[[], dict[str, object]], counted: str) -> Verdict:
    found = tally()
    if found["bad"]:
        # Told once: by the case of those that were refused.
        return crashed(str(found["bad"])) if counted == "refused" else Verdict(Outcome.EXACT, times=0)
    return Verdict(Outcome.REFUSED if counted == "refused" else Outcome.EXACT, times=int(str(found[counted])))


def _tally(target: Target, seed: int, numbers: range, more_bytes: int = MORE_BYTES) -> dict[str, object]:
    """How many were refused and read, and what went wrong with the others."""
    finished()  # made here once, and not by each child
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        work = functools.partial(_run, target, seed, numbers, folder)
        ended = run_child(work, folder / "notes", Surroundings(before=functools.partial(limit_memory, more_bytes)))
        if ended.code != 0 or ended.forbidden:
            at = (folder / AT).read_text() if (folder / AT).is_file() else "none"
            return {"bad": f"mutant {at}: {ended.code} {ended.forbidden[:1]} {ended.error[-300:]}"}
        found: dict[str, object] = json.loads(ended.out.splitlines()[-1])
        return found


def _run(target: Target, seed: int, numbers: range, folder: Path) -> None:
    around = folder / "around"
    around.mkdir()
    target.prepare(around)
    counts, bad = {"refused": 0, "read": 0}, []
    for number in numbers:
        (folder / AT).write_text(str(number))
        rng = np.random.default_rng([seed, *target.name.encode(), number])
        target.make(rng, around)
        outcome = _outcome(target, around)
        if outcome in counts:
            counts[outcome] += 1
        else:
            bad.append(f"mutant {number}: {outcome}")
    print(json.dumps({**counts, "bad": f"{len(bad)} bad; {'; '.join(bad[:3])}" if bad else ""}))


def _outcome(target: Target, folder: Path) -> str:
    try:
        with within(SECONDS):
            target.read(folder)
    except TerrashotError as error:
        return "refused" if str(error) else "a refusal that says nothing"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "terrashot" in f.filename]
        at = ours[-1] if ours else where
        return f"{type(error).__name__}: {str(error)[:80]} in {Path(at.filename).name}:{at.lineno}"
    return "read"


ROW = Row("fuzz", "mutant of a file that we read: refused by an error of ours, or read", cases)
