"""Towns: few large and many small, with streets, blocks and houses in them and nowhere else."""

import numpy as np
import pytest

from simulated_ground import chip_near, scattered
from terrashot.ingest.world.lattice import EARTH_RADIUS_M, make_lattice
from terrashot.ingest.world.sites import sites
from terrashot.ingest.world.towns import (
    HAMLET_CELL_M,
    HAMLET_SIZES,
    STREET_M,
    TOWN_CELL_M,
    TOWN_SIZES,
    make_towns,
    roofs,
)

SEED = 510


def towns_near(lon, lat, side_px=64, size_m=640.0, welcome=1.0):
    lattice = make_lattice(chip_near(lon, lat, size_m), side_px)
    return lattice, make_towns(lattice, np.full(side_px**2, welcome, np.float32), SEED)


@pytest.fixture(scope="module")
def downtown():
    """One chip in pixels of 1 m, in the densest place of many."""
    lon, lat = max(scattered(200), key=lambda place: towns_near(*place, side_px=16)[1].density.mean())
    return towns_near(lon, lat, side_px=640)


def radii(cell_m, sizes, cells=100):
    """Of all places in a square, and its area in square kilometres."""
    degrees = np.degrees((np.arange(8 * cells) + 0.5) * cell_m / 8 / EARTH_RADIUS_M)
    lon, lat = (axis.ravel() for axis in np.meshgrid(degrees, degrees))
    found = sites(lon, lat, cell_m=cell_m, seed=SEED, sizes=sizes)
    is_near = found.depth_m > -cell_m / 4
    _, first = np.unique(found.key[is_near], return_index=True)
    return found.radius_m[is_near][first], (cells * cell_m / 1000) ** 2


def test_hamlets_and_towns_follow_one_power_law_many_small_and_few_large():
    (towns, towns_km2), (hamlets, hamlets_km2) = radii(TOWN_CELL_M, TOWN_SIZES), radii(HAMLET_CELL_M, HAMLET_SIZES)
    assert hamlets.max() <= towns.min() * (1 + 1e-6)
    doubled = HAMLET_SIZES.smallest_m * 2.0 ** np.arange(5)
    per_km2 = np.array([(towns > m).sum() / towns_km2 + (hamlets > m).sum() / hamlets_km2 for m in doubled])
    law = doubled**-TOWN_SIZES.steepness - TOWN_SIZES.largest_m**-TOWN_SIZES.steepness
    # Small places inside of large ones do not show.
    assert per_km2[1:] / per_km2[:-1] == pytest.approx(law[1:] / law[:-1], abs=0.08)
    assert towns.max() > 10 * np.median(hamlets)


def test_most_chips_hold_no_town_some_are_full_of_one():
    density = np.array([towns_near(lon, lat, side_px=16)[1].density.mean() for lon, lat in scattered(300)])
    assert (density == 0).mean() > 0.25
    assert 0.02 < (density > 0.3).mean() < 0.4


def test_density_is_a_share_and_nobody_lives_where_nobody_can(downtown):
    lattice, towns = downtown
    assert towns.density.min() >= 0
    assert towns.density.max() <= 1
    nobody = make_towns(lattice, np.zeros(640**2, np.float32), SEED)
    assert nobody.density.max() == 0
    assert not nobody.is_street.any()
    assert roofs(nobody).max() == 0


@pytest.mark.parametrize("place", scattered(12, seed=2))
def test_streets_houses_and_roofs_are_in_towns_alone(place):
    _, towns = towns_near(*place)
    outside = towns.density == 0
    assert not towns.is_street[outside].any()
    assert roofs(towns)[outside].max(initial=0) == 0
    for name in (towns.house, towns.block):
        assert ((name == 0) == outside).all()


def test_a_town_has_streets_as_wide_as_streets_between_blocks(downtown):
    lattice, towns = downtown
    street = lattice.square(towns.is_street)
    assert 0.05 < street[lattice.square(towns.density) > 0].mean() < 0.5
    # A walk that turns at neither corner crosses a street in its width, or in more if aslant.
    row = np.flatnonzero(np.diff(np.concatenate([[0], street[320].astype(int), [0]])))
    widths = row[1::2] - row[::2]
    assert len(widths) > 1
    assert STREET_M / 2 < np.median(widths) < 4 * STREET_M


def test_houses_are_of_a_size_to_live_in_and_smaller_than_blocks(downtown):
    _, towns = downtown
    lived_in = towns.density > 0
    houses, blocks = (np.unique(name[lived_in], return_counts=True)[1] for name in (towns.house, towns.block))
    # Square metres, as pixels are.
    assert 50 < np.median(houses) < 1000
    assert 3000 < np.median(blocks) < 40_000


def test_roofs_are_shares_and_denser_where_towns_are():
    made = [towns_near(lon, lat)[1] for lon, lat in scattered(60)]
    roof, density = np.concatenate([roofs(towns) for towns in made]), np.concatenate([towns.density for towns in made])
    assert roof.min() == 0
    assert roof.max() <= 1
    by_density = [roof[(density > low) & (density <= low + 0.25)].mean() for low in (0, 0.25, 0.5, 0.75)]
    assert by_density == sorted(by_density)
    assert by_density[0] > 0


def test_streets_of_a_town_lie_one_way_between_north_and_east():
    turns = [np.unique(towns.turn_rad[towns.density > 0]) for _, towns in (towns_near(*p) for p in scattered(60))]
    found = np.concatenate(turns)
    assert found.min() >= 0
    assert found.max() <= np.pi / 2 + 1e-6
    assert len(np.unique(found)) > 10
    assert max(len(turn) for turn in turns) < 8
