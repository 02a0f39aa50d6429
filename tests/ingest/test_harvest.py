"""A harvest tries every chip, does nothing twice, and says what was missing without repeating itself."""

from dataclasses import dataclass, field
from threading import Barrier, BrokenBarrierError

import numpy as np
import pytest

from terrashot.domain.modality import Channel, Difference, Imagery
from terrashot.domain.tables import count_absences
from terrashot.errors import InputError, MissingImageryError, NetworkError
from terrashot.ingest.harvest import Harvested, harvest
from terrashot.store.chips import open_chip_store
from terrashot.store.layout import shard_path
from terrashot.store.repair import mark_damage, verify_store

ONE = (Channel("red", "red", "reflectance"),)


@dataclass(frozen=True)
class SpelledOut:
    """Pixels that spell out their chip, so that a mix-up shows; `asked` remembers each request."""

    bad: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)
    modality: str = "s2rgbm"
    side_px: int = 4
    max_channels: int = 1
    unit: str = "reflectance"
    channels: tuple[Channel, ...] = ONE
    differences: tuple[Difference, ...] = ()

    def read(self, chip_id: str) -> Imagery:
        self.asked.append(chip_id)
        if chip_id in self.bad:
            raise InputError(f"{chip_id}.tif: cannot be read")
        if chip_id == "c5":
            raise MissingImageryError("chip c5: s2rgbm: no acquisition")
        return Imagery(ONE, np.full((1, 4, 4), int(chip_id[1:]) / 100, np.float32))


def run(source, ids, folder, workers=1) -> Harvested:
    work = harvest([source], ids, folder, workers=workers)
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


IDS = tuple(f"c{i}" for i in range(100))


def test_every_chip_holds_its_own_pixels_whatever_the_number_of_workers(tmp_path):
    for workers in (1, 2):
        run(SpelledOut(), IDS, tmp_path / str(workers), workers)
        store = open_chip_store(tmp_path / str(workers))
        found = store.read("s2rgbm", [(chip, 0) for chip in IDS if chip != "c5"])
        wanted = np.array([int(chip[1:]) / 100 for chip in IDS if chip != "c5"])
        np.testing.assert_allclose(found[:, 0, 0], wanted, atol=1e-4)
    assert open_chip_store(tmp_path / "1").digest() == open_chip_store(tmp_path / "2").digest()


def test_the_sources_of_a_chip_are_asked_in_turn_before_the_next_chip_is(tmp_path):
    asked: list[str] = []
    sources = [SpelledOut(asked=asked, modality=modality) for modality in ("s2rgbm", "s1grdm")]
    assert len(list(harvest(sources, IDS, tmp_path, workers=1))) == 4, "two shards of each modality"
    assert asked == [chip for chip in IDS for _ in sources]
    store = open_chip_store(tmp_path)
    for modality in ("s2rgbm", "s1grdm"):
        assert store.read(modality, [("c80", 0)])[0, 0, 0] == pytest.approx(0.8, abs=1e-4)


def test_a_second_harvest_reads_nothing_and_new_chips_alone_are_read(tmp_path):
    run(SpelledOut(), IDS[:70], tmp_path)
    again = SpelledOut()
    run(again, IDS[:70], tmp_path)
    assert again.asked == []
    run(again, IDS, tmp_path)
    assert again.asked == list(IDS[70:])


def test_a_bad_chip_is_named_the_others_are_there_and_it_alone_is_tried_again(tmp_path):
    harvested = run(SpelledOut(frozenset({"c7"})), IDS, tmp_path / "mended")
    assert harvested.failed == {"c7": "c7.tif: cannot be read"}
    assert len(open_chip_store(tmp_path / "mended").channels("c8", "s2rgbm")) == 1
    mended = SpelledOut()
    assert run(mended, IDS, tmp_path / "mended").failed == {}
    assert mended.asked == ["c7"]
    run(SpelledOut(), IDS, tmp_path / "whole")
    assert open_chip_store(tmp_path / "mended").digest() == open_chip_store(tmp_path / "whole").digest()


@pytest.mark.parametrize("lost", ["a byte", "the shard"])
def test_what_is_damaged_is_marked_and_its_chips_alone_are_read_again(tmp_path, lost):
    run(SpelledOut(), IDS, tmp_path)
    path, digest = shard_path(tmp_path, "s2rgbm", 0), open_chip_store(tmp_path).digest()
    content = path.read_bytes()
    path.write_bytes(content[:3] + bytes([content[3] ^ 1]) + content[4:]) if lost == "a byte" else path.unlink()
    (damage,) = [damage for damage in verify_store(tmp_path) if damage]
    mark_damage(tmp_path, damage)
    source = SpelledOut()
    run(source, IDS, tmp_path)
    assert source.asked == (["c0"] if lost == "a byte" else [f"c{i}" for i in range(64) if i != 5])
    assert open_chip_store(tmp_path).digest() == digest
    assert not any(verify_store(tmp_path))


def test_reasons_that_are_alike_are_counted_together(tmp_path):
    run(SpelledOut(), IDS, tmp_path)
    assert count_absences(open_chip_store(tmp_path).presence()) == [("s2rgbm", "missing", "no acquisition", 1)]


@dataclass(frozen=True)
class Threaded(SpelledOut):
    """Says that threads of its own read."""

    is_begun_ahead: bool = True


@dataclass(frozen=True)
class Unplugged(Threaded):
    """From chip 20 on, the network gives nothing."""

    def read(self, chip_id: str) -> Imagery:
        if int(chip_id[1:]) >= 20:
            raise NetworkError("example.org: no answer")
        return super().read(chip_id)


@pytest.mark.parametrize("modalities", [("s2rgbm",), ("s2rgbm", "s1grdm")])
def test_work_that_ends_amid_a_shard_leaves_nothing_of_it_and_the_next_harvest_is_exact(tmp_path, modalities):
    with pytest.raises(NetworkError):
        list(harvest([Unplugged(modality=name) for name in modalities], IDS, tmp_path / "ended", workers=1))
    for name in modalities:
        left = list(shard_path(tmp_path / "ended", name, 0).parent.iterdir())
        assert not left, "neither the shard nor a part of it"
    for folder in ("ended", "whole"):
        list(harvest([SpelledOut(modality=name) for name in modalities], IDS, tmp_path / folder, workers=1))
    assert open_chip_store(tmp_path / "ended").digest() == open_chip_store(tmp_path / "whole").digest()


@dataclass(frozen=True)
class Meeting(Threaded):
    """Reads no chip before the other modality is asked for too."""

    together: Barrier = field(default_factory=lambda: Barrier(2))
    patience_s: float = 5

    def read(self, chip_id: str) -> Imagery:
        self.together.wait(self.patience_s)
        return super().read(chip_id)


def test_the_next_modality_is_begun_while_one_is_read_where_sources_have_threads_and_the_store_is_the_same(tmp_path):
    together, modalities = Barrier(2), ("s2rgbm", "s1grdm")
    ahead = [Meeting(modality=modality, together=together) for modality in modalities]
    assert len(list(harvest(ahead, IDS[:8], tmp_path / "ahead", workers=1))) == 2
    list(harvest([SpelledOut(modality=modality) for modality in modalities], IDS[:8], tmp_path / "in turn", workers=1))
    assert open_chip_store(tmp_path / "ahead").digest() == open_chip_store(tmp_path / "in turn").digest()


def test_two_chips_of_one_source_are_never_read_at_once(tmp_path):
    together = Barrier(2)
    with pytest.raises(BrokenBarrierError):
        run(Meeting(together=together, patience_s=0.05), IDS[:4], tmp_path)
