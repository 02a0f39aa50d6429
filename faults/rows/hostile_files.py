"""Files made to harm: pickles under every name, paths and links that lead outside, forged offsets, rows and numbers."""

import functools
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from faults.attack import Attack, canary_of
from faults.child import Ended, Surroundings, command_line, run_child
from faults.forge import limit_memory
from faults.hostile_paths import links, paths
from faults.hostile_pickles import pickles
from faults.hostile_tables import lies
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.rows.fuzz import TARGETS, batches
from faults.studies import OUR_OWN

MUTANTS = 5000
BENIGN = ("numba", "numpy", "copyreg", "builtins")
"""Modules that numba's own cache of compiled code names as it is read."""
FAMILIES = (pickles, links, paths, lies)


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for family in FAMILIES:
        # Their names alone: what a case needs of its own folder is made once it runs.
        for attack in family(Path("nowhere")):
            yield Case(attack.name, functools.partial(_run, family=family, name=attack.name))
    if soak:
        own = [
            target for target in TARGETS if target.name in ("ledger", "shard", "model", "training state", "manifest")
        ]
        yield from batches(own, MUTANTS // len(own), seed + 1)


def _run(folder: Path, family: Callable[[Path], Iterator[Attack]], name: str) -> Verdict:
    attack = next(found for found in family(folder) if found.name == name)
    arguments = attack.ask(folder)
    before = _files(folder)
    ended = run_child(
        command_line(*arguments), folder.with_name(f"{folder.name}-notes"), Surroundings(before=limit_memory)
    )
    return _judge(attack, folder, ended, before)


def _judge(attack: Attack, folder: Path, ended: Ended, before: dict[str, str]) -> Verdict:
    if canary_of(folder).exists():
        return silent("what the file holds was run")
    forbidden = [line for line in ended.forbidden if ended.code != 0 or not any(name in line for name in BENIGN)]
    if forbidden:
        return silent(f"audit: {forbidden[0]}")
    if ended.code == 0:
        difference = "taken as it is" if attack.difference is None else attack.difference(folder)
        return silent(difference) if difference else exact()
    if not ended.is_clean_refusal or attack.named not in ended.last_line:
        return crashed(f"ended with {ended.code}: {ended.last_line or ended.error[-300:]}")
    now = _files(folder)
    changed = [name for name, digest in before.items() if now.get(name) != digest]
    return silent(f"refused, but changed {changed[:3]}") if changed else refused()


def _files(folder: Path) -> dict[str, str]:
    """SHA-256 of every plain file; the ledger and its like excepted, which a writer marks as open."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(OUR_OWN)
    }


ROW = Row("hostile_files", "file made to harm: pickles, paths, links, forged offsets and rows", cases)
