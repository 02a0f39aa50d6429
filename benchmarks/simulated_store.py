"""A chip store of the simulated Earth, for benchmarks that must read as a study reads."""

from pathlib import Path

from terrashot.domain.grid import Grid
from terrashot.ingest.harvest import harvest
from terrashot.ingest.world.sources import World, simulated_sources
from terrashot.store.chips import ZarrChipStore, open_chip_store


def simulated_store(folder: Path, *, chip_px: int, n_chips: int) -> ZarrChipStore:
    """A new store in `folder` with so many chips of this side."""
    grid = Grid(32632, chip_px * 10.0)
    middle = grid.chip_at(500_000.0, 5_000_000.0)
    ids = [grid.chip(middle.row + number // 16, middle.col + number % 16).id for number in range(n_chips)]
    for _ in harvest(simulated_sources(World(0, chip_px), 10.0), ids, folder, workers=1):
        pass
    return open_chip_store(folder)
