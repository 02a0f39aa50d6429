"""Tables of vectors that are sound, and the ways to break them."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter

from terrashot.domain.tables import Chips, Embeddings

SIDE = 11
"""Chips along each side of an area."""
HALF = SIDE**2
"""Chips of one of the two areas."""
KM_PER_DEGREE = 111.0


def chips_of(side=SIDE, areas=("north", "south"), lon=9.0):
    """Square areas of chips of 0.64 km, far from each other."""
    ids, names, lons, lats = [], [], [], []
    for number, area in enumerate(areas):
        row, col = np.divmod(np.arange(side * side), side)
        ids += [f"{area}_r{r:03d}_c{c:03d}" for r, c in zip(row, col, strict=True)]
        names += [area] * side * side
        lats += list(45 + 2 * number - row * 0.64 / KM_PER_DEGREE)
        lons += list(lon + col * 0.64 / KM_PER_DEGREE)
    nobody = (None,) * len(ids)
    return Chips(tuple(ids), tuple(names), nobody, nobody, lon_deg=np.array(lons), lat_deg=np.array(lats))


def land(chips, rng, n_kinds=6, side=SIDE):
    """What each chip shows: smooth fields, and something of its own."""
    fields = [
        gaussian_filter(rng.normal(size=(side, side)), 2.0).reshape(-1) for _ in range(n_kinds * len(set(chips.area)))
    ]
    smooth = np.array(fields).reshape(len(set(chips.area)), n_kinds, -1).transpose(0, 2, 1).reshape(-1, n_kinds)
    return smooth / smooth.std(axis=0) + 0.6 * rng.normal(size=smooth.shape)


def sound_table(seed=0, side=SIDE, width=24, model="m", noise=0.5):
    """Two modalities in one space, half precision, and image statistics of both."""
    rng = np.random.default_rng(seed)
    chips = chips_of(side)
    shown = land(chips, rng, side=side)
    weights = rng.normal(size=(shown.shape[1], width))
    centre = 2 * rng.normal(size=width)

    def seen():
        vectors = shown @ weights + centre + noise * rng.normal(size=(len(chips), width))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)

    def images(columns):
        mixed = np.tanh(shown @ rng.normal(size=(shown.shape[1], columns)) / 3) + 0.1 * rng.normal(
            size=(len(chips), columns)
        )
        return (mixed * np.geomspace(0.01, 1000, columns)).astype(np.float32)

    blocks = {"optical": seen(), "radar": seen()}
    counts = {name: np.full(len(chips), 4, np.int16) for name in blocks}
    floors = Embeddings(chips, {"image_stats:optical": images(30), "image_stats:radar": images(12)})
    return Embeddings(chips, blocks, counts, model=model), floors


def with_blocks(table, change):
    """The same chips with other vectors."""
    return replace(table, blocks={name: change(np.array(block, np.float32)) for name, block in table.blocks.items()})


def in_rows(table, rows):
    """The same table with its rows in another order, or some of them."""
    rows = np.asarray(rows)
    return replace(
        table, chips=table.chips.take(rows), blocks={name: block[rows] for name, block in table.blocks.items()},
        n_channels={name: counts[rows] for name, counts in table.n_channels.items()},
    )  # fmt: skip


def verdicts(card):
    """Worst verdict by measure; None where it was never taken."""
    found = {}
    for measure in card.measures:
        held = found.setdefault(measure.name, measure.verdict)
        order = (None, "good", "look", "bad")
        found[measure.name] = max(held, measure.verdict, key=order.index)
    return found


def bad(card):
    """Names of the measures that are bad."""
    return {measure.name for measure in card.having("bad")}
