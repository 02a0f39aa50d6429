"""The chip store driven by a state machine beside a plain dictionary: add, fail and mend, damage, repair, crash, resume, reopen."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from faults.outcome import Case, Row, Verdict, exact, silent
from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.errors import InputError
from terrashot.ingest.harvest import harvest
from terrashot.steps.progress import finish
from terrashot.store import layout
from terrashot.store.chips import open_chip_store
from terrashot.store.layout import shard_path
from terrashot.store.repair import mark_damage, verify_store

STEPS = 30
RUNS, RUNS_SOAK = 25, 5000
SIDE_PX = 4


@dataclass
class World:
    """A source whose chips may be absent, half empty or unreadable; counts how often each was asked for."""

    lost: set[str] = field(default_factory=set)
    """Not acquired."""
    broken: set[str] = field(default_factory=set)
    """Unreadable until mended."""
    asked: list[str] = field(default_factory=list)
    modality: str = "s2rgbm"
    side_px: int = SIDE_PX
    max_channels: int = 2
    unit: str | None = None
    channels: tuple[Channel, ...] | None = (Channel("a", "a"), Channel("b", "b"))
    differences: tuple[Difference, ...] = ()

    def read(self, chip_id: str) -> Imagery:
        self.asked.append(chip_id)
        if chip_id in self.broken:
            raise InputError(f"{chip_id}.tif: cannot be read")
        assert self.channels is not None
        if chip_id in self.lost:
            return Imagery(
                (), np.empty((0, SIDE_PX, SIDE_PX), np.float32), (), (Absence(None, "missing", "not acquired"),)
            )
        return Imagery(
            self.channels[:1], pixels_of(chip_id)[None], (), (Absence(self.channels[1], "missing", "no date"),)
        )


def pixels_of(chip_id: str) -> np.ndarray:
    """What a chip shows: numbers of its own, with a gap."""
    pixels = np.random.default_rng(int(chip_id[1:])).random((SIDE_PX, SIDE_PX), dtype=np.float32)
    pixels[0, 0] = np.nan
    return pixels


class StoreMachine(RuleBasedStateMachine):
    """After every rule the store holds exactly what the dictionary holds."""

    def __init__(self) -> None:
        super().__init__()
        self.home = tempfile.TemporaryDirectory(prefix="faults-")
        self.folder = Path(self.home.name)
        self.world = World()
        self.wanted: dict[str, np.ndarray | None] = {}
        """By chip; None where it is absent for good or could not be read."""

    def teardown(self) -> None:
        self.home.cleanup()

    @rule(
        numbers=st.sets(st.integers(0, 30), min_size=1, max_size=6), fate=st.sampled_from(["there", "lost", "broken"])
    )
    def add(self, numbers: set[int], fate: str) -> None:
        new = {f"c{number}" for number in numbers} - set(self.wanted)
        if fate != "there":
            getattr(self.world, fate).update(new)
        before = len(self.world.asked)
        self.harvest({*self.wanted, *new})
        # Those that could not be read are tried again; nothing else is.
        assert set(self.world.asked[before:]) == new | (self.world.broken & {*self.wanted, *new})
        assert len(self.world.asked[before:]) == len(set(self.world.asked[before:]))
        self.wanted |= {chip_id: pixels_of(chip_id) if fate == "there" else None for chip_id in new}

    @precondition(lambda self: self.wanted)
    @rule()
    def mend(self) -> None:
        mended = self.world.broken & set(self.wanted)
        self.world.broken.clear()
        self.harvest(set(self.wanted))
        self.wanted |= {chip_id: pixels_of(chip_id) for chip_id in mended}

    @precondition(lambda self: self.wanted)
    @rule(share=st.floats(0, 0.999), bit=st.integers(0, 7), pick=st.integers(0, 100))
    def damage_and_repair(self, share: float, bit: int, pick: int) -> None:
        named = open_chip_store(self.folder).digest()
        shards = [shard_path(self.folder, "s2rgbm", int(key.split("/")[1])) for key in sorted(named)]
        path = shards[pick % len(shards)]
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= 1 << bit
        path.write_bytes(content)
        (found,) = [damage for damage in verify_store(self.folder) if damage is not None]
        mark_damage(self.folder, found)
        before = len(self.world.asked)
        self.harvest(set(self.wanted))
        assert set(self.world.asked[before:]) <= set(found.chips) | self.world.broken

    @precondition(lambda self: self.wanted)
    @rule(numbers=st.sets(st.integers(31, 60), min_size=5, max_size=12))
    def crash_and_resume(self, numbers: set[int]) -> None:
        new = {f"c{number}" for number in numbers} - set(self.wanted)
        work = harvest([self.world], sorted({*self.wanted, *new}, key=order), self.folder, workers=1)
        with suppress(StopIteration):
            next(work)  # one shard is named in the ledger
        work.close()
        (self.folder / layout.ZARR / "s2rgbm" / "c" / ".0.99.part").write_bytes(b"half")
        shard_path(self.folder, "s2rgbm", 10**6).parent.mkdir(parents=True, exist_ok=True)
        shard_path(self.folder, "s2rgbm", 10**6).write_bytes(b"a shard that no ledger names")
        self.harvest({*self.wanted, *new})
        self.wanted |= {chip_id: pixels_of(chip_id) for chip_id in new}

    @invariant()
    def the_store_holds_what_the_dictionary_holds(self) -> None:
        if not self.wanted:
            return
        with closing(open_chip_store(self.folder)) as store:
            assert set(store.chip_ids) == set(self.wanted)
            for chip_id, pixels in self.wanted.items():
                names = [stored.channel.name for stored in store.channels(chip_id, "s2rgbm")]
                assert names == ([] if pixels is None else ["a"]), (chip_id, names)
                found = store.read("s2rgbm", [(chip_id, 0), (chip_id, 1)])
                np.testing.assert_array_equal(found[0], np.nan if pixels is None else pixels)
                assert np.isnan(found[1]).all()
        assert not any(verify_store(self.folder))

    def harvest(self, ids: set[str]) -> None:
        finish(harvest([self.world], sorted(ids, key=order), self.folder, workers=1))


def order(chip_id: str) -> int:
    """Chips by number."""
    return int(chip_id[1:])


def cases(soak: bool, number: int) -> Iterator[Case]:
    runs = RUNS_SOAK if soak else RUNS
    yield Case(f"{runs} walks of {STEPS} steps", lambda folder: _walk(runs, number))


def _walk(runs: int, number: int) -> Verdict:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    chosen = settings(
        max_examples=runs, stateful_step_count=STEPS, deadline=None, database=None, suppress_health_check=checks
    )
    try:
        run_state_machine_as_test(seed(number)(StoreMachine), settings=chosen)
    except Exception as error:
        return silent(f"{type(error).__name__}: {error}")
    return Verdict(exact().outcome, times=runs)


ROW = Row("store_machine", "chip store against a dictionary, walks of 30 steps", cases)
