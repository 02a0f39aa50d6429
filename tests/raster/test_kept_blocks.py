"""Blocks are kept as long as there is room, each for its own file."""

import numpy as np

from terrashot.raster.kept_blocks import KeptBlocks


def block(number):
    return np.full(100, number, np.uint8)


def test_those_not_asked_for_longest_go_first():
    kept, file = KeptBlocks(300), object()
    for number in range(3):
        kept.put(file, number, block(number))
    assert kept.get(file, 0)[0] == 0
    kept.put(file, 3, block(3))
    assert [kept.get(file, number) is not None for number in range(4)] == [True, False, True, True]


def test_one_that_is_larger_than_the_room_is_not_kept_and_the_same_one_counts_once():
    kept, file = KeptBlocks(250), object()
    kept.put(file, 0, np.zeros(251, np.uint8))
    assert kept.get(file, 0) is None
    for _ in range(5):
        kept.put(file, 1, block(1))
    kept.put(file, 2, block(2))
    assert kept.get(file, 1) is not None and kept.get(file, 2) is not None


def test_a_file_that_is_forgotten_leaves_the_others_alone():
    kept, one, other = KeptBlocks(300), object(), object()
    kept.put(one, 0, block(1))
    kept.put(other, 0, block(2))
    kept.forget(one)
    assert kept.get(one, 0) is None and kept.get(other, 0)[0] == 2
    kept.put(one, 1, block(1))
    kept.put(one, 2, block(1))
    assert kept.get(other, 0) is not None


def test_one_that_many_others_were_asked_for_since_is_let_go_though_there_is_room():
    kept, file = KeptBlocks(10_000, most_asked=10), object()
    for number in range(30):
        assert kept.get(file, number) is None
        kept.put(file, number, block(number))
        assert kept.get(file, 0) is not None, "asked for again and again"
    there = [number for number in range(30) if number in {key for _, key in kept._blocks}]
    assert there == [0, *range(24, 30)]
