"""Models on disk: whole or refused."""

import json
import os
import struct
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.durable.files import sha256_of, sha256_of_file
from terrashot.errors import InputError, IntegrityError, TerrashotError
from terrashot.model.checkpoint import load_model, save_model
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig

CONFIG = TowersConfig(("s2rgbm", "gunw"), VitConfig(width=8, depth=2, heads=2, patch_px=4, chip_px=8), embedding=6)
STATS = ChannelStats(
    {"s2rgbm": {"red": KindStats(0.1, 0.05, 1000, "reflectance")}, "gunw": {"coherence": KindStats(0.4, 0.2, 9, None)}}
)
SUMMARY = {"best_epoch": 3, "train_chips": "abc"}


@pytest.fixture
def folder(tmp_path):
    save_model(tmp_path / "model", make_towers(CONFIG, 0), STATS, SUMMARY)
    return tmp_path / "model"


def recard(folder, **changes):
    """The card with some content changed and its own digest made to fit, as a forger would."""
    content = json.loads((folder / "model.json").read_bytes()) | changes
    content.pop("digest")
    content["digest"] = sha256_of(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
    (folder / "model.json").write_text(json.dumps(content, indent=1, sort_keys=True))


def test_a_model_comes_back_as_it_was(folder):
    model = load_model(folder)
    pixels = torch.randn(2, 1, 8, 8)
    assert torch.equal(model.towers.embed(pixels, "gunw"), make_towers(CONFIG, 0).embed(pixels, "gunw"))
    assert model.stats == STATS and model.summary == SUMMARY and model.towers.config == CONFIG


def test_the_digest_depends_on_the_content_and_not_on_path_or_time(folder, tmp_path):
    elsewhere = save_model(tmp_path / "deep" / "er", make_towers(CONFIG, 0), STATS, SUMMARY)
    assert load_model(folder).digest == elsewhere
    assert (folder / "model.json").read_bytes() == (tmp_path / "deep" / "er" / "model.json").read_bytes()
    other_unit = ChannelStats(STATS.kinds | {"gunw": {"coherence": replace(STATS.of("gunw", "coherence"), unit="dn")}})
    digests = {
        elsewhere,
        save_model(tmp_path / "b", make_towers(CONFIG, 1), STATS, SUMMARY),
        save_model(tmp_path / "c", make_towers(CONFIG, 0), other_unit, SUMMARY),
    }
    assert len(digests) == 3


def test_half_precision_is_half_the_bytes_and_almost_the_same_vectors(folder, tmp_path):
    towers = make_towers(CONFIG, 0)
    digest = save_model(tmp_path / "half", towers, STATS, SUMMARY, dtype="float16")
    back = load_model(tmp_path / "half")
    assert back.digest == digest != load_model(folder).digest
    sizes = [(one / "weights.safetensors").stat().st_size for one in (tmp_path / "half", folder)]
    assert sizes[1] - sizes[0] == pytest.approx(2 * towers.n_parameters, abs=200)
    assert {parameter.dtype for parameter in back.towers.parameters()} == {torch.float32}
    pixels = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(back.towers.embed(pixels, "gunw"), towers.embed(pixels, "gunw"), atol=1e-3, rtol=0)
    again = save_model(tmp_path / "again", back.towers, STATS, SUMMARY, dtype="float16")
    assert again == digest


def test_a_card_of_another_number_type_than_its_weights_is_refused(folder):
    for dtype in ("float16", "int8", 4, None):
        recard(folder, dtype=dtype)
        with pytest.raises(IntegrityError):
            load_model(folder)


def test_a_weight_that_half_precision_cannot_hold_is_refused(tmp_path):
    towers = make_towers(CONFIG, 0)
    with torch.no_grad():
        towers.log_scale.fill_(1e5)
    with pytest.raises(InputError, match="not finite in float16"):
        save_model(tmp_path / "half", towers, STATS, SUMMARY, dtype="float16")
    assert not (tmp_path / "half").exists()


def test_an_absent_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no model\.json"):
        load_model(tmp_path)


def test_every_flipped_byte_is_found(folder):
    for name in ("model.json", "weights.safetensors"):
        whole = (folder / name).read_bytes()
        for place in {*range(0, len(whole), max(1, len(whole) // 60)), len(whole) - 1}:
            (folder / name).write_bytes(whole[:place] + bytes([whole[place] ^ 0x11]) + whole[place + 1 :])
            try:
                model = load_model(folder)
            except IntegrityError:
                continue
            # The card's own white space may differ; nothing that is used may.
            assert name == "model.json" and model.digest == json.loads(whole)["digest"]
        (folder / name).write_bytes(whole)


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_truncated_or_missing_file_is_refused(folder, name):
    whole = (folder / name).read_bytes()
    for length in (0, 7, len(whole) // 2, len(whole) - 1):
        (folder / name).write_bytes(whole[:length])
        with pytest.raises(IntegrityError):
            load_model(folder)
    (folder / name).unlink()
    with pytest.raises(InputError):
        load_model(folder)


def test_a_newer_format_names_what_is_needed(folder):
    recard(folder, format=2)
    with pytest.raises(IntegrityError, match=r"format 2.*update terrashot"):
        load_model(folder)


@pytest.mark.parametrize(
    "towers",
    [
        {
            "modalities": ["a"],
            "vit": {"width": 8, "depth": 10**9, "heads": 2, "patch_px": 4, "chip_px": 8},
            "embedding": 6,
        },
        {"modalities": ["m"] * 10**5, "vit": CONFIG.as_json()["vit"], "embedding": 6},
        {"modalities": ["__class__.x"], "vit": CONFIG.as_json()["vit"], "embedding": 6},
        {"modalities": ["a"], "vit": {"width": 8}, "embedding": 6},
        {"modalities": "ab", "vit": CONFIG.as_json()["vit"], "embedding": 6},
        [],
        None,
    ],
)
def test_a_forged_shape_is_refused_before_it_is_built(folder, towers):
    recard(folder, towers=towers)
    with pytest.raises(IntegrityError):
        load_model(folder)


@pytest.mark.parametrize("moments", [{"mean": 0.0, "std": 0.0, "count": 1, "unit": None}, {"mean": "x"}, 3])
def test_forged_statistics_are_refused(folder, moments):
    recard(folder, statistics={"gunw": {"coherence": moments}})
    with pytest.raises(IntegrityError):
        load_model(folder)


def forge(folder, tensors):
    save_file(tensors, folder / "weights.safetensors")
    recard(folder, weights_sha256=sha256_of_file(folder / "weights.safetensors"))


def test_weights_of_another_shape_name_or_type_are_refused(folder):
    good = load_file(folder / "weights.safetensors")
    first = next(iter(good))
    wrong_type = good | {first: good[first].view(torch.int32)}
    wrong_name = {name: tensor for name, tensor in good.items() if name != first} | {"other": good[first]}
    wrong_shape = good | {first: good[first].reshape(*good[first].shape, 1)}
    for forged in (wrong_type, wrong_name, wrong_shape):
        forge(folder, forged)
        with pytest.raises(IntegrityError, match="its tensors are not those"):
            load_model(folder)


def test_weights_that_are_not_numbers_are_refused(folder):
    good = load_file(folder / "weights.safetensors")
    good["log_scale"] = torch.tensor(float("nan"))
    forge(folder, good)
    with pytest.raises(IntegrityError, match="not a finite number"):
        load_model(folder)


def test_a_bomb_of_a_header_is_refused(folder):
    size = (folder / "weights.safetensors").stat().st_size
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", 1 << 40) + b"{" * (size - 8))
    recard(folder, weights_sha256=sha256_of_file(folder / "weights.safetensors"))
    with pytest.raises(IntegrityError):
        load_model(folder)
    (folder / "weights.safetensors").write_bytes(b"\0" * (4 << 20))
    with pytest.raises(IntegrityError, match=r"need .* and a header"):
        load_model(folder)


def test_a_failed_write_leaves_the_old_model(folder, monkeypatch):
    before = load_model(folder).digest
    (folder / f".weights.safetensors.{os.getpid()}.part").mkdir()
    with pytest.raises(TerrashotError):
        save_model(folder, make_towers(CONFIG, 1), STATS, SUMMARY)
    assert load_model(folder).digest == before


@pytest.mark.parametrize("moments", [{"std": 1e-320}, {"std": 1e300}, {"mean": -1e300}, {"mean": float("nan")}])
def test_moments_that_float32_cannot_hold_are_refused(folder, moments):
    good = {"mean": 0.1, "std": 0.05, "count": 1, "unit": None}
    recard(folder, statistics={"s2rgbm": {"red": good | moments}})
    with pytest.raises(IntegrityError, match="not a model of ours"):
        load_model(folder)


def test_a_card_of_millions_of_lists_is_refused_before_it_is_parsed(folder):
    (folder / "model.json").write_text('{"format": 1, "x": [' + ",".join(["[]"] * 600_000) + "]}")
    with pytest.raises(IntegrityError, match="holds far more than a model card of ours"):
        load_model(folder)
