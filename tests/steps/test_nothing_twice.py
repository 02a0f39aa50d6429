"""What a change of the split or of an outline costs, counted: reads of the source, and images that the model embeds."""

import shutil
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from terrashot.ingest.source import ImagerySource
from terrashot.model.token_tower import TokenTower
from terrashot.model.vit import VisionTransformer
from terrashot.steps import embed_health, ingest
from terrashot.steps.progress import finish
from terrashot.steps.run import Wishes, run_study
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips
from terrashot.store.vectors import read_embeddings

# Of the floors, training chips choose and scale the features: they are made anew with a split, without the model.
STUDY = """
[study]
workers = 1
[source]
months = ["2020-01", "2020-02"]
[grid]
chip_px = 16
pixel_m = 40.0
[areas.north]
bbox = [9.40, 45.10, 9.46, 45.15]
[split]
scheme = "bands"
bands = 5
buffer_chips = 0
[pretrain]
preset = "tiny"
epochs = 1
batch_size = 16
[embed]
floors = false
"""
STEPS = ("chips", "ingest", "pretrain", "embed")


@dataclass(frozen=True)
class CountingSource:
    """A source that keeps the ids it was asked for, else what it stands before."""

    behind: ImagerySource
    asked: Counter = field(default_factory=Counter)

    def __getattr__(self, name):
        return getattr(self.behind, name)

    def read(self, chip_id):
        self.asked[chip_id] += 1
        return self.behind.read(chip_id)


@dataclass(frozen=True)
class Ran:
    """What one run of the steps did."""

    decisions: dict[str, bool]
    read: Counter
    """Times that each chip was asked of a source; each has three."""
    n_embedded: int
    """Images shown to the encoders of the model while `embed` made its table; the health card shows it 24 chips more, on purpose."""


def run(folder, monkeypatch, text, steps=STEPS):
    (folder / "study.toml").write_text(text)
    asked, plain = Counter(), ingest.imagery_sources
    with monkeypatch.context() as patch:
        patch.setattr(
            ingest, "imagery_sources", lambda context: tuple(CountingSource(s, asked) for s in plain(context))
        )
        decisions = finish(run_study(find_study(folder), Wishes(only=[s for s in steps if s != "embed"])))
    shown, probe = Counter(), embed_health.probe_embedding

    def count(module, inputs):
        if isinstance(module, (VisionTransformer, TokenTower)) and not shown["paused"]:
            shown["images"] += len(inputs[0])

    def uncounted(*args):
        shown["paused"] = 1
        found = probe(*args)
        shown["paused"] = 0
        return found

    hook = torch.nn.modules.module.register_module_forward_pre_hook(count)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(embed_health, "probe_embedding", uncounted)
            if "embed" in steps:
                decisions += finish(run_study(find_study(folder), Wishes(only=["embed"])))
    finally:
        hook.remove()
    return Ran({d.step: d.runs for d in decisions}, asked, shown["images"])


def images_of(folder, chip_ids):
    """Channels that went into the vectors of these chips: what the model was shown of them."""
    table = read_embeddings(folder / "embeddings.parquet")
    rows = [row for row, chip_id in enumerate(table.chips.ids) if chip_id in chip_ids]
    return sum(int(counts[rows].sum()) for counts in table.n_channels.values())


@pytest.fixture(scope="module")
def finished(made_once):
    def fill(folder):
        with pytest.MonkeyPatch.context() as patch:
            first = run(folder, patch, STUDY)
        ids = read_chips(folder / "chips.parquet").ids
        # The counters see what there is to see, when everything is new.
        assert first.read == dict.fromkeys(ids, 3)
        assert first.n_embedded == images_of(folder, ids) > len(ids)

    return made_once("study without floors", fill)


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("buffer_chips = 0", "buffer_chips = 1"),
        pytest.param("buffer_chips = 0", "buffer_m = 600.0", marks=pytest.mark.slow),
    ],
)
def test_a_split_that_tests_on_the_same_chips_reads_nothing_and_embeds_nothing(copy, monkeypatch, old, new):
    before, vectors = read_chips(copy / "chips.parquet"), read_embeddings(copy / "embeddings.parquet")
    ran = run(copy, monkeypatch, STUDY.replace(old, new))
    after = read_embeddings(copy / "embeddings.parquet")
    assert after.chips.split != before.split and after.model == vectors.model
    assert (ran.decisions["chips"], ran.decisions["pretrain"], ran.decisions["embed"]) == (True, False, True)
    assert (ran.read, ran.n_embedded) == (Counter(), 0)
    for name, block in vectors.blocks.items():
        # What stands in for an absent part is learnt from training chips, of which there are fewer now.
        whole = ~vectors.absent[name].any(axis=1) if name in vectors.absent else np.ones(len(block), dtype=bool)
        np.testing.assert_array_equal(after.blocks[name][whole], block[whole])


@pytest.mark.slow
def test_a_split_that_makes_the_model_stale_reads_nothing_and_embeds_each_image_once_with_the_new_one(
    copy, monkeypatch
):
    model = read_embeddings(copy / "embeddings.parquet").model
    ran = run(copy, monkeypatch, STUDY.replace('"bands"', '"random"'))
    assert ran.decisions["pretrain"] and read_embeddings(copy / "embeddings.parquet").model != model
    assert ran.read == Counter()
    assert ran.n_embedded == images_of(copy, read_chips(copy / "chips.parquet").ids)


@pytest.mark.parametrize("west", ["9.36", "9.38"])
def test_a_larger_outline_reads_and_embeds_its_new_chips_alone(copy, monkeypatch, west):
    # The outline's new side is an area of its own, so that bands lie where they lay and the model stays.
    old = set(read_chips(copy / "chips.parquet").ids)
    ran = run(
        copy, monkeypatch, STUDY.replace("[split]", f"[areas.west]\nbbox = [{west}, 45.10, 9.40, 45.15]\n[split]")
    )
    new = set(read_chips(copy / "chips.parquet").ids) - old
    assert old and new and not ran.decisions["pretrain"]
    assert ran.read == dict.fromkeys(new, 3)
    assert ran.n_embedded == images_of(copy, new)


def test_an_outline_that_is_drawn_anew_reads_its_new_chips_alone(copy, monkeypatch):
    old = set(read_chips(copy / "chips.parquet").ids)
    ran = run(copy, monkeypatch, STUDY.replace("9.46, 45.15]", "9.48, 45.16]"), ("chips", "ingest"))
    new = set(read_chips(copy / "chips.parquet").ids) - old
    assert ran.read == dict.fromkeys(new, 3) and new


def test_a_smaller_outline_reads_and_embeds_nothing_and_the_way_back_only_what_its_table_let_go(copy, monkeypatch):
    blocks = STUDY.replace('"bands"', '"blocks"\nblock_km = 1.5')
    run(copy, monkeypatch, blocks)
    before = set(read_chips(copy / "chips.parquet").ids)
    smaller = run(copy, monkeypatch, blocks.replace("9.46, 45.15]", "9.45, 45.14]"))
    kept = set(read_chips(copy / "chips.parquet").ids)
    assert (smaller.decisions["pretrain"], smaller.read, smaller.n_embedded) == (False, Counter(), 0)
    back = run(copy, monkeypatch, blocks)
    assert (back.decisions["pretrain"], back.read) == (False, Counter())
    assert kept < before and back.n_embedded == images_of(copy, before - kept)
