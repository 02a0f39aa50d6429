"""The recipe of open data is what `new` writes, and is a study file."""

from pathlib import Path

from terrashot.config import read_config
from terrashot.remote.profiles import profile_of
from terrashot.steps.new import make_study

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "open-data.toml"


def test_the_recipe_is_what_new_writes_for_an_open_data_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_study(Path("open-data"), "open-data", None)
    written = Path("open-data/study.toml").read_text()
    assert RECIPE.read_text().replace("recipes/open-data.toml", "open-data") == written


def test_its_catalogues_are_known_and_need_no_account():
    source = read_config(RECIPE).source
    assert source.optical is not None and source.radar is not None
    assert source.coherence is not None and source.coherence.product == "seasonal"
    signing = [profile_of(str(section.catalogue)).signing for section in (source.optical, source.radar)]
    assert signing == ["none", "planetary-computer"]
