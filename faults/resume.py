"""After a kill: the run is started again and must end where an uninterrupted one does, doing nothing twice."""

import json
from pathlib import Path

from faults.child import Ended, Surroundings, command_line, run_child
from faults.outcome import Verdict, crashed, exact, silent
from faults.studies import STEPS, contents, copy_of, differences, finished, ready_for
from terrashot.durable.ledger import Ledger
from terrashot.store.layout import LEDGER

SCRATCH = ("model.state", "embed.parts")
KILLED = (137, -9)
WORKER_KILLED = 5


def attack_and_resume(folder: Path, step: str, around: Surroundings, workers: int = 1) -> Verdict:
    """How a step ends that was killed in these surroundings and then run again."""
    study = copy_of(ready_for(step, workers), folder / "study")
    killed = run_child(command_line("run", study, "--only", step), folder / "notes", around)
    if killed.code not in (0, *KILLED) and not (workers > 1 and killed.code == WORKER_KILLED):
        return crashed(f"killed, it ended with {killed.code}: {killed.last_line}")
    done = things_done(study)
    resumed = run_child(command_line("run", study, "--only", step), folder / "notes-2")
    return judge(study, resumed, done, wanted_after(step, workers))


def things_done(study: Path) -> set[str]:
    """Files of a study folder that are finished, so that no later run of the same may write them again."""
    card = study / "model.state" / "state.json"
    # The card commits a state: tensors that it does not name yet are written again.
    files = json.loads(card.read_bytes())["files"] if card.is_file() else {}
    found = {str(card.parent / file["name"]) for file in files.values()}
    found |= {str(path) for name in SCRATCH[1:] for path in (study / name).glob("*") if path.name != "made-from"}
    if (study / LEDGER).is_file() and (study / "chips.zarr").is_dir():
        shards = [key.split("/") for key, _ in Ledger(study / LEDGER).all("shard")]
        found |= {str(study / "chips.zarr" / modality / "c" / number / "0" / "0" / "0") for modality, number in shards}
    return {path for path in found if not path.endswith(".part")}


def judge(study: Path, resumed: Ended, done: set[str], wanted: dict[str, str]) -> Verdict:
    """Whether a resumed run ended where it should."""
    if resumed.code != 0:
        return crashed(f"resumed, it ended with {resumed.code}: {resumed.last_line}")
    if different := differences(contents(study), wanted):
        return silent(f"after the resume these differ: {different}")
    if twice := done & set(resumed.renamed):
        return silent(f"done twice: {sorted(twice)[0]}")
    left = [path.name for path in study.rglob("*") if path.name.endswith(".part") or path.name in SCRATCH]
    return silent(f"left behind: {left[0]}") if left else exact()


_wanted: dict[tuple[str, int], dict[str, str]] = {}


def wanted_after(step: str, workers: int = 1) -> dict[str, str]:
    """Contents of a study folder after this step, uninterrupted."""
    if (step, workers) not in _wanted:
        after = STEPS.index(step) + 1
        study = finished(workers) if after == len(STEPS) else ready_for(STEPS[after], workers)
        _wanted[step, workers] = contents(study)
    return _wanted[step, workers]
