"""What can be wrong with the input of pretraining: each its line, with its exit code."""

import sys

import pytest
from test_bad_input import edit, good_study, in_process


@pytest.fixture
def ready(tmp_path, capsys, monkeypatch):
    """A study whose chips are read."""
    study = good_study(tmp_path)
    assert in_process(capsys, monkeypatch, "run", study, "--only", "chips", "--only", "ingest")[0] == 0
    return study


@pytest.fixture
def pretrain(ready, capsys, monkeypatch):
    """Exit code, last line, and all that is said, of pretraining it."""

    def run():
        monkeypatch.setattr(sys, "argv", ["terrashot", "run", str(ready), "--only", "pretrain"])
        from terrashot.cli import main

        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return int(stop.value.code or 0), said.splitlines()[-1], said

    return run


def test_an_unreadable_chunk_names_its_chip_and_what_mends_it(ready, pretrain):
    path = ready / "chips.zarr" / "s2rgbm" / "c" / "0" / "0" / "0" / "0"
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    code, line, _ = pretrain()
    assert code == 6 and "chip c" in line and "s2rgbm, slot 0 is damaged; run: terrashot verify --repair" in line
    assert not (ready / "model").exists()


def test_a_batch_larger_than_the_split_is_said_and_trained_with_what_is_there(ready, pretrain):
    edit("study.toml", "batch_size = 16", "batch_size = 4096")(ready)
    code, _, said = pretrain()
    assert code == 0
    assert "batch_size 4096 is more than the 24 training chips: each step takes all of them" in said


def test_tensorboard_without_its_extra_gives_the_line_that_installs_it(ready, pretrain, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    edit("study.toml", "batch_size = 16", "batch_size = 16\ntensorboard = true")(ready)
    code, line, _ = pretrain()
    assert code == 2 and "pip install 'terrashot[tensorboard]'" in line


def test_a_preset_that_nobody_has_is_refused_before_anything_is_trained(ready, pretrain):
    edit("study.toml", 'preset = "tiny"', 'preset = "huge"')(ready)
    code, line, _ = pretrain()
    assert code == 2 and "preset" in line


@pytest.mark.parametrize("key", ["keep_patches = 0.0", "chips_at_once = -1", "batch_size = 1", 'precision = "float16"'])
def test_settings_out_of_range_name_their_key(ready, pretrain, key):
    edit("study.toml", "batch_size = 16", key if key.startswith("batch") else f"batch_size = 16\n{key}")(ready)
    code, line, _ = pretrain()
    assert code == 2 and key.partition(" ")[0] in line
