"""Draws figure 1 of the paper from a study's chips: python docs/draw_areas.py STUDY_FOLDER [--out docs/images/areas-paper.png]

Prints the table of docs/areas.md and what each form of the figure weighs.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from terrashot.areas.coastlines import land_of_the_earth
from terrashot.domain.tables import Chips
from terrashot.plots.area_map import area_map
from terrashot.plots.style import fix_layout, house_style, in_few_colours, rendered
from terrashot.store.tables import read_chips

PAPER: Final = {"conus": 167, "middleeast": 163, "pakin": 147, "china": 285, "southamerica": 83}
"""Thousands of chips. Source: Allen et al. 2023, arXiv:2310.00119, figure 1."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images" / "areas-paper.png")
    asked = parser.parse_args()
    chips = read_chips(asked.study / "chips.parquet")
    print(table(chips))
    asked.out.write_bytes(drawn(chips))


def table(chips: Chips) -> str:
    """Chips of each area, and of each of its splits, beside the paper's; in markdown."""
    found = Counter(zip(chips.area, chips.split, strict=True))
    own = {area: [found[area, split] for split in ("train", "val", "test", "buffer")] for area in PAPER}
    total = [sum(column) for column in zip(*own.values(), strict=True)]
    rows = [row(f"`{area}`", counts, PAPER[area]) for area, counts in own.items()]
    head = ["| area | our chips | the paper's | difference | train / val / test |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, row("all", total, sum(PAPER.values()))])


def row(name: str, counts: Sequence[int], paper: int) -> str:
    """One line of it; chips of the buffer count too."""
    parts = " / ".join(f"{count:,}" for count in counts[:3])
    return f"| {name} | {sum(counts):,} | {paper},000 | {sum(counts) / (1000 * paper) - 1:+.2%} | {parts} |"


def drawn(chips: Chips) -> bytes:
    """The figure as a page holds it."""
    began = time.perf_counter()
    with house_style():
        figure = area_map(chips, land_of_the_earth())
        fix_layout(figure)
        png, svg = rendered(figure, "png"), rendered(figure, "svg")
    few = in_few_colours(png)
    took = time.perf_counter() - began
    print(f"{len(chips):,} chips in {took:.1f} s: PNG {len(png):,} B, SVG {len(svg):,} B, in the page {len(few):,} B")
    return few


if __name__ == "__main__":
    main()
