"""`terrashot map`: what it writes agrees with itself, what it refuses, what it never overwrites."""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely

from terrashot.domain.cells import cells_of, centres_deg, footprints
from terrashot.domain.grid import Grid, chip_from_id
from terrashot.domain.tables import Chips, Embeddings
from terrashot.durable.backup import fits_digest
from terrashot.errors import InputError, MisalignedError, StorageError, UsageError
from terrashot.steps.map_files import MapRequest, map_files
from terrashot.steps.progress import Progress, Said, finish
from terrashot.store.tables import write_chips
from terrashot.store.write_vectors import write_embeddings

SIDE = 20


def lattice(epsg=32632) -> Chips:
    """400 chips of 640 m, in a square of one zone."""
    cells = [Grid(epsg, 640.0).chip(7800 + row, 780 + col) for row in range(SIDE) for col in range(SIDE)]
    nothing = (None,) * len(cells)
    lon, lat = centres_deg(cells_of(cells))
    outlines = footprints(cells_of(cells))
    return Chips(tuple(c.id for c in cells), ("all",) * len(cells), nothing, nothing, outlines, lon, lat)


def together(*tables: Chips) -> Chips:
    return Chips(
        sum((t.ids for t in tables), ()), sum((t.area for t in tables), ()), sum((t.group for t in tables), ()),
        sum((t.split for t in tables), ()), np.concatenate([t.footprint for t in tables]),
        np.concatenate([t.lon_deg for t in tables]), np.concatenate([t.lat_deg for t in tables]),
    )  # fmt: skip


def wetness(n) -> np.ndarray:
    """What the labels follow from: smooth over the rows of the table, 0 to 1."""
    return (1 + np.sin(np.arange(n) / n * 9)) / 2


def write_world(folder: Path, chips: Chips | None = None, *, n_labels=60, order=None, classes=2) -> MapRequest:
    """Vectors of two modalities, one of them lacking for a chip in twenty, and labels of some chips."""
    chips = chips or lattice()
    folder.mkdir(exist_ok=True)
    rng, n = np.random.default_rng(0), len(chips)
    wet = wetness(n)
    blocks = {name: (rng.normal(0, 0.5, (n, 6)) + 2 * wet[:, None]).astype(np.float32) for name in ("s2rgbm", "gunw")}
    blocks["gunw"][7::20] = np.nan
    order = np.arange(n) if order is None else order
    table = Embeddings(chips.take(order), {name: block[order] for name, block in blocks.items()})
    write_embeddings(folder / "e.parquet", table, "float16")
    picked = np.sort(np.random.default_rng(1).choice(n, n_labels, replace=False))
    names = ["dry", "wet"] if classes == 2 else ["dry", "moist", "wet"]
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = [[chips.ids[i], names[min(int(wet[i] * classes), classes - 1)]] for i in picked]
        csv.writer(file).writerows([["id", "flooded"], *rows])
    return MapRequest(folder / "e.parquet", folder / "labels.csv", folder / "out")


def events_of(work):
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as stop:
            return events, stop.value


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished map: its folder, what was said, its answer."""
    request = write_world(tmp_path_factory.mktemp("made"))
    events, answer = events_of(map_files(request))
    return request.out, events, answer


def compare_pixels(out, name, epsg=32632):
    """How many chips of the zone the raster shows, each with the numbers of its row of the table."""
    rows = [row for row in pq.read_table(out / "map.parquet").to_pylist() if row["id"].startswith(str(epsg))]
    with rasterio.open(out / name) as file:
        pixels = file.read()
        for row in rows:
            west, south, east, north = chip_from_id(row["id"]).bounds_m
            at = file.index((west + east) / 2, (south + north) / 2)
            assert file.xy(*at) == ((west + east) / 2, (south + north) / 2)
            wanted = [np.nan if row[band] is None else row[band] for band in ("probability", "distance")]
            np.testing.assert_array_equal(pixels[:, *at], np.array(wanted, np.float32))
    return len(rows)


def test_every_pixel_of_the_raster_is_its_chips_row_of_the_table(made):
    out, _, _ = made
    assert compare_pixels(out, "map.tif") == SIDE * SIDE
    with rasterio.open(out / "map.tif") as file:
        assert file.descriptions == ("probability", "distance") and file.crs.to_epsg() == 32632
        assert (file.height, file.width) == (SIDE, SIDE) and file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_the_table_opens_as_geoparquet_with_all_its_columns(made):
    out, _, _ = made
    frame = geopandas.read_parquet(out / "map.parquet")
    assert frame.crs.to_epsg() == 4326 and len(frame) == SIDE * SIDE
    assert {"id", "area", "probability", "predicted", "distance", "inside", "label"} <= set(frame.columns)
    assert frame.geometry.iloc[0].equals_exact(lattice().footprint[0], 1e-9)


def test_the_map_finds_what_the_labels_follow(made):
    out, _, _ = made
    frame = pq.read_table(out / "map.parquet").to_pandas()
    judged = frame[frame["predicted"].notna() & frame["label"].isna()]
    truth = np.where(wetness(SIDE * SIDE)[judged.index] > 0.5, "wet", "dry")
    assert (judged["predicted"] == truth).mean() > 0.85
    assert ((judged["probability"] > 0.5) == (judged["predicted"] == "wet")).all()


def test_a_chip_that_lacks_a_modality_has_null_everywhere_and_that_is_said(made):
    out, events, _ = made
    frame = pq.read_table(out / "map.parquet").to_pandas()
    assert frame.loc[7::20, ["probability", "predicted", "distance", "inside", "label"]].isna().all(axis=None)
    assert frame.loc[8::20, "probability"].notna().all()
    assert any("20 chips lack a vector" in event.text for event in events if isinstance(event, Said))


def test_labelled_chips_lie_at_distance_0_and_inside_is_what_the_threshold_says(made):
    out, _, answer = made
    frame = pq.read_table(out / "map.parquet").to_pandas()
    known = frame[frame["distance"].notna()]
    assert (known["distance"][known["label"].notna()] == 0).all()
    assert ((known["distance"] <= answer.facts["distance_threshold"]) == known["inside"]).all()
    assert answer.facts["share_inside"] == pytest.approx(known["inside"].mean())


def test_a_labelled_chips_own_label_does_not_speak_in_its_probability(tmp_path):
    request = write_world(tmp_path)
    finish(map_files(request))
    before = {row["id"]: row for row in pq.read_table(request.out / "map.parquet").to_pylist()}
    lines = request.labels.read_text().splitlines()
    chip_id, was = lines[5].split(",")
    lines[5] = f"{chip_id},{'dry' if was == 'wet' else 'wet'}"
    request.labels.write_text("\n".join(lines))
    finish(map_files(replace(request, overwrite=True)))
    after = {row["id"]: row for row in pq.read_table(request.out / "map.parquet").to_pylist()}
    assert after[chip_id]["label"] != before[chip_id]["label"]
    # One label in sixty may shift the calibration, and how the folds are dealt; a forest that knew it would turn around.
    assert after[chip_id]["probability"] == pytest.approx(before[chip_id]["probability"], abs=0.15)


def test_the_answer_tells_how_far_the_map_may_be_believed(made):
    out, events, answer = made
    assert 50 < answer.facts["n_labels"] <= 60 and answer.facts["folds"]["of"] == "spatial blocks"
    for moment in ("before", "after"):
        found = answer.facts["calibration"][moment]
        assert 0 < found["brier"] < 0.3 and 0 <= found["calibration_error"] < 0.4 and found["log_loss"] > 0
    assert [event for event in events if isinstance(event, Progress)][-1] == Progress("map", 380, 380, "chips")
    kept = json.loads((out / "map.json").read_text())
    assert kept["calibration"] == answer.facts["calibration"] and kept["classes"] == ["dry", "wet"]
    assert set(kept["inputs"]) == {"embeddings", "labels"} and set(kept["outputs"]) == {
        "map.parquet",
        "map.tif",
        "map.png",
    }
    assert fits_digest(out / "map.parquet") and fits_digest(out / "map.tif")


def test_two_maps_of_the_same_inputs_are_the_same_bytes_and_the_tables_order_decides_nothing(made, tmp_path):
    out, _, _ = made
    again = write_world(tmp_path / "again")
    finish(map_files(again))
    for name in ("map.parquet", "map.tif", "map.png", "map.json"):
        assert (again.out / name).read_bytes() == (out / name).read_bytes(), name
    other = write_world(tmp_path / "other", order=np.random.default_rng(3).permutation(SIDE * SIDE))
    finish(map_files(other))
    assert (other.out / "map.tif").read_bytes() == (out / "map.tif").read_bytes()


def test_without_places_the_tables_order_decides_nothing_either(tmp_path):
    bare = replace(
        lattice(), ids=tuple(f"own{i:03d}" for i in range(SIDE * SIDE)), footprint=None, lon_deg=None, lat_deg=None
    )
    found = []
    for name, order in (
        ("plain", np.arange(SIDE * SIDE)),
        ("mixed", np.random.default_rng(3).permutation(SIDE * SIDE)),
    ):
        request = write_world(tmp_path / name, bare, order=order)
        finish(map_files(request))
        found.append(pq.read_table(request.out / "map.parquet").sort_by("id"))
    assert found[0].equals(found[1])


def test_each_zone_has_its_own_raster_on_its_own_lattice(tmp_path):
    request = write_world(tmp_path, together(lattice(32632), lattice(32633)))
    finish(map_files(request))
    assert sorted(path.name for path in request.out.glob("*.tif")) == ["map_32632.tif", "map_32633.tif"]
    for epsg in (32632, 32633):
        with rasterio.open(request.out / f"map_{epsg}.tif") as file:
            assert file.crs.to_epsg() == epsg and file.shape == (SIDE, SIDE)
            assert np.isnan(file.read(1)).sum() == SIDE
        assert compare_pixels(request.out, f"map_{epsg}.tif", epsg) == SIDE * SIDE


def test_footprints_off_our_grid_give_a_raster_in_degrees(tmp_path):
    boxes = np.array(
        [
            shapely.box(8 + x * 0.01, 50 + y * 0.01, 8.01 + x * 0.01, 50.01 + y * 0.01)
            for y in range(SIDE)
            for x in range(SIDE)
        ]
    )
    places = shapely.centroid(boxes)
    chips = replace(
        lattice(), ids=tuple(f"own{i:03d}" for i in range(SIDE * SIDE)), footprint=boxes,
        lon_deg=shapely.get_x(places), lat_deg=shapely.get_y(places),
    )  # fmt: skip
    request = write_world(tmp_path, chips)
    events, _ = events_of(map_files(request))
    assert any("map.tif is in degrees" in event.text for event in events if isinstance(event, Said))
    table = pq.read_table(request.out / "map.parquet").to_pylist()
    with rasterio.open(request.out / "map.tif") as file:
        assert file.crs.to_epsg() == 4326 and file.shape == (SIDE, SIDE)
        for row, shape in zip(table, boxes, strict=True):
            at = file.index(shape.centroid.x, shape.centroid.y)
            wanted = np.nan if row["probability"] is None else row["probability"]
            np.testing.assert_array_equal(file.read(1)[at], np.float32(wanted))


def test_chips_without_a_place_give_a_table_and_a_picture_and_say_why_no_raster(tmp_path):
    bare = replace(
        lattice(), ids=tuple(f"own{i:03d}" for i in range(SIDE * SIDE)), footprint=None, lon_deg=None, lat_deg=None
    )
    request = write_world(tmp_path, bare)
    events, answer = events_of(map_files(request))
    said = [event.text for event in events if isinstance(event, Said)]
    assert any("no map.tif" in text for text in said) and any("random chips" in text for text in said)
    assert sorted(Path(path).name for path in answer.facts["files"]) == ["map.json", "map.parquet", "map.png"]


def test_a_chips_table_gives_places_and_groups(tmp_path):
    bare = replace(
        lattice(), ids=tuple(f"own{i:03d}" for i in range(SIDE * SIDE)), footprint=None, lon_deg=None, lat_deg=None
    )
    request = write_world(tmp_path, bare)
    full = replace(lattice(), ids=bare.ids, group=tuple(f"g{i // 40}" for i in range(SIDE * SIDE)))
    write_chips(tmp_path / "chips.parquet", full)
    _, answer = events_of(map_files(replace(request, chips=tmp_path / "chips.parquet")))
    assert answer.facts["folds"]["of"] == "groups" and (request.out / "map.tif").is_file()


def test_many_classes_have_a_probability_each(tmp_path):
    request = write_world(tmp_path, classes=3)
    finish(map_files(request))
    frame = pq.read_table(request.out / "map.parquet").to_pandas()
    names = ["probability_dry", "probability_moist", "probability_wet"]
    known = frame[frame["distance"].notna()]
    np.testing.assert_allclose(known[names].sum(axis=1), 1, atol=1e-5)
    assert (known[names].idxmax(axis=1).str.removeprefix("probability_") == known["predicted"]).all()
    with rasterio.open(request.out / "map.tif") as file:
        assert file.descriptions == (*names, "distance")


def test_numbers_are_cut_in_two_as_the_few_label_protocol_does(tmp_path):
    request = write_world(tmp_path)
    lines = request.labels.read_text().splitlines()
    numbered = [line.replace("dry", "0.0").replace("wet", str(1 + i % 3)) for i, line in enumerate(lines[1:])]
    request.labels.write_text("\n".join([lines[0], *numbered]))
    _, answer = events_of(map_files(request))
    assert answer.facts["threshold"] == 1.0 and answer.facts["classes"] == ["at most 1", "above 1"]


def test_a_finished_map_is_kept_and_an_unfinished_one_of_the_same_inputs_is_taken_up(tmp_path):
    request = write_world(tmp_path)
    finish(map_files(request))
    with pytest.raises(StorageError, match="is not empty"):
        finish(map_files(request))
    (request.out / "map.json").unlink()
    with pytest.raises(StorageError, match="is not empty"):
        finish(map_files(replace(request, head="logistic")))
    finish(map_files(request))
    (request.out / "map_32633.tif").write_text("of an earlier map")
    (request.out / "maps_of_mine.tif").write_text("of a person")
    finish(map_files(replace(request, overwrite=True)))
    assert sorted(path.name for path in request.out.glob("*.tif*")) == ["map.tif", "map.tif.sha256", "maps_of_mine.tif"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "floded"}, "target: no 'floded' (--target); did you mean 'flooded'?"),
        ({"features": "s2rgb"}, "features: no 's2rgb' (--features); did you mean 's2rgbm'?"),
        ({"head": "forrest"}, "head: no 'forrest' (--head); did you mean 'forest'?"),
        ({"head": "zzz"}, "head: no 'zzz' (--head); there are forest, "),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path, changes, message):
    with pytest.raises(UsageError) as error:
        finish(map_files(replace(write_world(tmp_path), **changes)))
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()


def labelled_by(*rows):
    return "\n".join(["id,flooded", *rows])


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (labelled_by(*(f"{i},wet" for i in lattice().ids[:30])), InputError, "nothing to tell apart"),
        (labelled_by(*(f"{i},{'wet' if i > lattice().ids[2] else 'dry'}" for i in lattice().ids[:5])), InputError, "a map needs 6 or more"),
        (labelled_by(*(f"x{i},{'dw'[i % 2]}" for i in range(20))), MisalignedError, "ids must meet exactly"),
        ("id,a,b\n" + f"{lattice().ids[0]},1,2", UsageError, "there are several; choose one with --target: a, b"),
    ],
)  # fmt: skip
def test_labels_that_cannot_make_a_map_are_refused(tmp_path, content, kind, message):
    request = write_world(tmp_path)
    request.labels.write_text(content)
    with pytest.raises(kind) as error:
        finish(map_files(request))
    assert message in str(error.value)


def test_labels_without_a_vector_are_counted(tmp_path):
    request = write_world(tmp_path)
    request.labels.write_text(request.labels.read_text() + "elsewhere1,wet\nelsewhere2,dry\n")
    events, _ = events_of(map_files(request))
    assert Said("2 labels without a vector, such as elsewhere1, elsewhere2") in events


def test_one_modality_and_a_head_can_be_asked_for(tmp_path):
    request = write_world(tmp_path)
    finish(map_files(replace(request, features="s2rgbm", head="logistic")))
    assert pq.read_table(request.out / "map.parquet").column("probability").null_count == 0


def test_the_command_line_maps_and_answers_in_json(tmp_path, monkeypatch, capsys):
    from terrashot.cli import main

    request = write_world(tmp_path)
    monkeypatch.setattr(sys, "argv", ["terrashot", "map", "--embeddings", str(request.embeddings), "--labels", str(request.labels),
                                      "--out", str(request.out), "--target", "flooded", "--json"])  # fmt: skip
    with pytest.raises(SystemExit) as end:
        main()
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert end.value.code == 0 and answer["ok"] and answer["n_chips"] == SIDE * SIDE
    assert all(Path(path).is_file() for path in answer["files"])
