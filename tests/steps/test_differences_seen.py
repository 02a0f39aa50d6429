"""A model that sees differences sees them wherever it is used: in tables, parts, floors' rival, and the missing-data report."""

import csv

import numpy as np
import pytest
import torch

from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.embed.scaling import differences_for
from terrashot.model.checkpoint import load_model, save_model
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.dataset import make_draws
from terrashot.steps.embed_chips import EmbedRequest, embed_choices, embed_files
from terrashot.steps.given_chips import open_chips
from terrashot.steps.missing_files import MissingRequest, missing_files
from terrashot.steps.progress import finish
from terrashot.store.chips import open_chip_store
from terrashot.store.differences import with_differences
from terrashot.store.missing import read_missing
from terrashot.store.statistics import measure_channels, measure_differences
from terrashot.store.vectors import read_embeddings

N = 40
N_CHANNELS = {"s2rgbm": 3, "s1grdm": 2}
TOML = {
    "s2rgbm": 'names = ["nir", "red", "green"]\nunits = "reflectance"\n',
    "s1grdm": 'names = ["before_vv", "after_vv"]\nkinds = ["vv", "vv"]\nunits = "dB"\n',
}
KINDS = {"s2rgbm": ("nir", "red", "green", "nir~red", "green~nir", "green~red"), "s1grdm": ("vv", "vv~before")}


BEHIND_A_STEM = TowersConfig(
    ("s2rgbm", "s1grdm"), VitConfig(16, 1, 2, 8, 16, (8, 8)), 2 * (8 + 16) + 8, kinds=KINDS, differences=True
)


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def given(made_once):
    """A chip folder, its labels, and two models of the same weights: `plain`, and `seeing` differences; `stem`, behind one."""
    return made_once("chips for differences", make)


def make(folder):
    rng = np.random.default_rng(0)
    for modality, toml in TOML.items():
        (folder / "chips" / modality).mkdir(parents=True)
        (folder / "chips" / f"{modality}.toml").write_text(toml)
        for i in range(N):
            np.save(folder / "chips" / modality / f"c{i}.npy", rng.random((N_CHANNELS[modality], 16, 16), np.float32))
    write_csv(folder / "chips" / "chips.csv", [["id"], *([f"c{i}"] for i in range(N))])
    write_csv(folder / "labels.csv", [["id", "kind"], *([f"c{i}", "ab"[i % 2]] for i in range(N))])
    chips, store = finish(open_chips(folder / "chips", folder / "store"))
    plain = measure_channels(store, chips.ids, 0)
    towers = make_towers(TowersConfig(("s2rgbm", "s1grdm"), VitConfig(16, 1, 2, 8, 16), 16), 0)
    save_model(folder / "plain", towers, plain, {})
    stats = measure_differences(store, plain, chips.ids, 0)
    save_model(folder / "seeing", towers, stats, {})
    save_model(folder / "stem", make_towers(BEHIND_A_STEM, 0), stats, {})


def embedded(given, model, out, channels, chips=None, statistics="model"):
    floors = out / "floors.parquet"
    choices = embed_choices(channels, "training-mean", "float32", "float32")
    asked = EmbedRequest(given / model, chips or given / "chips", out / "e.parquet", statistics, floors, True, choices)
    finish(embed_files(asked))
    return read_embeddings(asked.out), read_embeddings(floors)


def test_differences_go_into_the_mean_and_are_parts_of_their_own_by_kind(given, tmp_path):
    plain, _ = embedded(given, "plain", tmp_path, "mean")
    seeing, _ = embedded(given, "seeing", tmp_path, "mean")
    assert set(plain.n_channels["s2rgbm"]) == {3} and set(seeing.n_channels["s2rgbm"]) == {6}
    assert set(seeing.n_channels["s1grdm"]) == {3}
    apart, _ = embedded(given, "seeing", tmp_path, "each")
    assert apart.kinds == KINDS
    mean = apart.parts("s2rgbm").sum(axis=1)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(mean, seeing.blocks["s2rgbm"], atol=1e-6)
    dated, _ = embedded(given, "seeing", tmp_path, "each-date")
    assert dated.kinds["s1grdm"] == ("before_vv", "after_vv", "after_vv~before_vv")


def test_tables_of_towers_behind_a_stem_tell_what_modalities_share_and_so_do_their_floors(given, tmp_path):
    table, floors = embedded(given, "stem", tmp_path, "each")
    assert table.shared == {"s2rgbm": 8, "s1grdm": 8}
    assert floors.shared == {"untrained:s2rgbm": 8, "untrained:s1grdm": 8}
    shared = table.shared_parts("s2rgbm")
    assert shared.shape == (N, 6, 8) and table.parts("s2rgbm").shape == (N, 6, 56)
    np.testing.assert_allclose(np.linalg.norm(shared, axis=2), np.sqrt(0.5), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(table.parts("s2rgbm"), axis=2), 1, rtol=1e-5)


def test_channels_named_alone_bring_no_difference_and_a_difference_may_be_named(given, tmp_path):
    named, _ = embedded(given, "seeing", tmp_path, "nir,red")
    assert set(named.n_channels["s2rgbm"]) == {2}
    alone, _ = embedded(given, "seeing", tmp_path, "nir~red")
    assert set(alone.n_channels["s2rgbm"]) == {1}


def test_floors_see_the_channels_alone_and_untrained_towers_what_the_model_sees(given, tmp_path):
    _, plain = embedded(given, "plain", tmp_path, "each")
    _, seeing = embedded(given, "seeing", tmp_path, "each")
    for name in plain.blocks:
        if not name.startswith("untrained:"):
            np.testing.assert_array_equal(plain.blocks[name], seeing.blocks[name])
    assert seeing.parts("untrained:s2rgbm").shape[1] == 6 and plain.parts("untrained:s2rgbm").shape[1] == 3


def test_chips_scaled_by_their_own_moments_have_differences_scaled_by_their_own(given, tmp_path):
    model, _ = embedded(given, "seeing", tmp_path, "each")
    own, _ = embedded(given, "seeing", tmp_path, "each", statistics="chips")
    # The model was given the moments of these very chips.
    np.testing.assert_array_equal(model.blocks["s2rgbm"], own.blocks["s2rgbm"])


def test_the_model_s_moments_serve_differences_of_channels_that_they_scale_and_no_others():
    def of(mean, **others):
        moments = KindStats(mean, 1.0, 9, "spreads")
        return {
            "s2rgbm": dict.fromkeys(("nir", "red", "green", "nir~red", "green~nir", "red~before"), moments) | others
        }

    own_green = KindStats(5.0, 1.0, 9, "spreads")
    kinds = of(2.0)["s2rgbm"] | {kind: of(1.0)["s2rgbm"][kind] for kind in ("nir", "red")} | {"green": own_green}
    found = differences_for(ChannelStats(of(1.0)), ChannelStats({"s2rgbm": {**kinds, "green~red": own_green}}))
    means = {kind: moments.mean for kind, moments in found.kinds["s2rgbm"].items()}
    assert means == {"nir": 1, "red": 1, "green": 5, "nir~red": 1, "red~before": 1, "green~nir": 2, "green~red": 5}


@pytest.mark.parametrize("model", ["seeing", "stem"])
def test_the_missing_data_report_leaves_out_differences_with_their_channels_and_never_alone(given, tmp_path, model):
    asked = MissingRequest(
        given / model, given / "chips", given / "labels.csv", tmp_path / "gone", "each", "model", False
    )
    finish(missing_files(asked))
    left_out = {row.left_out for row in read_missing(tmp_path / "gone" / "missing.parquet").scores}
    assert left_out >= {"", "s2rgbm", "s1grdm", "nir", "red", "green", "before_vv", "after_vv"}
    assert not any("~" in name for name in left_out)


def test_moments_of_the_model_hold_those_of_its_channels_and_differences(given):
    store = open_chip_store(given / "store")
    measured = measure_differences(store, measure_channels(store, store.chip_ids, 0), store.chip_ids, 0)
    assert {name: set(kinds) for name, kinds in measured.kinds.items()} == {
        name: set(own) for name, own in KINDS.items()
    }
    assert measured.has_differences and not measure_channels(store, store.chip_ids, 0).has_differences


def test_training_draws_differences_among_channels_in_spreads(given):
    model, plain = load_model(given / "seeing"), open_chip_store(given / "store")
    store = with_differences(plain, model.stats)
    draws = make_draws(store, model.stats, store.chip_ids, 0)
    drawn = {kind for chip_slots in draws.slots.values() for of_modality in chip_slots for _, kind in of_modality}
    assert drawn == {kind for own in KINDS.values() for kind in own}
    pixels = torch.cat([draws.views(store.chip_ids, f"{epoch}", augment=False).pixels["s2rgbm"] for epoch in range(4)])
    spread = pixels.std(dim=(1, 2, 3))
    # Of chips whose pixels are the same draw in every kind, scaled by the moments of its kind.
    assert torch.allclose(spread, torch.ones_like(spread), atol=0.3)
