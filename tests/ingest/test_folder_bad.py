"""Wrong chip folders: each is refused with its class and a line that names file, line and fix."""

import csv

import numpy as np
import pytest

from terrashot.errors import InputError
from terrashot.ingest.folder import open_chip_folder


def write_csv(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def folder(tmp_path):
    """Four good chips of 4 px."""
    write_csv(tmp_path / "chips.csv", ["id", "area"], *([f"c{i}", "x"] for i in range(4)))
    write_csv(tmp_path / "labels.csv", ["id", "wet"], *([f"c{i}", f"{i}"] for i in range(4)))
    (tmp_path / "s2rgbm").mkdir()
    for i in range(4):
        np.save(tmp_path / "s2rgbm" / f"c{i}.npy", np.ones((3, 4, 4), np.uint8))
    return tmp_path


def chips(*rows):
    return lambda folder: write_csv(folder / "chips.csv", *rows)


def labels(*rows):
    return lambda folder: write_csv(folder / "labels.csv", *rows)


def raw(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def toml(text):
    return raw("s2rgbm.toml", text.encode())


def image(name, values):
    return lambda folder: np.save(folder / "s2rgbm" / name, values)


def each(*actions):
    return lambda folder: [action(folder) for action in actions]


def images(values):
    return each(*(image(f"c{i}.npy", values) for i in range(4)))


def no_files(folder):
    for path in (folder / "s2rgbm").iterdir():
        path.unlink()


def misnamed(folder):
    (folder / "s2rgbm").rename(folder / "s2rgb")


def as_file(folder):
    path = folder / "chips.csv"
    path.unlink()
    path.mkdir()


CASES = {
    "no chips.csv": (lambda f: (f / "chips.csv").unlink(), "chips.csv: no such file"),
    "chips.csv is a folder": (as_file, "chips.csv: cannot be read: Is a directory"),
    "an empty chips.csv": (raw("chips.csv", b""), "chips.csv: empty; its first line names the columns"),
    "a header alone": (chips(["id", "area"]), "chips.csv: no chip in it"),
    "no id": (chips(["area"], ["x"]), "line 1: columns must be id and any of area, split, lon, lat, group"),
    "an unknown column": (chips(["id", "spilt"], ["c0", "train"]), "found spilt; did you mean 'split'?"),
    "a column twice": (chips(["id", "area", "area"], ["c0", "x", "y"]), "each name once; found id, area, area"),
    "a column without a name": (chips(["id", ""], ["c0", "x"]), "must name each column"),
    "a row too short": (chips(["id", "area"], ["c0"]), "line 2 has 1 cells, the first line 2"),
    "an open quote": (raw("chips.csv", b'id,area\n"c0,x\n'), "no CSV: unexpected end of data"),
    "not UTF-8": (raw("chips.csv", "id,area\nc0,Zürich\n".encode("latin-1")), "byte 12 is not UTF-8; save it as UTF-8"),
    "UTF-16": (raw("chips.csv", "id,area\nc0,x\n".encode("utf-16")), "byte 0 is not UTF-8"),
    "zero bytes": (raw("chips.csv", b"id,area\nc0\0,x\n"), "holds zero bytes"),
    "a row without an id": (chips(["id", "area"], ["", "x"]), "line 2: no id"),
    "an id that is a path": (chips(["id"], ["../c0"]), "line 2: id '../c0' must be 1 to 128 of A-Z a-z 0-9 . _ -"),
    "an id of dots": (chips(["id"], [".."]), "line 2: id '..' must be"),
    "an id of 129 letters": (chips(["id"], ["x" * 129]), "must be 1 to 128"),
    "an id twice": (chips(["id"], ["c0"], ["c1"], ["c0"]), "line 4: id 'c0' stands in line 2 and in line 4; each chip has one"),
    "several bad ids": (chips(["id"], ["/"], ["c0"], ["*"], ["?"], ["!"]), "chips.csv: 4 bad rows, nothing was read; line 2:"),
    "a bad row after an empty line": (raw("chips.csv", b"id\n\nc0\n\n/\n"), "line 5: id '/'"),
    "a bad row after a cell of two lines": (raw("chips.csv", b'id,area\nc0,"x\ny"\n/,x\n'), "line 4: id '/'"),
    "an unknown split": (chips(["id", "split"], ["c0", "tran"]), "line 2: split 'tran' is none of train, val, test, buffer; did you mean 'train'?"),
    "a split of some chips": (chips(["id", "split"], ["c0", "train"], ["c1", ""]), "line 3: no split, while other chips have one"),
    "lon without lat": (chips(["id", "lon", "lat"], ["c0", "9", ""]), "line 2: lon '9' and lat ''; give both or none"),
    "lon without a lat column": (chips(["id", "lon"], ["c0", "9"]), "give both or none"),
    "lon that is no number": (chips(["id", "lon", "lat"], ["c0", "9E", "45"]), "line 2: lon '9E' and lat '45' must both be numbers"),
    "lat before lon": (chips(["id", "lon", "lat"], ["c0", "45", "145"]), "are no degrees; longitude comes first"),
    "lon NaN": (chips(["id", "lon", "lat"], ["c0", "nan", "45"]), "are no degrees"),
    "no image": (no_files, "no image of any chip in chips.csv; expected s2rgbm/ID.tif"),
    "a misnamed folder": (misnamed, "'s2rgb' is not read, for its name is no modality; did you mean 's2rgbm'?"),
    "images of other chips only": (chips(["id"], ["d0"]), "4 files are of no chip in chips.csv, as c0.npy"),
    "two images of a chip": (raw("s2rgbm/c1.tif", b""), "c1.tif: chip 'c1' has c1.npy too; keep one of them"),
    "no readable image": (each(*(raw(f"s2rgbm/c{i}.npy", b"x") for i in range(4))), "c0.npy: cannot be read"),
    "images that are not square": (images(np.ones((3, 4, 5), np.uint8)), "c0.npy: 5 x 4 px is no square image"),
    "more names than channels": (toml('names = ["a", "b", "c", "d"]'), "s2rgbm.toml: 4 names (a, b, c, d) for 3 channels"),
    "a name twice": (toml('names = ["a", "b", "a"]'), "s2rgbm.toml: two channels are called 'a'; name them apart"),
    "two units for three channels": (toml('units = ["dn", "dB"]'), "units has 2 entries for 3 channels; give one, or one a channel"),
    "two scales for three channels": (toml("scale = [1, 2]"), "c0.npy: "),
    "an unknown key": (toml('unit = "dn"'), "s2rgbm.toml: unknown key 'unit'; did you mean 'units'?"),
    "a key like no other": (toml('qqq = "dn"'), "unknown key 'qqq'; known keys: names, kinds, units, scale, offset, nodata"),
    "an unknown unit": (toml('units = "db"'), "units 'db' are none of reflectance, dB, dB sigma0, coherence, dn, spreads; did you mean 'dB'?"),
    "a unit that is a number": (toml("units = 1"), "units must be text, or a list of them; found '1'"),
    "a scale that is text": (toml('scale = "0.1"'), "scale must be a number"),
    "a scale that is true": (toml("scale = true"), "scale must be a number"),
    "a scale of zero": (toml("scale = 0"), "scale must be finite, and not 0; found 0"),
    "an offset without end": (toml("offset = inf"), "offset must be finite; found inf"),
    "no names": (toml("names = []"), "names must be text, or a list of them"),
    "an empty name": (toml('names = ["a", " ", "c"]'), "a name is 1 to 128 printable characters"),
    "no TOML": (toml("names = "), "s2rgbm.toml: cannot be read as TOML"),
    "TOML that is not UTF-8": (raw("s2rgbm.toml", b"names = '\xff'"), "cannot be read as TOML"),
    "a huge TOML": (raw("s2rgbm.toml", b"#" * (1 << 21)), "over 1048576 bytes"),
    "no labels.csv": (lambda f: (f / "labels.csv").unlink(), "labels.csv: no such file"),
    "labels without a chip": (
        labels(["id", "wet"], *([f"d{i}", "1"] for i in range(5))), "5 labels are of no chip in chips.csv, the first 'd0', 'd1', 'd2'; add",
    ),
    "labels alone without id": (labels(["chip", "wet"], ["c0", "1"]), "labels.csv: no column 'id'; columns are chip, wet"),
    "a label twice": (labels(["id", "wet"], ["c0", "1"], ["c0", "2"]), "line 3: id 'c0' stands in line 2 and in line 3"),
    "a label that is no number": (labels(["id", "wet"], ["c0", "1"], ["c1", "2"], ["c2", "wet"]), "line 4: 'wet' is 'wet' where other rows hold numbers"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_a_wrong_chip_folder_is_refused_in_one_line(kind, folder):
    damage, said = CASES[kind]
    damage(folder)
    with pytest.raises(InputError) as refusal:
        opened = open_chip_folder(folder)
        opened.labels()
        for source in opened.sources:
            source.read("c0")
    line = str(refusal.value)
    assert type(refusal.value) is InputError
    assert (said in line, line.startswith(str(folder)), "\n" in line) == (
        True,
        True,
        False,
    ), line


READ_CASES = {
    "another size": (np.ones((3, 5, 5), np.uint8), "c1.npy: 5 px, the other s2rgbm files have 4; cut or resample it"),
    "a channel too few": (np.ones((2, 4, 4), np.uint8), "c1.npy: 2 channels, the other s2rgbm files have 3"),
    "another kind of number": (np.ones((3, 4, 4), np.float32), "c1.npy: 'c1' is in None, in the other files in dn"),
    "not square": (np.ones((3, 4, 6), np.uint8), "c1.npy: 6 x 4 px is no square image"),
}


@pytest.mark.parametrize("kind", READ_CASES)
def test_one_wrong_image_is_refused_when_it_is_read(kind, folder):
    values, said = READ_CASES[kind]
    image("c1.npy", values)(folder)
    source = open_chip_folder(folder).sources[0]
    source.read("c0")
    with pytest.raises(InputError) as refusal:
        source.read("c1")
    assert said in str(refusal.value)


def test_coherence_outside_0_to_1_is_refused(folder):
    (folder / "gunw").mkdir()
    np.save(folder / "gunw" / "c0.npy", np.full((1, 4, 4), 50, np.uint8))
    (folder / "gunw.toml").write_text('units = "coherence"')
    source = open_chip_folder(folder).sources[1]
    with pytest.raises(InputError, match=r"coherence 'c1' from 50 to 50; it lies between 0 and 1"):
        source.read("c0")
    (folder / "gunw.toml").write_text('units = "coherence"\nscale = 0.01')
    assert np.allclose(open_chip_folder(folder).sources[1].read("c0").values, 0.5)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such chip folder"):
        open_chip_folder(tmp_path / "nowhere")
