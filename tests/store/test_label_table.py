"""Label tables from elsewhere: numbers, classes, the unknown, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from terrashot.errors import InputError, IntegrityError
from terrashot.store.label_table import read_labels


def table(tmp_path, text, name="labels.csv"):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_numbers_are_numbers_and_text_is_classes(tmp_path):
    labels = read_labels(table(tmp_path, "id,wet,kind\na,0.5,lake\nb,-1e3,7\nc,,\nd,NaN,NA\n"))
    assert labels.chip_ids == ("a", "b", "c", "d")
    assert np.array_equal(labels.targets["wet"], [0.5, -1000, np.nan, np.nan], equal_nan=True)
    assert labels.targets["kind"].tolist() == ["lake", "7", None, None]


def test_a_column_where_nothing_is_known_is_numbers(tmp_path):
    assert np.isnan(read_labels(table(tmp_path, "id,wet\na,\nb,\n")).targets["wet"]).all()


def test_valid_fractions_belong_to_their_target(tmp_path):
    labels = read_labels(table(tmp_path, "id,wet,wet_valid_fraction\na,1,0.25\nb,2,\n"))
    assert list(labels.targets) == ["wet"]
    assert np.array_equal(labels.valid_fraction["wet"], [0.25, np.nan], equal_nan=True)


def test_parquet_and_csv_of_one_table_are_alike(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b", "c"], "wet": [0.1, np.nan, 1e-17], "kind": ["x", None, "y"], "n": [1, 2, 3]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    left, right = read_labels(tmp_path / "t.csv"), read_labels(tmp_path / "t.parquet")
    assert left.chip_ids == right.chip_ids and list(left.targets) == list(right.targets)
    for name in left.targets:
        assert left.targets[name].dtype == right.targets[name].dtype
        assert left.targets[name].tolist()[::2] == right.targets[name].tolist()[::2]


def test_ids_that_are_numbers_are_text(tmp_path):
    pd.DataFrame({"id": [1, 2], "wet": [0.1, 0.2]}).to_parquet(tmp_path / "t.parquet")
    assert read_labels(tmp_path / "t.parquet").chip_ids == ("1", "2")


CASES = {
    "nothing": ("", "empty; its first line names the columns"),
    "no id": ("chip,wet\na,1\n", "no column 'id'; columns are chip, wet"),
    "no target": ("id\na\n", "no target column beside 'id'"),
    "an id missing": ("id,wet\na,1\n,2\n", "line 3: no id"),
    "an id twice": ("id,wet\na,1\nb,1\na,2\n", "line 4: id 'a' stands in line 2 and in line 4"),
    "many ids twice": ("id,wet\n" + "a,1\n" * 6, "5 bad rows, nothing was read; line 3: id 'a' stands in line 2 and in line 3"),
    "text among numbers": ("id,wet\na,1\nb,2\nc,much\n", "line 4: 'wet' is 'much' where other rows hold numbers"),
    "infinity": ("id,wet\na,1\nb,inf\n", "line 3: 'wet' is 'inf' where other rows hold numbers"),
    "infinity alone": ("id,wet\na,-inf\n", "line 2: 'wet' is '-inf'"),
    "decimal commas": ("id;wet\na;0,5\nb;0,25\n", "2 bad rows, nothing was read; line 2: 'wet' is '0,5'; write it with a point: 0.5"),
    "a share above 1": ("id,wet,wet_valid_fraction\na,1,1.5\n", "line 2: 'wet_valid_fraction' is '1.5'; a share lies between 0 and 1"),
    "a share that is text": ("id,wet,wet_valid_fraction\na,1,all\n", "a share lies between 0 and 1"),
    "a row too long": ("id,wet\na,1,2\n", "line 2 has 3 cells, the first line 2"),
    "no such file": (None, "no such file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_a_bad_label_table_is_refused_in_one_line(kind, tmp_path):
    text, said = CASES[kind]
    path = tmp_path / "labels.csv" if text is None else table(tmp_path, text)
    with pytest.raises(InputError) as refusal:
        read_labels(path)
    assert (said in str(refusal.value), str(path) in str(refusal.value)) == (True, True), refusal.value


def test_text_called_parquet_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_labels(table(tmp_path, "id,wet\n", "t.parquet"))


def test_a_parquet_that_does_not_fit_its_digest_is_refused(tmp_path):
    pd.DataFrame({"id": ["a"], "wet": [1.0]}).to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.parquet.sha256").write_text("0" * 64 + "  t.parquet\n")
    with pytest.raises(IntegrityError):
        read_labels(tmp_path / "t.parquet")
