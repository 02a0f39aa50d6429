"""Prints real beside simulated pixels by land cover, in Markdown: python docs/compare_with_real.py [--data ../shared/data]

Quantiles of reflectance, backscatter and coherence, then how rough each is from pixel to pixel. Each place gives at most
`PER_PLACE` values a row, so that no place outweighs the others. "inside": the simulated median lies within the real 5 to
95 %. "spread": the simulated distance of the quartiles over the real one. "places": the standard deviation of the medians
of places with 100 values or more, and how many these are; a pair of dates counts as a place.

What the real rows can bear stands in `real_samples.py`. Exits with code 2 if the data folder is absent.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from real_samples import (
    POLARISATIONS,
    RGB,
    Sample,
    by_mask,
    in_days,
    mexico,
    morocco,
    real_coherence,
    real_optical,
    real_radar,
    terramind,
    terramind_db,
    terramind_rgb,
    worldcereal,
)

from terrashot.domain.grid import Grid, to_metres, utm_zone
from terrashot.ingest.world.absences import MAX_PAIRS, Absences
from terrashot.ingest.world.covers import COVERS
from terrashot.ingest.world.sources import SimulatedCoherence, SimulatedOptical, SimulatedRadar, World

QUANTILES: Final = (5, 25, 50, 75, 95)
PER_PLACE: Final = 3000
REGIONS: Final = ((9.4, 45.1), (-45, -22.1), (114.9, 31.9), (-100, 40), (36, -1), (-1, 51), (78, 24), (147, -33))
"""Longitude and latitude; land everywhere on the simulated Earth."""
CHIP_PX, CELLS = 72, 8
"""Chips of 720 m hold 8 x 8 whole cells of coherence, of 9 x 9 pixels."""
MIN_SHARE: Final = dict.fromkeys(COVERS, 0.8) | {"built": 0.5}
"""Of a cover in a simulated pixel; maps call a pixel built whose other half is gardens."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    if not (data / "water_worldcover_chips").is_dir():
        print(f"{data}: no real sample data here; name its folder with --data", file=sys.stderr)
        return 2
    simulated = pooled(simulated_samples())
    print(quantile_table("Surface reflectance", pooled(real_optical(data)), simulated, RGB))
    print(quantile_table("Backscatter, dB", pooled(real_radar(data)), simulated, POLARISATIONS))
    real = pooled(real_coherence(data))
    lags = sorted({quantity for quantity, _ in (*real, *simulated) if quantity.endswith("days")})
    print(quantile_table("Coherence by days between the dates", real, simulated, lags))
    print(texture_table(data))
    return 0


Pool = Mapping[tuple[str, str], list[np.ndarray]]
"""By quantity and ground, the values of each place."""


def pooled(samples: Iterable[Sample]) -> Pool:
    """Samples together, each thinned to as many values."""
    rng, pool = np.random.default_rng(0), defaultdict(list)
    for sample in samples:
        valid = sample.values[np.isfinite(sample.values)]
        if len(valid):
            pool[sample.quantity, sample.ground].append(rng.permutation(valid)[:PER_PLACE])
    return pool


def quantile_table(title: str, real: Pool, simulated: Pool, quantities: Sequence[str]) -> str:
    """One row a ground and quantity that either side has."""
    quantiles = "/".join(map(str, QUANTILES))
    head = f"| ground | quantity | real {quantiles} % | simulated {quantiles} % | inside | spread | places, real | simulated |"
    keys = {(ground, quantities.index(name)) for name, ground in (*real, *simulated) if name in quantities}
    rows = []
    for ground, number in sorted(keys):
        key = quantities[number], ground
        rows.append(f"| {ground} | {key[0].strip()} | {_row(real.get(key, []), simulated.get(key, []))} |")
    return "\n".join([f"## {title}", "", head, "|---" * 8 + "|", *rows, ""])


def _row(real: list[np.ndarray], simulated: list[np.ndarray]) -> str:
    sides = [np.percentile(np.concatenate(parts), QUANTILES) if parts else None for parts in (real, simulated)]
    digits = 1 if any(side is not None and side[0] < -2 for side in sides) else 3
    cells = ["" if side is None else " ".join(f"{value:.{digits}f}" for value in side) for side in sides]
    truth, ours = sides
    if truth is None or ours is None:
        cells += ["", ""]
    else:
        inside = "yes" if truth[0] <= ours[2] <= truth[-1] else "NO"
        cells += [inside, f"{(ours[3] - ours[1]) / (truth[3] - truth[1]):.2f}"]
    return " | ".join([*cells, *(_places_differ(parts, digits + 1) for parts in (real, simulated))])


def _places_differ(parts: list[np.ndarray], digits: int) -> str:
    medians = [np.median(part) for part in parts if len(part) >= 100]
    return f"{np.std(medians):.{digits}f} over {len(medians)}" if len(medians) > 2 else ""


def make_world(chip_px: int, months: tuple[str, ...] = ("2020-01", "2020-04", "2020-07", "2020-10")) -> World:
    """A simulated Earth that shows everything it has."""
    nothing = Absences(modality=0, month=0, polarisation=0, cloud=0, swath=0, pairs=MAX_PAIRS)
    return World(seed=0, chip_px=chip_px, months=months, absences=nothing)


def places(each: int, chip_px: int, spread_deg: float = 1.5) -> Iterator[str]:
    """Ids of so many chips of 10 m pixels strewn about each region."""
    rng = np.random.default_rng(0)
    for lon, lat in REGIONS:
        for east, north in rng.uniform(-spread_deg, spread_deg, (each, 2)):
            epsg = int(utm_zone(np.array([lon + east]), np.array([lat + north]))[0])
            yield Grid(epsg, 10.0 * chip_px).chip_at(*to_metres(epsg).transform(lon + east, lat + north)).id


def simulated_samples() -> Iterator[Sample]:
    """Pixels and cells of 25 chips in each region that are nearly all of one cover."""
    world = make_world(CHIP_PX)
    for chip_id in places(25, CHIP_PX):
        land = world.land(chip_id)
        shares = np.stack([land.lattice.inner(plane) for plane in land.shares])
        masks = {cover: share >= MIN_SHARE[cover] for cover, share in zip(COVERS, shares, strict=True)}
        months = (len(world.months), -1, CHIP_PX, CHIP_PX)
        rgb, db = (source(world).read(chip_id).values.reshape(months) for source in (SimulatedOptical, SimulatedRadar))
        yield from by_mask(rgb.swapaxes(0, 1), RGB, masks)
        yield from by_mask(db.swapaxes(0, 1), POLARISATIONS, masks | {"land": shares[0] <= 0.2})
        yield from _simulated_coherence(world, chip_id, shares)


def _simulated_coherence(world: World, chip_id: str, shares: np.ndarray) -> Iterator[Sample]:
    px = CHIP_PX // CELLS
    by_cell = shares.reshape(len(COVERS), CELLS, px, CELLS, px).mean(axis=(2, 4))
    masks = {cover: share >= 0.7 for cover, share in zip(COVERS, by_cell, strict=True)}
    masks["town"] = by_cell[COVERS.index("built")] >= 0.25
    for days, pair in _simulated_pairs(world, chip_id):
        yield from by_mask(pair[None], [in_days(days)], masks)


def _simulated_pairs(world: World, chip_id: str) -> Iterator[tuple[int, np.ndarray]]:
    pairs = SimulatedCoherence(world, 10.0).read(chip_id)
    for channel, values in zip(pairs.channels, pairs.values, strict=True):
        earlier, later = (date.fromisoformat(str(day)) for day in (channel.first_date, channel.second_date))
        yield (later - earlier).days, values


def texture_table(data: Path) -> str:
    """How rough images are from pixel to pixel, as medians over windows."""
    lines = [
        "## Texture", "",
        "| image | pixel, m | mean step over std | autocorrelation at 1, 2, 4 pixels | std | second differences |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, pixel_m, windows in (*_real_windows(data), *_simulated_windows()):
        step, *lags, std, rough = np.nanmedian([roughness(window) for window in windows], axis=0)
        near = " ".join(f"{lag:.2f}" for lag in lags)
        lines.append(f"| {name} | {pixel_m} | {step:.2f} | {near} | {std:.3g} | {rough:.3g} |")
    return "\n".join([*lines, ""])


def roughness(window: np.ndarray) -> tuple[float, ...]:
    """Mean step to the next pixel over the std, autocorrelation at 1, 2, 4 pixels, std, and std of second differences.

    The last is scaled to equal the std of white noise; slow changes count little in it.
    """
    centred = window - np.nanmean(window)
    std = float(np.nanstd(window))
    both = [centred, centred.T]
    step = np.nanmean([np.nanmean(np.abs(np.diff(plane, axis=0))) for plane in both]) / std
    lags = [np.nanmean([np.nanmean(plane[k:] * plane[:-k]) for plane in both]) / std**2 for k in (1, 2, 4)]
    bends = np.nanmean([np.nanvar(plane[2:] - 2 * plane[1:-1] + plane[:-2]) for plane in both])
    return float(step), *map(float, lags), std, float(np.sqrt(bends / 6))


def windows_of(image: np.ndarray, side: int) -> list[np.ndarray]:
    """Whole squares of an image, without those that miss a pixel in ten."""
    rows, cols = (range(0, size - side + 1, side) for size in image.shape)
    squares = [image[row : row + side, col : col + side] for row in rows for col in cols]
    return [square for square in squares if np.isfinite(square).mean() > 0.9]


def residuals(pairs: list[np.ndarray]) -> list[np.ndarray]:
    """What is left of each pair after a straight line through the place's mean over all pairs: noise, mostly."""
    mean = np.mean(pairs, axis=0)
    there = np.isfinite(mean)
    fits = [np.polyfit(mean[there], pair[there], 1) for pair in pairs]
    return [pair - np.polyval(fit, mean) for pair, fit in zip(pairs, fits, strict=True)]


Windows = tuple[str, int, list[np.ndarray]]


def _real_windows(data: Path) -> Iterator[Windows]:
    scenes = terramind(data)
    red = [window for path in scenes for window in windows_of(terramind_rgb(path)[0], CHIP_PX)]
    yield "real red, TerraMind", 10, red
    db = [window for path in scenes for window in windows_of(terramind_db(path)[0], CHIP_PX)]
    yield "real VV, TerraMind, one date", 10, db
    rgb, months, _ = list(worldcereal(data))[-1]
    yield "real red, WorldCereal, month", 10, [window for image in rgb[0] for window in windows_of(image, 50)]
    yield "real VV, WorldCereal, month", 10, [window for image in months[0] for window in windows_of(image, 50)]
    yield "real coherence, Morocco", 90, windows_of(morocco(data)[0], 40)
    pairs = [pair for _, pair in mexico(data)]
    yield "real coherence, Mexico City", 150, [window for pair in pairs for window in windows_of(pair, 40)]
    yield "real coherence, Mexico City, residual", 150, [w for pair in residuals(pairs) for w in windows_of(pair, 40)]


def _simulated_windows() -> Iterator[Windows]:
    world, ids = make_world(CHIP_PX, ("2020-07",)), list(places(8, CHIP_PX))
    yield "simulated red, month", 10, [SimulatedOptical(world).read(chip_id).values[0] for chip_id in ids]
    yield "simulated VV, month", 10, [SimulatedRadar(world).read(chip_id).values[0] for chip_id in ids]
    wide = make_world(360)
    stacks = [[pair for _, pair in _simulated_pairs(wide, chip_id)] for chip_id in places(1, 360)]
    yield "simulated coherence", 90, [pair for pairs in stacks for pair in pairs]
    yield "simulated coherence, residual", 90, [pair for pairs in stacks for pair in residuals(pairs)]


if __name__ == "__main__":
    sys.exit(main())
