"""A chip's composites through the store to presence.parquet: counts a pixel, and the reason of each absence."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrashot.errors import InputError, IntegrityError
from terrashot.ingest.composite import make_composite, see
from terrashot.ingest.decibels import to_db
from terrashot.ingest.each_once import Delivery, by_month, each_once
from terrashot.ingest.harvest import harvest
from terrashot.ingest.monthly import imagery_of, radar_channels, radar_differences
from terrashot.ingest.source import ImagerySource
from terrashot.store.chips import open_chip_store
from terrashot.store.layout import rows_from_json
from terrashot.store.tables import read_presence, write_presence

MONTHS = ("2020-01", "2020-02", "2020-03")
SIDE = 4
DAYS = ("2020-01-05", "2020-01-11", "2020-03-30")


@dataclass(frozen=True)
class Radar:
    """Two passes in January, none in February; in March one that cannot be read, or one beside the chip."""

    is_readable: bool = True
    modality: str = "s1grdm"
    side_px: int = SIDE
    max_channels: int = 6
    unit: str = "dB"
    channels = radar_channels(MONTHS)
    differences = radar_differences(MONTHS)

    def read(self, chip_id):
        offered = [Delivery(day, "s1a", datetime.fromisoformat(day).replace(tzinfo=UTC)) for day in DAYS]
        passes = by_month(each_once(offered), MONTHS)
        made = [
            make_composite(passes[month], self.show, statistic="mean", n_channels=2, side_px=SIDE) for month in MONTHS
        ]
        return imagery_of(to_db(np.concatenate([month.values for month in made])), made, self.channels)

    def show(self, delivery):
        power = np.full((2, SIDE, SIDE), {"2020-01-05": 0.1, "2020-01-11": 0.3}.get(delivery.id, np.nan), np.float32)
        if delivery.id == "2020-01-11":
            power[:, :2] = np.nan
        if delivery.id == "2020-03-30" and not self.is_readable:
            raise InputError("scene 2020-03-30: cut short")
        return see(power)


_: type[ImagerySource] = Radar


def harvested(folder, source):
    ids = ["32632_40m_r000001_c000001", "32632_40m_r000001_c000002"]
    for _done in harvest([source], ids, folder, workers=1):
        pass
    return open_chip_store(folder).presence()


def test_presence_tells_counts_and_the_reason_of_each_absence(tmp_path):
    write_presence(tmp_path / "presence.parquet", harvested(tmp_path, Radar()))
    table = pq.read_table(tmp_path / "presence.parquet").to_pandas()
    rows = table[table.id.str.endswith("c000002")].set_index("channel")
    assert rows.loc["2020-01_vv", ["status", "n_acquisitions", "mean_count", "valid_fraction"]].tolist() == [
        "ok",
        2,
        1.5,
        1.0,
    ]
    assert rows.loc["2020-02_vh", ["status", "reason"]].tolist() == ["missing", "no acquisition in the month"]
    assert rows.loc["2020-03_vv", ["status", "reason"]].tolist() == ["empty", "outside the swath"]
    assert rows.loc["2020-01_vv-vh", "status"] == "ok" and rows.loc["2020-02_vv-vh", "status"] == "missing"
    again = read_presence(tmp_path / "presence.parquet")
    assert np.nanmax(again.mean_count) == 1.5 and np.isnan(again.mean_count).sum() == len(table) - 4


def test_what_could_not_be_read_is_failed_and_read_again_by_the_next_harvest(tmp_path):
    before, after = harvested(tmp_path, Radar(is_readable=False)), harvested(tmp_path, Radar())
    assert {reason for reason, status in zip(before.reason, before.status, strict=True) if status == "failed"} == {
        "failed to read: scene 2020-03-30: cut short"
    }
    assert "failed" not in set(after.status)


def test_a_table_from_before_there_were_mean_counts_is_read(tmp_path):
    write_presence(tmp_path / "new.parquet", harvested(tmp_path, Radar()))
    old = pq.read_table(tmp_path / "new.parquet").drop_columns(["mean_count"])
    pq.write_table(pa.table(old), tmp_path / "old.parquet", write_page_checksum=True)
    assert np.isnan(read_presence(tmp_path / "old.parquet").mean_count).all()


@pytest.mark.parametrize("count", [-1, "2", None, float("nan"), 1e30])
def test_a_ledger_whose_mean_count_is_none_is_refused(tmp_path, count):
    row = {
        "chip_id": "a", "modality": "s1grdm", "channel": "c", "kind": "vv", "slot": 0, "status": "ok", "reason": None, "valid_fraction": 1.0,
        "n_acquisitions": 2, "first_date": None, "second_date": None, "unit": "dB",
    }  # fmt: skip
    assert rows_from_json([row | {"mean_count": 1.5}], tmp_path)[0].mean_count == 1.5
    assert rows_from_json([row], tmp_path)[0].mean_count is None
    with pytest.raises(IntegrityError, match="no presence row of ours"):
        rows_from_json([row | {"mean_count": count}], tmp_path)
