"""What the health card says of sound tables and of the same tables broken: the tables of docs/health.md.

python docs/health_limits.py demo/embeddings.parquet demo/floors.parquet
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from terrashot.domain.health import EmbeddingProbe, HealthCard
from terrashot.domain.tables import Embeddings
from terrashot.health.card import card_of
from terrashot.store.vectors import read_embeddings

Change = Callable[[np.ndarray], np.ndarray]


def breaks(table: Embeddings, rng: np.random.Generator) -> Iterator[tuple[str, Embeddings]]:
    """Ways to break a table, and the table broken so."""
    n, area = len(table.chips), np.array(table.chips.area)
    one = (area == area[0])[:, None]
    yield (
        "collapsed: one vector, noise of a thousandth",
        changed(table, lambda b: first(b) + 1e-3 * rms(b) * rng.normal(size=b.shape)),
    )
    yield "on a line", changed(table, lambda b: lengths(b - np.nanmean(b, axis=0)) * first(b) + 1)
    yield "noise in place of vectors", changed(table, lambda b: kept(b, rng.normal(size=b.shape)))
    yield "half of the rows zero", changed(table, lambda b: kept(b, np.where(rng.random((n, 1)) < 0.5, b, 0)))
    yield "half of the numbers zero", changed(table, lambda b: kept(b, np.where(np.arange(b.shape[1]) % 2, b, 0)))
    yield (
        "30 % of the chips half zero",
        changed(
            table,
            lambda b: kept(b, np.where((rng.random((n, 1)) < 0.3) & (np.arange(b.shape[1]) < b.shape[1] // 2), 0, b)),
        ),
    )
    yield (
        "5 % of the chips with the vector of one of them",
        changed(table, lambda b: kept(b, np.where(rng.random((n, 1)) < 0.05, first(b), b))),
    )
    order = rng.permutation(n)
    yield "ids permuted", changed(table, lambda b: b[order])
    within = np.arange(n)
    for name in set(table.chips.area):
        within[area == name] = rng.permutation(np.flatnonzero(area == name))
    yield "ids permuted within areas", changed(table, lambda b: b[within])
    some, half = np.flatnonzero(rng.random(n) < 0.5), np.arange(n)
    half[some] = rng.permutation(some)
    yield "half of the ids permuted", changed(table, lambda b: b[half])
    by_id = np.argsort(table.chips.ids)
    moved = np.empty(n, np.int64)
    moved[by_id] = np.roll(by_id, 1)
    yield "rows moved by one", changed(table, lambda b: b[moved])
    block = next(iter(table.blocks))
    yield f"ids of {block} alone permuted", replace(table, blocks={**table.blocks, block: table.blocks[block][order]})
    yield "one area by another model (turned)", changed(table, lambda b: np.where(one, b @ turn(b.shape[1], rng), b))
    yield (
        "one area moved by a quarter of the spread",
        changed(table, lambda b: b + 0.25 * spread(b) * one * turn(b.shape[1], rng)[0]),
    )
    places = zip(table.chips.lon_deg, table.chips.lat_deg, strict=True)
    tile = np.array([int(lon // 0.06) * 10_000 + int(lat // 0.045) for lon, lat in places])
    tiled = replace(table, chips=replace(table.chips, group=tuple(map(str, tile))))
    yield "tiles, sound", tiled
    yield (
        "tiles, each moved by half of the spread",
        changed(tiled, lambda b: b + 0.5 * spread(b) * by_tile(tile, b.shape[1], rng)),
    )


def changed(table: Embeddings, change: Change) -> Embeddings:
    """The table with other vectors."""
    blocks = {name: change(block.astype(np.float32)).astype(np.float32) for name, block in table.blocks.items()}
    return replace(table, blocks=blocks)


def kept(block: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The other numbers, where there is a vector."""
    return np.where(np.isnan(block), np.nan, other)


def first(block: np.ndarray) -> np.ndarray:
    """The first vector that is there; NaN stays."""
    return kept(block, np.broadcast_to(block[np.flatnonzero(~np.isnan(block[:, 0]))[0]], block.shape))


def rms(block: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(np.square(block))))


def spread(block: np.ndarray) -> float:
    return float(np.sqrt(np.nanvar(block, axis=0).sum()))


def lengths(block: np.ndarray) -> np.ndarray:
    return np.linalg.norm(block, axis=1, keepdims=True)


def turn(width: int, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(width, width)))[0]


def by_tile(tile: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    _, number = np.unique(tile, return_inverse=True)
    own = rng.normal(size=(number.max() + 1, width))
    return (own / lengths(own))[number]


def names(card: HealthCard, verdict: str) -> str:
    """The measures with this verdict, each once."""
    return ", ".join(dict.fromkeys(f"`{measure.name}`" for measure in card.having(verdict))) or "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("floors", type=Path)
    asked = parser.parse_args()
    table, floors = read_embeddings(asked.embeddings), read_embeddings(asked.floors)
    all_there = EmbeddingProbe(channels_there=dict(table.n_channels), policy="mean")
    untrained = {name.partition(":")[2]: block for name, block in floors.blocks.items() if name.startswith("untrained")}
    for title, some in (("trained", table), ("untrained", Embeddings(floors.chips, untrained))):
        values: dict[str, list[float]] = {}
        for measure in card_of(some, floors=floors, probe=all_there).measures:
            if measure.value is not None:
                values.setdefault(measure.name, []).append(measure.value)
        print(f"\n{title}: " + "; ".join(f"{name} {min(v):.3g} to {max(v):.3g}" for name, v in values.items()))
    print("\n| table | bad | look | bad, without floors | look, without floors |\n|---|---|---|---|---|")
    for name, broken in [("sound", table), *breaks(table, np.random.default_rng(0))]:
        cards = [card_of(broken, floors=beside, probe=all_there) for beside in (floors, None)]
        print(f"| {name} | " + " | ".join(names(card, verdict) for card in cards for verdict in ("bad", "look")) + " |")


if __name__ == "__main__":
    main()
