"""Scenes cut short or with a flipped bit: files, items and our own list of them. Refused by name, or read as they were."""

import functools
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faults import damage as d
from faults.child import Surroundings, command_line, run_child
from faults.forge import limit_memory
from faults.limited import within
from faults.outcome import Case, Outcome, Row, Verdict, crashed, exact, refused, silent
from faults.scenes import OPTICAL, scene_file
from terrashot.errors import TerrashotError
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.near_files import NearFiles
from terrashot.ingest.scene_source import Recipe, SceneSource
from terrashot.steps.find_scenes import find_scenes
from terrashot.steps.progress import finish
from terrashot.steps.run import make_context
from terrashot.steps.sources import imagery_sources
from terrashot.store.chips import open_chip_store
from terrashot.store.study import find_study

QUICK, SOAK = {"cut": 100, "flipped": 200}, {"cut": 10_000, "flipped": 50_000}
"""Of each target."""
A_BATCH = 1000
AT = "at"
"""File in which a child notes to which damage it has come, for the case that it dies."""
OTHER = "other"
WELL = (Outcome.REFUSED.value, Outcome.EXACT.value, Outcome.UNDETECTABLE.value)
SECONDS, MORE_BYTES = 2.0, 500_000_000
Look = Callable[[bytes], d.Seen]
"""What a damaged content gives; raises what our readers do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file to be damaged, and how it is looked at."""

    name: str
    content: Callable[[Path], bytes]
    """Whole, of the study in the folder."""
    look: Callable[[Path], Look]
    named: tuple[str, ...]
    """What a refusal must name, one of these."""
    is_sure: Callable[[bytes, bytes, int | None], bool]
    """Given the whole, the damaged content and the place of a flip: whether its form has what tells the damage."""
    quick_share: float = 1.0
    """Of the damages of the quick table."""


def _item_names(whole: bytes, damaged: bytes, bit: int | None) -> bool:
    """JSON has no checksum: whether it says the same all the same, or is none."""
    try:
        return bool(json.loads(damaged) == json.loads(whole))
    except ValueError:
        return True


def _in_a_block(whole: bytes, damaged: bytes, bit: int | None) -> bool:
    """Blocks end with a checksum; what lies around them, the header with the place of the pixels too, has none."""
    return bit is None or any(bit // 8 in block for block in d.packed_blocks(whole))


def _near(study: Path, name: str) -> Look:
    source = _source(study, NearFiles(study))

    def look(content: bytes) -> d.Seen:
        _put(study / name, content)
        return d.seen(source.read(d.CHIP.id))

    return look


def _far(study: Path, name: str) -> Look:
    source = _source(study, NearFiles(study))

    def look(content: bytes) -> d.Seen:
        return d.seen(replace(source, open_plane=d.InMemoryFiles({**d.files(), name: content})).read(d.CHIP.id))

    return look


def _source(study: Path, opener: NearFiles) -> SceneSource:
    scenes = scene_file(study / "scenes.json", d.items(), dict.fromkeys(d.NAMES, Offset(0, True, "made so")))
    return SceneSource(OPTICAL, Recipe(d.MONTHS, ("red",)), scenes, d.CHIP_PX, opener)


def _of_study(study: Path, name: str) -> Look:
    """Through the steps of a study: what it finds of its scenes, then a chip."""
    context = make_context(find_study(study))

    def look(content: bytes) -> d.Seen:
        if name == "items.json":
            context.study.scenes.joinpath("s2rgbm.json").unlink(missing_ok=True)
        _put(study / name, content)
        finish(find_scenes(context, d.chips()))
        (source,) = imagery_sources(context)
        return d.seen(source.read(d.CHIP.id))

    return look


def _put(path: Path, content: bytes) -> None:
    """The file anew: some file systems flush one that is cut to nothing and written again, and wait for the disk."""
    path.unlink()
    path.write_bytes(content)


def _listed(study: Path) -> bytes:
    """The file of scenes that a study of ours leaves."""
    finish(find_scenes(make_context(find_study(study)), d.chips()))
    return (study / "scenes" / "s2rgbm.json").read_bytes()


BAND, MASK, ITEMS, LISTED = "damaged-red.tif", "damaged-scl.tif", "items.json", "scenes/s2rgbm.json"
TARGETS = (
    Target("band near", lambda _: d.files()[BAND], lambda s: _near(s, BAND), (BAND,), _in_a_block),
    Target("band far away", lambda _: d.files()[BAND], lambda s: _far(s, BAND), (BAND,), _in_a_block, 0.5),
    Target("mask near", lambda _: d.files()[MASK], lambda s: _near(s, MASK), (MASK,), _in_a_block, 0.5),
    Target("items", lambda s: (s / ITEMS).read_bytes(), lambda s: _of_study(s, ITEMS), (ITEMS, "item ", ".tif"), _item_names),
    Target("our list of scenes", _listed, lambda s: _of_study(s, LISTED), (LISTED,), lambda *_: True),
)  # fmt: skip


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for target in TARGETS:
        for what in QUICK:
            n_damages = SOAK[what] if soak else int(QUICK[what] * target.quick_share)
            for first in range(0, n_damages, A_BATCH):
                span = range(first, min(first + A_BATCH, n_damages))
                tally = functools.cache(functools.partial(_tally, target, what, span, seed))
                for outcome in WELL:
                    name = f"{target.name}, {what}, {span.start} to {span.stop}: {outcome}"
                    yield Case(name, functools.partial(_verdict, tally=tally, outcome=Outcome(outcome)))
    for name, (share, code) in {"none may fail": (0.0, 3), "any may fail": (1.0, 0)}.items():
        yield Case(f"a run over a band cut short: {name}", functools.partial(_whole_run, share=share, code=code))


def _verdict(folder: Path, tally: Callable[[], dict[str, object]], outcome: Outcome) -> Verdict:
    found = tally()
    if found["bad"]:
        # Told once: by the case of those that were refused.
        worst = crashed if "crashed" in str(found["bad"]) else silent
        return worst(str(found["bad"])) if outcome is Outcome.REFUSED else Verdict(Outcome.EXACT, times=0)
    return Verdict(outcome, times=int(str(found[outcome.value])))


def _tally(target: Target, what: str, span: range, seed: int) -> dict[str, object]:
    """How many ended in each way, and what went wrong with the others."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        work = functools.partial(_run, target, what, span, seed, folder)
        ended = run_child(work, folder / "notes", Surroundings(before=functools.partial(limit_memory, MORE_BYTES)))
        if ended.code != 0 or ended.forbidden:
            at = (folder / AT).read_text().split()[-1:] if (folder / AT).is_file() else "none"
            return {"bad": f"number {at} crashed: {ended.code} {ended.forbidden[:1]} {ended.error[-300:]}"}
        found: dict[str, object] = json.loads(ended.out.splitlines()[-1])
        return found


def _run(target: Target, what: str, span: range, seed: int, folder: Path) -> None:
    study = d.make_study(folder / "study")
    whole, look = target.content(study), target.look(study)
    clean, counts, bad = look(whole), Counter[str](), []
    at = (folder / AT).open("w")
    for number in span:
        at.write(f"{number} ")
        at.flush()
        rng = np.random.default_rng([seed, *target.name.encode(), *what.encode(), number])
        bit = int(rng.integers(0, 8 * len(whole))) if what == "flipped" else None
        damaged = whole[: int(rng.integers(0, len(whole)))] if bit is None else _flipped(whole, bit)
        outcome = _outcome(look, damaged, clean, target.named)
        if outcome == OTHER and not target.is_sure(whole, damaged, bit):
            outcome = Outcome.UNDETECTABLE.value
        counts[outcome] += 1
        bad += [] if outcome in WELL else [f"number {number}: {outcome}"]
    print(
        json.dumps(
            {**{name: counts[name] for name in WELL}, "bad": f"{len(bad)} bad; {'; '.join(bad[:3])}" if bad else ""}
        )
    )


def _outcome(look: Look, damaged: bytes, clean: d.Seen, named: tuple[str, ...]) -> str:
    try:
        with within(SECONDS):
            return d.came_to(look(damaged), clean, named)
    except TerrashotError as error:
        return "refused" if any(name in str(error) for name in named) else f"crashed: names nothing: {error}"
    except BaseException as error:
        return f"crashed: {type(error).__name__}: {str(error)[:200]}"


def _flipped(content: bytes, bit: int) -> bytes:
    return content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]


def _whole_run(folder: Path, share: float, code: int) -> Verdict:
    """The step itself: the month fails and is named, the others are there, and how it ends is as the study says."""
    study = d.make_study(folder / "study", share=share)
    (study / BAND).write_bytes(d.files()[BAND][:-100])
    chips = run_child(command_line("run", study, "--only", "chips"), folder / "notes-1")
    ended = run_child(command_line("run", study, "--only", "ingest"), folder / "notes-2")
    if (chips.code, ended.code) != (0, code):
        return crashed(f"{chips.code} {chips.last_line}; {ended.code} {ended.last_line}")
    told = open_chip_store(study).presence()
    own = told.chip_id == d.CHIP.id
    rows = dict(zip(told.channel[own], zip(told.status[own], told.reason[own], strict=True), strict=True))
    if rows["2020-03_red"][0] != "ok" or rows["2020-02_red"][0] != "failed" or BAND not in rows["2020-02_red"][1]:
        return silent(str(rows))
    return (
        exact()
        if code == 0
        else refused()
        if ended.is_clean_refusal and BAND in ended.last_line
        else crashed(ended.last_line)
    )


ROW = Row("damaged_scenes", "scene cut short or with a flipped bit: its files, its item, our list of it", cases)
