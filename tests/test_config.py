"""The study file is read strictly, and every refusal says where and what to do."""

import pytest

from terrashot.config import LARGEST_FILE_BYTES, read_config
from terrashot.errors import ConfigError

AREA = "[areas.a]\nbbox = [9.0, 45.0, 9.2, 45.2]\n"
NORTH = AREA.replace("areas.a", "areas.north")
LEFT_OUT = '[split]\nscheme = "leave_area_out"\narea = "{}"\n'
SCENES = '[source]\nkind = "scenes"\n[source.optical]\nfolder = "scenes"\n'
MAP = "[labels.maps.crop]\n{}\n"
FOLDER = '[source]\nkind = "folder"\npath = "chips"\n'


def read(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_an_area_is_all_a_study_needs(tmp_path):
    config = read(tmp_path, AREA)
    assert config.areas["a"].bbox == (9.0, 45.0, 9.2, 45.2)
    assert config.grid.chip_px * config.grid.pixel_m == 4480


def test_a_whole_number_stands_for_a_number(tmp_path):
    assert read(tmp_path, AREA + "[grid]\npixel_m = 30\n").grid.pixel_m == 30.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (AREA + "[pretrain]\nbatchsize = 8\n", "[pretrain]: unknown key 'batchsize'; did you mean 'batch_size'?"),
        (AREA + "[pretrian]\nepochs = 8\n", "unknown key 'pretrian'; did you mean 'pretrain'?"),
        (AREA + "[areas.b]\nbox = [0, 0, 1, 1]\n", "[areas.b]: unknown key 'box'; did you mean 'bbox'?"),
        (AREA + "[source.absences]\nmonht = 0.1\n", "[source.absences]: unknown key 'monht'; did you mean 'month'?"),
        (AREA + "[source.absences]\npairs = 41\n", "[source.absences]: pairs: Input should be less than or equal to 40; found 41"),
        (AREA + "[source.absences]\nswath = -0.1\n", "[source.absences]: swath: Input should be greater than or equal to 0"),
        (AREA + "[source.area_absences.a]\ncluod = 0.1\n", "[source.area_absences.a]: unknown key 'cluod'; did you mean 'cloud'?"),
        (AREA + "[source.area_absences.a]\ncloud = 2\n", "[source.area_absences.a]: cloud: Input should be less than or equal to 1; found 2"),
        (NORTH + "[source.area_absences.nroth]\n", "[source.area_absences]: no area 'nroth'; did you mean 'north'?"),
        (NORTH + "[source.area_absences.zz]\n", "[source.area_absences]: no area 'zz'; areas: north"),
        (FOLDER + "[source.area_absences.a]\n", '[source.area_absences] belongs to kind = "simulated"'),
        (AREA + '[pretrain]\nbatch_size = "8"\n', "[pretrain]: batch_size: Input should be a valid integer; found '8'"),
        (AREA + "[pretrain]\nepochs = 0\n", "[pretrain]: epochs: Input should be greater than or equal to 1; found 0"),
        (AREA + '[split]\nscheme = "stripes"\n', "[split]: scheme: Input should be 'auto', 'bands'"),
        (AREA + NORTH + '[split]\nscheme = "leave_area_out"\n', "[split]: area = \"NAME\" belongs to scheme = \"leave_area_out\", which needs it"),
        (AREA + NORTH + '[split]\narea = "a"\n', "[split]: area = \"NAME\" belongs to scheme = \"leave_area_out\""),
        (AREA + NORTH + LEFT_OUT.format("nroth"), "[split]: area: no area 'nroth'; did you mean 'north'?"),
        (AREA + LEFT_OUT.format("a"), '[split]: scheme = "leave_area_out" needs a second area to train on'),
        (AREA + "[split]\nshares = [0.5, 0.2, 0.2]\n", "[split]: shares = [train, val, test] must be above 0"),
        (AREA + "[fewshot]\nsizes = [10, 5]\n", "[fewshot]: sizes must be growing numbers"),
        (AREA + "[fewshot]\nheads = []\n", "[fewshot]: heads must name at least one head"),
        (AREA + '[source]\nkind = "folder"\n', "[source]: path = \"FOLDER\" belongs to kind = \"folder\""),
        (AREA + '[source]\nkind = "folder"\npath = "chips"\n', "[areas] come from chips.csv"),
        ("", "no area; add [areas.NAME]"),
        (AREA + SCENES, '[source] kind = "scenes" needs labels'),
        (AREA + MAP.format('file = "a.tif"\nmean = true'), "[labels.maps] are of the real Earth"),
        (AREA + SCENES + MAP.format('product = "worldcover"'), "[labels.maps.crop]: product = 'worldcover': there are worldcover-2020"),
        (AREA + SCENES + MAP.format('product = "worldcover-2020"'), "is a map of classes: give classes"),
        (AREA + SCENES + MAP.format('product = "worldcover-2020"\nclasses = [41]'), "has no class 41; it has 10, 20"),
        (AREA + SCENES + MAP.format('product = "ghs-built-s"'), '[labels.maps.crop]: give one of file = "MAP.tif"'),
        (AREA + SCENES + MAP.format('product = "ghs-built-s"\nfile = "a.zip"\nfolder = "b"'), "give one of file"),
        (AREA + SCENES + MAP.format('product = "ghs-built-s"\nfile = "a.zip"\nclasses = [1]'), "has no classes"),
        (AREA + SCENES + MAP.format('product = "mod44b-tree-cover"\nfile = "a.tif"\nscale = 2'), "scale and offset of MOD44B tree cover are known"),
        (AREA + SCENES + MAP.format('product = "ghs-built-s"\ncatalogue = "planetary-computer"'), "it has worldcover-2020, worldcover-2021, jrc"),
        (AREA + SCENES + MAP.format('product = "ghs-built-s"\nurl = "https://a/b"'), "that ends with .tif"),
        (AREA + SCENES + MAP.format('file = "a.tif"'), "give one of classes = [CLASS, ...]"),
        (AREA + SCENES + MAP.format('file = "a.tif"\nmean = true\nclasses = [1]'), "give one of classes"),
        (AREA + SCENES + MAP.format('file = "a.tif"\nmean = true\nsearch_url = "https://a"'), "search_url belongs to catalogue"),
        (AREA + SCENES + MAP.format('file = "a.tif"\nmaen = true'), "[labels.maps.crop]: unknown key 'maen'; did you mean 'mean'?"),
        ("[areas.a]\n", "[areas.a]: give one of bbox"),
        ('[areas.a]\npartitions = "a.geojson"\nbbox = [9.0, 45.0, 9.2, 45.2]\n', "[areas.a]: give one of bbox"),
        (AREA + 'splits = "a.csv"\n', '[areas.a]: splits = "FILE.csv" belongs to partitions = "FILE.geojson"'),
        (AREA + '[areas.b]\npartitions = "b.geojson"\n', "[areas]: some have partitions and others an outline"),
        ('[areas.a]\npartitions = "a.geojson"\n[source.area_absences.a]\n', "[source.area_absences] needs areas with an outline"),
        ('[areas."a b"]\nbbox = [0, 0, 1, 1]\n', "String should match pattern"),
        (AREA + "[grid]\npixel_m = inf\n", "pixel_m"),
        ("study = ", "cannot be read as TOML"),
        ("a = " + "[" * 3000, "cannot be read as TOML"),
    ],
)  # fmt: skip
def test_a_wrong_study_file_is_refused_by_name(tmp_path, text, said):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert said in str(error.value)
    assert "study.toml: " in str(error.value)
    assert "\n" not in str(error.value)


def test_a_buffer_that_is_not_given_is_told_from_one_of_no_chip(tmp_path):
    assert read(tmp_path, AREA).split.buffer_chips is None
    assert read(tmp_path, AREA + "[split]\nbuffer_chips = 0\n").split.buffer_chips == 0


def test_the_area_left_out_may_be_one_of_a_chip_folder(tmp_path):
    assert read(tmp_path, FOLDER + LEFT_OUT.format("europe")).split.area == "europe"


def test_an_area_has_the_rates_of_the_study_but_for_those_of_its_own(tmp_path):
    rates = "[source.absences]\ncloud = 0.2\nmonth = 0.3\n[source.area_absences.north]\nmonth = 0.08\npairs = 0\n"
    source = read(tmp_path, AREA + NORTH + rates).source
    assert source.absences_of("a") == source.absences
    north = source.absences_of("north")
    assert (north.cloud, north.month, north.pairs) == (0.2, 0.08, 0.0)
    assert north.modality == source.absences.modality


def test_a_missing_study_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="terrashot new"):
        read_config(tmp_path / "study.toml")


def test_a_study_file_of_a_megabyte_is_refused_unread(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes(b"#" * (LARGEST_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match="over"):
        read_config(path)
