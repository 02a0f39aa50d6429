"""One flipped bit in a file of ours: found by `verify`, never used, and after `verify --repair` only that part is redone."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faults.child import command_line, run_child
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.studies import contents, copy_of, differences, finished
from terrashot.errors import IntegrityError, TerrashotError

QUICK, SOAK = 150, 10_000
LIKE_OTHERS = ("presence.parquet", "labels.parquet", "block_scores.parquet", "timings.parquet", "leakage.parquet",
               "transfer.parquet", "curves.parquet", "missing.parquet", "embeddings.zarr/zarr.json",
               "embeddings.parquet.sha256", "model/model.json", "report.html")  # fmt: skip
"""Whose repair goes the way of another file's; quick leaves them to tests/steps/test_repair.py."""
CYCLES, CYCLES_SOAK = 1, 20


@dataclass(frozen=True, slots=True)
class Target:
    """A file to be damaged, and how it is checked, used and made again."""

    path: str
    verify: str
    """What `terrashot verify` is given; the study's folder is empty."""
    use: Callable[[Path], object]
    """Reads it as a step would, given the study's folder."""
    redone: tuple[str, ...]
    """Beginnings of the paths that a run after the repair may write; others must stay as they are."""


def _table(study: Path, name: str) -> str:
    from terrashot.store.parquet import read_table

    return hashlib.sha256(str(read_table(study / name).to_pylist()).encode()).hexdigest()


def _answers(study: Path) -> str:
    from terrashot.store.answers import read_answers

    return str(read_answers(study / "answers.json"))


def _pixels(study: Path) -> str:
    from terrashot.store.chips import open_chip_store

    store = open_chip_store(study)
    presence = store.presence()
    picks = [(chip_id, stored.slot) for chip_id in store.chip_ids for stored in store.channels(chip_id, "s1grdm")]
    return hashlib.sha256(store.read("s1grdm", picks).tobytes() + str(presence.status.tolist()).encode()).hexdigest()


def _model(study: Path) -> str:
    from terrashot.model.checkpoint import load_model

    return load_model(study / "model").digest


def _lines(study: Path) -> str:
    from terrashot.store import manifest

    return str(manifest.read(study / "manifest.jsonl"))


SHARD = "chips.zarr/s1grdm/c/1/0/0/0"
TABLES = ("chips.parquet", "presence.parquet", "labels.parquet", "embeddings.parquet", "floors.parquet", "results.parquet",
          "block_scores.parquet", "timings.parquet", "leakage.parquet", "transfer.parquet", "curves.parquet",
          "missing.parquet")  # fmt: skip
OF_FITS = (
    "results",
    "block_scores",
    "timings",
    "leakage",
    "transfer",
    "curves",
    "answers",
    "labels.suspects",
    "fewshot.fits",
)
OF_REPORT = ("projection", "report", "figures")
TARGETS = (
    Target(SHARD, "chips.zarr", _pixels, (SHARD, "chips.ledger", "presence")),
    Target("chips.zarr/s1grdm/zarr.json", "chips.zarr", _pixels, ("chips.zarr/s1grdm/zarr.json", "chips.ledger", "presence")),
    Target("chips.ledger.sqlite", "chips.zarr", _pixels, ("chips.ledger", "presence")),
    Target("manifest.jsonl", "", _lines, ()),
    *(
        Target(
            name, name, lambda study, name=name: _table(study, name),  # type: ignore[misc]
            OF_FITS if name.startswith(OF_FITS) else ("embeddings", "floors", "embed.parts") if name.startswith("floors")
            else ("embeddings", "embed.parts") if name.startswith("embeddings") else (name, "chips.ledger"),
        )
        for name in TABLES
    ),
    Target("answers.json", "answers.json", _answers, OF_FITS),
    *(
        Target(f"embeddings.zarr/{name}", "", lambda study: None, ("embeddings", "floors", "embed.parts"))
        for name in ("zarr.json", "s2rgbm/vectors/c/0/0")
    ),
    Target("embeddings.parquet.sha256", "embeddings.parquet", lambda study: _table(study, "embeddings.parquet"), ("embed", "floors")),
    Target("model/model.json", "model", _model, ("model", "metrics")),
    Target("model/weights.safetensors", "model", _model, ("model", "metrics")),
    Target("model/last.safetensors", "model", lambda study: None, ()),
    Target("metrics.jsonl", "", lambda study: None, ()),
    Target("metrics.backup.jsonl", "", lambda study: None, ()),
    Target("projection.parquet", "projection.parquet", lambda study: _table(study, "projection.parquet"), OF_REPORT),
    Target("report.html", "", lambda study: None, OF_REPORT),
    Target("figures/curves-forest.png", "", lambda study: None, OF_REPORT),
)  # fmt: skip


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for target in TARGETS:
        n_flips = SOAK if soak else QUICK
        yield Case(f"{n_flips} flips in {target.path}", lambda folder, t=target, n=n_flips: _flips(folder, t, n, seed))  # type: ignore[misc]
    for target in TARGETS if soak else [target for target in TARGETS if target.path not in LIKE_OTHERS]:
        for number in range(CYCLES_SOAK if soak else CYCLES):
            at = (seed, number)
            yield Case(f"repair of {target.path}, {number}", lambda folder, t=target, a=at: _cycle(folder, t, a))  # type: ignore[misc]


def _flips(folder: Path, target: Target, n_flips: int, seed: int) -> Verdict:
    study = _stripped(copy_of(finished(), folder / "study"), target)
    ended = run_child(lambda: print(json.dumps(_try_flips(study, target, n_flips, seed))), folder / "notes")
    if ended.code != 0:
        return crashed(f"{ended.code}: {ended.last_line}")
    missed = json.loads(ended.out.splitlines()[-1])
    return silent("; ".join(missed[:3])) if missed else refused(n_flips)


def _stripped(study: Path, target: Target) -> Path:
    """The study without what has nothing to do with the target, so that verifying it takes milliseconds."""
    if target.verify == "":
        # With a file go its digest and its copy.
        kept = {Path(target.path).parts[0].partition(".")[0], "manifest", "study"}
        for path in study.iterdir():
            if path.name.partition(".")[0] not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return study


def _try_flips(study: Path, target: Target, n_flips: int, seed: int) -> list[str]:
    """What went unnoticed."""
    path = study / target.path
    whole, right = path.read_bytes(), target.use(study)
    missed = []
    for bit in np.random.default_rng([seed, *target.path.encode()]).integers(0, 8 * len(whole), n_flips):
        path.write_bytes(_flipped(whole, int(bit)))
        if not _is_found(study / target.verify):
            missed.append(f"verify passed with bit {bit} flipped")
        if not _is_harmless(target, study, right):
            missed.append(f"wrong content was used with bit {bit} flipped")
    return missed


def _flipped(content: bytes, bit: int) -> bytes:
    return content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]


def _is_found(path: Path) -> bool:
    from terrashot.steps.progress import finish
    from terrashot.steps.verify import verify_path

    try:
        finish(verify_path(path, repair=False))
    except IntegrityError:
        return True
    return False


def _is_harmless(target: Target, study: Path, right: object) -> bool:
    try:
        return target.use(study) == right
    except TerrashotError:
        return True


def _cycle(folder: Path, target: Target, seed: tuple[int, int]) -> Verdict:
    """Damage, verify, repair, run: what was damaged is made again as it was, and nothing else is touched."""
    study = copy_of(finished(), folder / "study")
    path = study / target.path
    bit = int(np.random.default_rng([*seed, *target.path.encode()]).integers(0, 8 * path.stat().st_size))
    path.write_bytes(_flipped(path.read_bytes(), bit))
    told = run_child(command_line("verify", study), folder / "notes-1")
    # A folder whose digest is that of all its files is named as one.
    whole = Path(target.path).parts[0]
    named = whole if whole in ("model", "figures", "embeddings.zarr") else Path(target.path).name
    if told.code != IntegrityError.exit_code or named.removesuffix(".sha256") not in told.last_line:
        return silent(f"verify ended with {told.code}: {told.last_line}")
    mended = [run_child(command_line(*words, study), folder / words[0]) for words in (("verify", "--repair"), ("run",))]
    if any(ended.code != 0 for ended in mended):
        return crashed("; ".join(f"{ended.code} {ended.last_line}" for ended in mended))
    shutil.rmtree(study / "model" / "last.safetensors.damaged", ignore_errors=True)
    return _judge(study, target, mended[1].renamed)


def _judge(study: Path, target: Target, renamed: tuple[str, ...]) -> Verdict:
    found = {name: digest for name, digest in contents(study).items() if ".damaged" not in name}
    wanted = contents(finished())
    if target.path == "model/last.safetensors":
        wanted.pop(target.path)  # set aside, and not worth a training
    if different := differences(found, wanted):
        return silent(f"after the repair these differ: {different}")
    names = [str(Path(path).relative_to(study)) for path in renamed]
    also = [name for name in names if not name.startswith((*target.redone, "manifest"))]
    return silent(f"also redone: {also[:3]}") if also else exact()


ROW = Row("bit_flips", "flipped bit in a file of ours: found, then repaired", cases)
