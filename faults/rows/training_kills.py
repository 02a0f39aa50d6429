"""A training killed at a random moment, in one process and in two ranks; then resumed, or refused as another run."""

import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from faults.child import Ended, Surroundings, command_line, run_child
from faults.outcome import Case, Row, Verdict, crashed, refused, silent
from faults.ranks import in_two_ranks
from faults.resume import KILLED, WORKER_KILLED, judge, things_done
from faults.studies import contents, copy_of, ready_for
from terrashot.durable.files import CRASH_AT

KILLS = {"one process": (10, 200), "both ranks": (2, 25), "the first rank": (1, 13), "the second rank": (1, 12)}
"""Quick and soak."""
DIFFERENT = {
    "resumed by one process": (command_line, "number of processes"),
    "resumed with another learning rate": (in_two_ranks, "learning_rate: 0.001 then, 0.002 now"),
}


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for number, (who, numbers) in enumerate(KILLS.items()):
        rng = np.random.default_rng([seed, 4, number])
        n_kills = numbers[soak]
        for moment in (np.arange(n_kills) + rng.random(n_kills)) / n_kills:
            yield Case(f"{who} killed at {moment:.0%} of the training", functools.partial(_killed, who, float(moment)))
    for name, (launch, words) in DIFFERENT.items():
        yield Case(f"two ranks killed, then {name}", functools.partial(_resumed_as_another, name, launch, words))


def _killed(who: str, moment: float, folder: Path) -> Verdict:
    launch = command_line if who == "one process" else in_two_ranks
    study = copy_of(ready_for("pretrain"), folder / "study")
    ended = _kill(study, who, moment * _whole(launch)[1], folder / "notes")
    if ended.code not in (0, *KILLED, WORKER_KILLED) or "Traceback" in ended.error:
        return crashed(f"killed, it ended with {ended.code}: {ended.last_line}")
    done = things_done(study)
    resumed = run_child(launch("run", study, "--only", "pretrain"), folder / "notes-2")
    return judge(study, resumed, done, _whole(launch)[0])


def _kill(study: Path, who: str, after_s: float, notes: Path) -> Ended:
    arguments = ("run", study, "--only", "pretrain")
    if who == "one process":
        return run_child(command_line(*arguments), notes, Surroundings(kill_after_s=after_s))
    if who == "the second rank":
        return run_child(in_two_ranks(*arguments, second_ends_after_s=after_s), notes)
    around = Surroundings(kill_after_s=after_s, spare_workers=who == "the first rank")
    return run_child(in_two_ranks(*arguments), notes, around)


def _resumed_as_another(name: str, launch: Callable[..., Callable[[], object]], words: str, folder: Path) -> Verdict:
    study = copy_of(ready_for("pretrain"), folder / "study")
    state = study / "model.state" / "state.json"
    # Where the second epoch's state has replaced the first's: at no moment of the clock, which other work would shift.
    around = Surroundings(environment={CRASH_AT: "remove:1"})
    run_child(in_two_ranks("run", study, "--only", "pretrain"), folder / "notes", around)
    before = state.read_bytes()
    if "learning rate" in name:
        text = (study / "study.toml").read_text()
        (study / "study.toml").write_text(text.replace("[pretrain]\n", "[pretrain]\nlearning_rate = 2e-3\n"))
    ended = run_child(launch("run", study, "--only", "pretrain"), folder / "notes-2")
    if ended.code == 0 or state.read_bytes() != before:
        return silent("went on with the state of another run")
    is_said = ended.is_clean_refusal and words in ended.error
    return refused(1) if is_said else crashed(f"{ended.code}: {ended.last_line}")


@functools.cache
def _whole(launch: Callable[..., Callable[[], object]]) -> tuple[dict[str, str], float]:
    """What an uninterrupted training leaves, and the seconds that it takes."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        study = copy_of(ready_for("pretrain"), Path(folder) / "study")
        ended = run_child(launch("run", study, "--only", "pretrain"), Path(folder) / "notes")
        if ended.code != 0:
            raise RuntimeError(f"the training to be killed does not run: {ended.code} {ended.error[-500:]}")
        return contents(study), ended.seconds


ROW = Row("training_kills", "training killed at a random moment, one process and two ranks", cases)
