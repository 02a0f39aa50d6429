"""Draws the plates of docs/simulated-earth.md: python docs/draw_simulated_earth.py [--out docs/images]

`simulated-plates.png`: five places in all sensors beside their land cover. `simulated-year.png`: two of them month by month.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from terrashot.domain.grid import Grid, to_metres, utm_zone
from terrashot.domain.modality import Imagery
from terrashot.ingest.world.absences import Absences
from terrashot.ingest.world.covers import COVERS
from terrashot.ingest.world.sources import World, simulated_sources
from terrashot.plots.style import new_figure

CHIP_PX: Final = 448
PLACES: Final = {
    "9.5 E 45.2 N": (9.53, 45.16),
    "45 W 22 S": (-45.02, -22.10),
    "115 E 32 N": (114.99, 31.99),
    "96 W 41 N": (-95.98, 40.93),
    "5 E 13 N": (5.02, 12.98),
}
TINTS: Final = np.array(
    [
        [0.12, 0.30, 0.62],
        [0.05, 0.32, 0.20],
        [0.93, 0.80, 0.35],
        [0.62, 0.78, 0.45],
        [0.78, 0.16, 0.18],
        [0.80, 0.74, 0.68],
    ]
)
"""Of the covers, WATER to BARE: they differ in lightness, so that a grey print still tells them apart."""
QUARTER, YEAR = tuple(f"2020-{n:02}" for n in (1, 2, 3)), tuple(f"2020-{n:02}" for n in range(1, 13))


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of a plate."""

    title: str
    image: np.ndarray
    limits: tuple[float, float]
    """Values shown black and white."""
    gamma: float = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    out = parser.parse_args().out
    chips = {name: chip_at(*place) for name, place in PLACES.items()}
    plates = draw({name: all_sensors(chip_id) for name, chip_id in chips.items()})
    legend(plates)
    plates.savefig(out / "simulated-plates.png", dpi=85)
    some = list(chips.items())[:2]
    draw({f"{name}, {sensor}": panels for name, chip_id in some for sensor, panels in months(chip_id).items()}).savefig(
        out / "simulated-year.png", dpi=62
    )


def chip_at(lon_deg: float, lat_deg: float) -> str:
    """The chip that holds a place."""
    epsg = int(utm_zone(np.array([lon_deg]), np.array([lat_deg]))[0])
    return Grid(epsg, CHIP_PX * 10.0).chip_at(*to_metres(epsg).transform(lon_deg, lat_deg)).id


def all_sensors(chip_id: str) -> list[Panel]:
    """Three months of colour, one of radar, a short and a long pair, land cover."""
    world = World(0, CHIP_PX, QUARTER, Absences(modality=0, month=0, polarisation=0, cloud=0, swath=0, pairs=40))
    optical, radar, coherence = (source.read(chip_id) for source in simulated_sources(world, 10.0))
    colour = [in_colour(optical, month) for month in QUARTER]
    echoes = [
        Panel(
            f"{name} {QUARTER[0]}, {low:.0f} to {high:.0f} dB",
            plane(radar, f"{QUARTER[0]}_{name.lower()}"),
            (low, high),
        )
        for name, low, high in (("VV", -20.0, -3.0), ("VH", -26.0, -9.0))
    ]
    pairs = [Panel(f"coherence, {days} days", pair_over(coherence, days), (0.0, 1.0)) for days in (12, 48)]
    return [*colour, *echoes, *pairs, Panel("land cover", cover_map(world, chip_id), (0.0, 1.0))]


def months(chip_id: str) -> Mapping[str, list[Panel]]:
    """Colour and radar of the twelve months of a year, with clouds and gaps as they come."""
    world = World(0, CHIP_PX, YEAR, Absences(modality=0, month=0, polarisation=0, cloud=0.12, swath=0.1))
    optical, radar, _ = (source.read(chip_id) for source in simulated_sources(world, 10.0))
    return {
        "colour": [in_colour(optical, month) for month in YEAR],
        "VV": [Panel(month, plane(radar, f"{month}_vv"), (-20.0, -3.0)) for month in YEAR],
    }


def in_colour(imagery: Imagery, month: str) -> Panel:
    """Red, green and blue of a month, brightened as satellite pictures are."""
    bands = np.stack([plane(imagery, f"{month}_{band}") for band in ("red", "green", "blue")])
    return Panel(month, bands, (0.0, 0.30), 0.6)


def plane(imagery: Imagery, channel: str) -> np.ndarray:
    """One channel."""
    return imagery.values[[known.name for known in imagery.channels].index(channel)]


def pair_over(imagery: Imagery, days: int) -> np.ndarray:
    """The first pair with so many days between its dates."""
    for channel, image in zip(imagery.channels, imagery.values, strict=True):
        lag = np.datetime64(channel.second_date) - np.datetime64(channel.first_date)
        if abs(lag.astype(int)) == days:
            return image
    raise LookupError(f"no pair of {days} days")


def cover_map(world: World, chip_id: str) -> np.ndarray:
    """Each pixel in the mixed tints of its covers."""
    land = world.land(chip_id)
    shares = np.stack([land.lattice.inner(share) for share in land.shares])
    return np.einsum("khw,kc->chw", shares, TINTS).astype(np.float32)


def draw(columns: Mapping[str, Sequence[Panel]]) -> Figure:
    """A column a place, a row a picture; all year round the columns lie as rows."""
    is_year = len(next(iter(columns.values()))) == len(YEAR)
    shape = (len(columns), len(YEAR)) if is_year else (8, len(columns))
    figure = new_figure(1.75 * shape[1], 1.95 * shape[0] + 0.4)
    axes = figure.subplots(*shape, squeeze=False)
    for number, (name, panels) in enumerate(columns.items()):
        for step, panel in enumerate(panels):
            ax = axes[number, step] if is_year else axes[step, number]
            show(ax, panel)
            ax.set_title(panel.title if not is_year or number == 0 else "", fontsize=7)
        if is_year:
            axes[number, 0].set_ylabel(name, fontsize=7)
        else:
            axes[0, number].set_title(f"{name}\n{panels[0].title}", fontsize=7)
    figure.suptitle("Simulated: no satellite took these pictures. Chips of 4,480 m.", fontsize=9)
    return figure


def show(ax: Axes, panel: Panel) -> None:
    """One picture; what is absent is hatched."""
    low, high = panel.limits
    shown = np.clip((panel.image - low) / (high - low), 0, 1) ** panel.gamma
    is_there = np.isfinite(shown).all(axis=0) if shown.ndim == 3 else np.isfinite(shown)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.patch.set(facecolor="#f2f2f2", hatch="///", edgecolor="#bbbbbb")
    picture = np.moveaxis(np.nan_to_num(shown), 0, -1) if shown.ndim == 3 else np.dstack([np.nan_to_num(shown)] * 3)
    ax.imshow(np.dstack([picture, is_there]), interpolation="nearest")


def legend(figure: Figure) -> None:
    """Tints of the covers."""
    patches = [Patch(facecolor=tint, edgecolor="black", label=cover) for cover, tint in zip(COVERS, TINTS, strict=True)]
    figure.legend(handles=patches, loc="outside lower center", ncols=6, fontsize=7, frameon=False)


if __name__ == "__main__":
    main()
