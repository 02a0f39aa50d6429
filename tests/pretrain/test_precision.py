"""Which number type training takes."""

import pytest
import torch

from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.precision import FIRST_LOOK_TOKENS, faster_precision

CPU = torch.device("cpu")


def towers(width, heads):
    return TowersConfig(("a", "b"), VitConfig(width=width, depth=2, heads=heads, patch_px=16, chip_px=64), 32)


def chosen(gains, width=128):
    """The choice where bfloat16 is so many times as fast in each measurement, and how many tokens each of them had."""
    asked, left = [], iter(gains)

    def rate(config, device, *, is_bfloat16, most_tokens):
        asked.append(most_tokens)
        return next(left) if is_bfloat16 else 1.0

    return faster_precision(towers(width, 2), CPU, rate), asked


def test_narrow_towers_are_float32_without_a_measurement():
    assert chosen([], width=64) == ("float32", [])


def test_where_a_short_look_is_clear_nothing_more_is_measured():
    assert chosen([0.4]) == ("float32", [FIRST_LOOK_TOKENS] * 2)


@pytest.mark.parametrize(
    "gains, expected",
    [
        ([0.6, 1.2, 1.2], "float32"),
        ([2.0, 1.2, 1.2], "float32"),
        ([0.6, 1.4, 1.4], "bfloat16"),
        ([0.6, 0.3, 1.4], "bfloat16"),
    ],
)
def test_it_is_bfloat16_where_that_is_clearly_faster_at_its_best(gains, expected):
    found, asked = chosen(gains)
    assert found == expected and len(asked) == 6


def test_this_machine_is_measured_where_nothing_else_is_said():
    assert faster_precision(towers(128, 2), CPU) in ("float32", "bfloat16")
