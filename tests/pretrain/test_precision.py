"""Which number type training takes."""

import time

import torch

from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain import precision
from terrashot.pretrain.precision import faster_precision

CPU = torch.device("cpu")


def towers(width, heads):
    return TowersConfig(("a", "b"), VitConfig(width=width, depth=2, heads=heads, patch_px=16, chip_px=64), 32)


def test_narrow_towers_are_float32_without_a_measurement():
    started = time.perf_counter()
    assert faster_precision(towers(64, 2), CPU) == "float32"
    assert time.perf_counter() - started < 0.05


def test_the_choice_is_what_a_matrix_product_here_says_where_it_says_it_clearly():
    rows, matrix = torch.randn(512, 384), torch.randn(384, 1536)

    def seconds(dtype):
        left, right = rows.to(dtype), matrix.to(dtype)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            left @ right
            times.append(time.perf_counter() - started)
        return min(times)

    gain = seconds(torch.float32) / seconds(torch.bfloat16)
    found = faster_precision(towers(384, 6), CPU)
    assert found in ("float32", "bfloat16")
    if gain < precision.LEAST_GAIN / 1.5:
        assert found == "float32"
    if gain > 3 * precision.LEAST_GAIN:
        assert found == "bfloat16"
