"""`terrashot health` on files: what it says, where the card goes, what it counts channels by."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.health.simulated_vectors import in_rows, sound_table

from terrashot.domain.tables import PresenceRow, make_presence
from terrashot.errors import InputError, MisalignedError, StorageError
from terrashot.steps.health import HealthRequest, health_files
from terrashot.steps.progress import finish
from terrashot.store.health import health_path, read_health
from terrashot.store.tables import write_presence
from terrashot.store.write_vectors import TableForm, write_embedding_groups, write_embeddings


@pytest.fixture(scope="module")
def study(made_once):
    """A sound table, its floors and its presence, as a study leaves them."""
    return made_once("health tables", write_study)


def write_study(folder, policy="mean", there=4):
    table, floors = sound_table()
    form = TableForm("float16", "m", facts={"channels": policy})
    write_embedding_groups(folder / "embeddings.parquet", table.chips, [table], form)
    write_embeddings(folder / "floors.parquet", in_rows(floors, range(len(table.chips) - 1, -1, -1)), "float32")
    rows = [
        PresenceRow(chip_id, modality, f"c{slot}", "red", slot, "ok" if slot < there else "missing", None, 1.0, None, None, None)
        for chip_id in table.chips.ids for modality in table.blocks for slot in range(5)
    ]  # fmt: skip
    write_presence(folder / "presence.parquet", make_presence(rows))


def health(folder, **more):
    return finish(health_files(HealthRequest(folder / "embeddings.parquet", **more)))


def line(answer, name):
    return next(line for line in answer.lines if f"  {name}" in line)


def test_a_sound_table_is_good_and_its_card_lies_beside_it(study):
    answer = health(study, floors=study / "floors.parquet")
    card = read_health(health_path(study / "embeddings.parquet"), study / "embeddings.parquet")
    assert answer.facts["worst"] == card.worst == "good"
    assert answer.lines[-2] == card.sentence
    assert line(answer, "channels") == "good  channels optical: 4 channels went into a vector, all that there are"


def test_the_worst_stands_last_before_the_summary(study, tmp_path):
    table, _ = sound_table()
    broken = replace(table, blocks={**table.blocks, "radar": np.where(np.arange(24) < 12, 0, table.blocks["radar"])})
    write_embeddings(tmp_path / "embeddings.parquet", broken, "float32")
    answer = health(tmp_path)
    assert answer.facts["worst"] == "bad"
    assert answer.lines[-3].startswith("bad ")
    assert answer.lines[0].startswith("-  ")


@pytest.mark.parametrize(("policy", "verdict"), [("mean", "bad"), ("random", "look"), ("red,green", "good")])
def test_channels_that_did_not_go_in_are_judged_by_what_was_asked_for(tmp_path, policy, verdict):
    write_study(tmp_path, policy, there=5)
    assert line(health(tmp_path), "channels").startswith(f"{verdict:4}  channels")


def test_another_makers_table_gets_its_card_where_it_is_asked_for(tmp_path):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    pq.write_table(
        pa.table({"id": [f"x{i}" for i in range(60)], "clay": list(vectors)}), tmp_path / "embeddings.parquet"
    )
    answer = health(tmp_path, out=tmp_path / "card.json")
    assert answer.facts["worst"] == "good"
    assert read_health(tmp_path / "card.json").model is None
    assert not health_path(tmp_path / "embeddings.parquet").exists()


def test_a_card_that_exists_is_overwritten_only_where_that_is_asked_for(study, tmp_path):
    (tmp_path / "card.json").write_text("mine")
    with pytest.raises(StorageError, match="add --overwrite"):
        health(study, out=tmp_path / "card.json")
    health(study, out=tmp_path / "card.json", overwrite=True)
    assert read_health(tmp_path / "card.json").n_chips == len(sound_table()[0].chips)


def test_places_and_areas_come_from_another_table(tmp_path):
    table, _ = sound_table()
    nowhere = replace(table.chips, lon_deg=None, lat_deg=None, area=("all",) * len(table.chips))
    write_embeddings(tmp_path / "embeddings.parquet", replace(table, chips=nowhere), "float32")
    (tmp_path / "chips.csv").write_text(
        "id,area,lon,lat\n" + "".join(f"{i},{a},{x},{y}\n" for i, a, x, y in zip(table.chips.ids, table.chips.area, table.chips.lon_deg, table.chips.lat_deg, strict=True))
    )  # fmt: skip
    assert line(health(tmp_path), "neighbours").startswith("-  ")
    assert line(health(tmp_path, chips=tmp_path / "chips.csv"), "neighbours").startswith("good")


def test_floors_of_other_chips_are_refused(study, tmp_path):
    _, floors = sound_table()
    others = replace(floors, chips=replace(floors.chips, ids=tuple(f"other{i}" for i in range(len(floors.chips)))))
    write_embeddings(tmp_path / "floors.parquet", others, "float32")
    with pytest.raises(MisalignedError, match="ids must meet exactly"):
        health(study, floors=tmp_path / "floors.parquet", out=tmp_path / "card.json")


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        health(tmp_path)
