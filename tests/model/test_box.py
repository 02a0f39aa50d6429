"""Models that come with the package."""

from pathlib import Path

from terrashot.model.box import boxed_models, model_folder
from terrashot.model.checkpoint import load_model

LARGEST_BYTES = 10_000_000


def test_every_model_in_the_box_is_whole_small_and_has_a_card():
    for name in boxed_models():
        folder = model_folder(Path(name))
        assert load_model(folder).towers.config.vit.stem
        assert sum(path.stat().st_size for path in folder.iterdir()) < LARGEST_BYTES
        assert "licence" in (folder / "CARD.md").read_text().lower()


def test_a_folder_on_disk_goes_before_a_name_and_other_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in boxed_models():
        Path(name).mkdir()
        assert model_folder(Path(name)) == Path(name)
    assert model_folder(Path("nothing")) == Path("nothing")
    assert model_folder(tmp_path / "small") == tmp_path / "small"
