"""`terrashot import`: others' tables in our form; what it refuses, never does twice, never overwrites."""

import csv
import json
import sys
from dataclasses import replace

import geopandas
import numpy as np
import pytest
import shapely
from published_files import (
    clay_columns,
    majortom_columns,
    squares,
    write_alphaearth,
    write_rows,
    write_tessera,
)

from terrashot.domain.grid import to_metres
from terrashot.domain.tables import Chips
from terrashot.durable.backup import fits_digest
from terrashot.errors import InputError, StorageError, UsageError
from terrashot.steps import import_pixels
from terrashot.steps.fewshot_tables import FewshotRequest, fewshot_files
from terrashot.steps.health import HealthRequest, health_files
from terrashot.steps.import_table import ImportRequest, import_files
from terrashot.steps.progress import Progress, Said, finish
from terrashot.store.health import health_path, read_health
from terrashot.store.tables import write_chips
from terrashot.store.vectors import read_embeddings


def request(folder, kind="alphaearth", **changes):
    fields = {"kind": kind, "source": folder / "in", "out": folder / "out.parquet", "chip_m": 80.0} | changes
    return ImportRequest(**fields)


def fill(folder, kind):
    """A folder of the maker's files, and a request to import it."""
    (folder / "in").mkdir()
    if kind == "alphaearth":
        write_alphaearth(folder / "in" / "a.tiff")
    elif kind == "tessera":
        write_tessera(folder / "in")
    elif kind == "majortom":
        write_rows(folder / "in" / "a.parquet", majortom_columns())
    else:
        write_rows(folder / "in" / "a.gpq", clay_columns())
    return request(folder, kind, chip_m=80.0 if kind in import_pixels.MAKERS else None)


def events_of(work):
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as stop:
            return events, stop.value


@pytest.mark.parametrize(
    ("kind", "chips", "there", "dims", "model"),
    [
        ("alphaearth", 64, 64, 128, "alphaearth"),
        ("tessera", 48, 47, 16, "tessera"),
        ("majortom", 6, 6, 5, "majortom/5d"),
        ("clay", 6, 6, 5, "clay/5d"),
    ],
)
def test_every_maker_s_files_become_a_table_that_reads_as_our_own(tmp_path, kind, chips, there, dims, model):
    events, answer = events_of(import_files(fill(tmp_path, kind)))
    table = read_embeddings(tmp_path / "out.parquet")
    assert len(table.chips) == chips and int(table.present(kind).sum()) == there
    assert table.blocks[kind].shape == (chips, dims) and table.model == model
    assert answer.facts["chips"] == chips and answer.facts["with"] == {kind: there} and answer.facts["model"] == model
    assert fits_digest(tmp_path / "out.parquet")
    frame = geopandas.read_parquet(tmp_path / "out.parquet", columns=["id", "geometry"])
    assert frame.crs == "EPSG:4326" and len(frame) == chips
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert last.done == last.total
    beside = [f"out.parquet{end}" for end in ("", ".health.json", ".health.json.sha256", ".sha256")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", *beside]


def test_pixels_become_a_mean_and_a_spread_and_the_answer_tells_how_much_was_valid(tmp_path):
    _, answer = events_of(import_files(fill(tmp_path, "tessera")))
    table = read_embeddings(tmp_path / "out.parquet")
    assert table.kinds == {"tessera": ("mean", "spread")} and table.parts("tessera").shape == (48, 2, 8)
    assert (table.parts("tessera")[table.present("tessera"), 1] > 0).all()
    assert answer.facts["valid_fraction"]["least"] < 0.5 < answer.facts["valid_fraction"]["median"]
    assert any("without a vector: 1, of whose ground under 50 % is valid" in line for line in answer.lines)


def test_chips_of_a_table_are_pooled_and_keep_what_the_table_says_of_them(tmp_path):
    asked = fill(tmp_path, "alphaearth")
    finish(import_files(asked))
    own = read_embeddings(asked.out)
    rows = [5, 3, 40]
    groups, splits = ("g", "h", "g"), ("train", "val", "test")
    chips = own.chips.take(rows)
    write_chips(tmp_path / "chips.parquet", replace(chips, group=groups, split=splits, area=("x",) * 3))
    again = replace(asked, out=tmp_path / "again.parquet", chips=tmp_path / "chips.parquet", chip_m=None)
    finish(import_files(again))
    table = read_embeddings(again.out)
    back = [table.chips.ids.index(chip_id) for chip_id in chips.ids]
    np.testing.assert_array_equal(table.blocks["alphaearth"][back], own.blocks["alphaearth"][rows])
    assert table.chips.take(back).group == groups and table.chips.take(back).split == splits
    with (tmp_path / "chips.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id"], *([chip_id] for chip_id in chips.ids)])
    finish(import_files(replace(again, out=tmp_path / "csv.parquet", chips=tmp_path / "chips.csv")))
    table = read_embeddings(tmp_path / "csv.parquet")
    back = [table.chips.ids.index(chip_id) for chip_id in chips.ids]
    np.testing.assert_array_equal(table.blocks["alphaearth"][back], own.blocks["alphaearth"][rows])


def test_our_grid_covers_rasters_on_both_sides_of_the_antimeridian(tmp_path):
    (tmp_path / "in").mkdir()
    x, _ = to_metres(32660).transform(179.9999, 9.0)
    write_alphaearth(tmp_path / "in" / "a.tif", west=round(x, -1) - 320, north=1_000_000.0, crs="EPSG:32660")
    finish(import_files(request(tmp_path)))
    table = read_embeddings(tmp_path / "out.parquet")
    assert {chip_id[:5] for chip_id in table.chips.ids} == {"32601", "32660"}
    assert table.chips.lon_deg.min() < -179.9 and table.chips.lon_deg.max() > 179.9
    assert table.present("alphaearth").mean() > 0.8


def test_an_imported_table_passes_through_the_few_label_protocol_unchanged(tmp_path):
    finish(import_files(fill(tmp_path, "alphaearth")))
    table = read_embeddings(tmp_path / "out.parquet")
    wet = table.blocks["alphaearth"][:, 0] > np.median(table.blocks["alphaearth"][:, 0])
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        rows = [[chip_id, "wet" if w else "dry"] for chip_id, w in zip(table.chips.ids, wet, strict=True)]
        csv.writer(file).writerows([["id", "kind"], *rows])
    asked = FewshotRequest(tmp_path / "out.parquet", tmp_path / "labels.csv", tmp_path / "curves", None, None, False)
    answer = finish(fewshot_files(asked))
    assert answer.facts["verdicts"][0]["features"] == "alphaearth"
    assert (tmp_path / "curves" / "report.html").is_file()


@pytest.mark.parametrize("kind", ["alphaearth", "tessera", "majortom", "clay"])
def test_every_imported_table_has_the_card_that_the_health_command_gives_and_its_sentence_is_said(tmp_path, kind):
    asked = fill(tmp_path, kind)
    events, _ = events_of(import_files(asked))
    card, before = read_health(health_path(asked.out), asked.out), asked.out.read_bytes()
    verdicts = {measure.name: measure.verdict for measure in card.measures if measure.block == kind}
    assert verdicts["finite"] == verdicts["zeros"] == "good"
    assert Said(card.sentence) in events
    finish(health_files(HealthRequest(asked.out, out=tmp_path / "card.json")))
    assert (tmp_path / "card.json").read_bytes() == health_path(asked.out).read_bytes()
    assert asked.out.read_bytes() == before


def test_a_killed_import_goes_on_and_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(import_pixels, "CHIPS_A_PART", 10)
    asked = fill(tmp_path, "alphaearth")
    work = import_files(asked)
    while not (isinstance(event := next(work), Progress) and event.done == 45):
        pass
    work.close()  # as a kill: nothing is tidied away
    assert (tmp_path / ".out.parquet.work").is_dir() and not asked.out.exists()
    pooled = []
    whole = import_pixels.pool_ground
    monkeypatch.setattr(import_pixels, "pool_ground", lambda *args: pooled.append(1) or whole(*args))
    finish(import_files(asked))
    assert len(pooled) == 64 - 40
    other = replace(asked, out=tmp_path / "other.parquet")
    finish(import_files(other))
    assert asked.out.read_bytes() == other.out.read_bytes()


def test_a_changed_file_is_not_mixed_with_what_was_pooled_of_the_old_one(tmp_path, monkeypatch):
    monkeypatch.setattr(import_pixels, "CHIPS_A_PART", 10)
    asked = fill(tmp_path, "alphaearth")
    work = import_files(asked)
    while not (isinstance(event := next(work), Progress) and event.done == 45):
        pass
    work.close()
    write_alphaearth(tmp_path / "in" / "a.tiff", seed=9)
    finish(import_files(asked))
    finish(import_files(replace(asked, out=tmp_path / "other.parquet")))
    assert asked.out.read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_an_output_that_exists_is_never_overwritten_unasked(tmp_path):
    asked = fill(tmp_path, "clay")
    asked.out.write_text("mine")
    with pytest.raises(StorageError, match="add --overwrite"):
        finish(import_files(asked))
    assert asked.out.read_text() == "mine"
    finish(import_files(replace(asked, overwrite=True)))
    assert len(read_embeddings(asked.out).chips) == 6


def test_a_changed_id_is_said(tmp_path):
    (tmp_path / "in").mkdir()
    rows = {"id": ["a/1"], "embedding": [[1.0, 2.0]], "geometry": list(shapely.to_wkb(squares(1)))}
    write_rows(tmp_path / "in" / "a.parquet", rows)
    events, _ = events_of(import_files(request(tmp_path, "clay", chip_m=None)))
    assert any(isinstance(event, Said) and "'a/1' is now 'a_1'" in event.text for event in events)


def two_years(folder):
    write_alphaearth(folder / "in" / "a.tiff", seed=1)
    write_alphaearth(folder / "in" / "b.tiff", seed=2)


def all_masked(folder):
    write_alphaearth(folder / "in" / "a.tiff", seed=1, nodata=-128)
    write_chips(folder / "far.parquet", far())


def far():
    nothing = (None,)
    return Chips(("f",), ("a",), nothing, nothing, np.array([shapely.box(10, 50, 10.001, 50.001)], dtype=object))


@pytest.mark.parametrize(
    ("prepare", "changes", "kind", "message"),
    [
        (None, {"kind": "tesera"}, UsageError, "no such kind; did you mean 'tessera'"),
        (None, {"kind": "majortom"}, UsageError, "its rows are chips already"),
        (None, {"chips": "far.parquet"}, UsageError, "give one of the two"),
        (None, {"source": "nowhere"}, InputError, "no such file or folder"),
        (None, {"out": "no/folder.parquet"}, StorageError, "no such folder"),
        (None, {"chip_m": 5.0}, UsageError, "the side must be a whole number of metres"),
        (two_years, {}, InputError, "show the same ground"),
        (two_years, {"chip_m": 1e-3}, UsageError, "take larger chips"),
        (all_masked, {"chips": "far.parquet", "chip_m": None}, InputError, "no chip has 50 % of its ground valid"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused_before_anything_is_written(tmp_path, prepare, changes, kind, message):
    (tmp_path / "in").mkdir()
    if prepare is None:
        write_alphaearth(tmp_path / "in" / "a.tiff")
    else:
        prepare(tmp_path)
    if message == "take larger chips":
        (tmp_path / "in" / "b.tiff").unlink()
    paths = {name: tmp_path / value for name, value in changes.items() if name in ("chips", "source", "out")}
    with pytest.raises(kind) as error:
        finish(import_files(request(tmp_path, **{**changes, **paths})))
    assert message in str(error.value) and not (tmp_path / "out.parquet").exists()


def test_the_command_prints_one_json_object_and_its_help_an_example(tmp_path, capsys, monkeypatch):
    from terrashot.cli import main

    fill(tmp_path, "clay")
    argv = ["terrashot", "import", "clay", str(tmp_path / "in"), "--out", str(tmp_path / "out.parquet"), "--json"]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as stop:
        main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert stop.value.code == 0 and told["ok"] and told["kind"] == "clay" and told["chips"] == 6
    monkeypatch.setattr(sys, "argv", ["terrashot", "import", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert "terrashot import alphaearth" in capsys.readouterr().out
