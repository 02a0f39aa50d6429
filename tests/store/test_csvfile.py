"""CSV as people write it: any usual delimiter and line end, all or nothing."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrashot.errors import InputError
from terrashot.store import csvfile
from terrashot.store.csvfile import read_csv, refuse_rows

cell = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs", "Cc")), max_size=8).map(
    str.strip
)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_delimiters_line_ends_and_byte_order_marks_do_not_matter(tmp_path, delimiter, end, encoding):
    text = end.join(delimiter.join(row) for row in (["id", "wet"], [" a ", "1"], ["Zürich", ""])) + end
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    table = read_csv(tmp_path / "t.csv")
    assert (table.names, table.rows, table.lines) == (("id", "wet"), [["a", "1"], ["Zürich", ""]], [2, 3])
    assert table.column("wet") == ["1", ""]


@settings(max_examples=60)
@given(st.lists(st.tuples(cell.filter(bool), cell), min_size=1, max_size=6), st.sampled_from(",;\t"))
def test_what_was_written_is_read(tmp_path_factory, rows, delimiter):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([("id", "x"), *rows])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(buffer.getvalue().encode())
    assert read_csv(path).rows == [list(row) for row in rows]


def test_empty_rows_are_left_out_and_lines_still_right(tmp_path):
    (tmp_path / "t.csv").write_text('id,x\n\na,"1\n2"\n,,\n,\nb,3\n')
    table = read_csv(tmp_path / "t.csv")
    assert table.rows == [["a", "1\n2"], ["b", "3"]]
    assert table.lines == [4, 7]


def test_a_huge_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfile, "MAX_BYTES", 10)
    (tmp_path / "t.csv").write_text("id,x\na,1\nb,2\n")
    with pytest.raises(InputError, match="write it as Parquet or cut it"):
        read_csv(tmp_path / "t.csv")


def test_a_cell_without_end_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("id\n" + "x" * 200_000)
    with pytest.raises(InputError, match="line 2: no CSV: field larger than field limit"):
        read_csv(tmp_path / "t.csv")


def test_bad_rows_are_counted_and_the_first_ones_told(tmp_path):
    refuse_rows(tmp_path, [])
    with pytest.raises(InputError) as refusal:
        refuse_rows(tmp_path, [(9, "i"), (2, "a"), (3, "b"), (4, "c")])
    assert str(refusal.value) == f"{tmp_path}: 4 bad rows, nothing was read; line 2: a; line 3: b; line 4: c; ..."
