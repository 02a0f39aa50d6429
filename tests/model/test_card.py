"""A model's shape can be read without its weights."""

import pytest

from terrashot.domain.normalize import ChannelStats
from terrashot.errors import InputError
from terrashot.model.checkpoint import WEIGHTS, read_towers_config, save_model
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig

CONFIG = TowersConfig(("s2rgbm", "gunw"), VitConfig(width=8, depth=2, heads=2, patch_px=4, chip_px=8), embedding=6)


def test_the_shape_is_the_one_that_was_saved_even_where_weights_are_gone(tmp_path):
    save_model(tmp_path, make_towers(CONFIG, 0), ChannelStats({}), {})
    (tmp_path / WEIGHTS).unlink()
    assert read_towers_config(tmp_path) == CONFIG


def test_a_folder_without_a_card_has_no_shape(tmp_path):
    with pytest.raises(InputError, match=r"no model\.json in it"):
        read_towers_config(tmp_path)
