"""The map of five areas beside the least that any map of them does: every chip's bounds taken once, an empty figure drawn.

python benchmarks/area_map.py [--quick]
"""

import argparse
from collections.abc import Callable

import numpy as np
import shapely
from interleaved import report, seconds_a_call

from terrashot.areas.coastlines import land_of_the_earth
from terrashot.domain.tables import Chips
from terrashot.plots.area_map import area_map
from terrashot.plots.style import fix_layout, house_style, new_figure, rendered

CHIPS, AREAS = 845_000, 5


def simulated_chips(count: int) -> Chips:
    """Squares of 0.05 degrees in five areas, in bands of four splits."""
    side = int((count / AREAS) ** 0.5)
    x, y = (np.tile(axis.ravel(), AREAS) for axis in np.meshgrid(np.arange(side), np.arange(side)))
    area = np.repeat(np.arange(AREAS), side * side)
    lon, lat = -120 + 45 * area + 0.05 * x, 20.0 + 0.05 * y
    split = np.array(["train", "train", "buffer", "test", "val"], dtype=object)[x * 60 // side % 5]
    names = np.array([f"area {number}" for number in range(AREAS)], dtype=object)[area]
    shapes = shapely.box(lon, lat, lon + 0.05, lat + 0.05)
    return Chips(tuple(map(str, range(len(x)))), tuple(names), (None,) * len(x), tuple(split), shapes)


def whole(chips: Chips) -> None:
    """The figure as a report writes it."""
    with house_style():
        figure = area_map(chips, land_of_the_earth())
        fix_layout(figure)
        rendered(figure, "png")
        rendered(figure, "svg")


def least(chips: Chips) -> None:
    """Bounds of all chips, and the same two files of a figure with as many empty panels."""
    shapely.bounds(chips.footprint)
    with house_style():
        figure = new_figure(11.8, 13)
        figure.subplots(2, 3)
        fix_layout(figure)
        rendered(figure, "png")
        rendered(figure, "svg")


def main() -> None:
    """Prints one line; the ratio is the share of the time that no map could save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args().quick
    chips = simulated_chips(CHIPS // 10 if is_quick else CHIPS)
    calls: dict[str, Callable[[], object]] = {"own": lambda: whole(chips), "least": lambda: least(chips)}
    spent = seconds_a_call(calls, rounds=3 if is_quick else 7, at_least_s=0)
    ratios = np.array(spent["least"]) / np.array(spent["own"])
    seconds = round(float(np.median(spent["own"])), 2)
    report("area_map", list(ratios), "bounds of every chip and empty panels", chips=len(chips), seconds=seconds)


if __name__ == "__main__":
    main()
