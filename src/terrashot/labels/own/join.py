"""A user's file joined to chips: a value of every chip, and the rows that could not be used."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Float64

from terrashot.domain.tables import Chips
from terrashot.errors import InputError
from terrashot.labels.own.bad_rows import BadRows
from terrashot.labels.own.chip_values import Joined, values_of
from terrashot.labels.own.ground import chips_in_metres, pieces
from terrashot.labels.own.label_rows import LabelRows
from terrashot.labels.own.owner import owners
from terrashot.labels.own.read_rows import KINDS, read_rows
from terrashot.labels.own.repeats import refuse_repeats
from terrashot.own_label_sections import OwnLabelsSection

DRAWS_GROUND = 2


@dataclass(frozen=True, slots=True, eq=False)
class OwnTarget:
    """What a file says of the chips."""

    values: np.ndarray
    """(N,) float64 with NaN, or class names with None."""
    valid_fraction: Float64[np.ndarray, " N"] | None
    """Share of each chip that polygons cover, of classes and means of polygons; else None."""
    n_rows: int
    """That were used."""
    bad: BadRows
    notes: tuple[str, ...]


def own_target(path: Path, section: OwnLabelsSection, chips: Chips) -> OwnTarget:
    """The file's rows joined to the chips by place; rows in `bad` took no part.

    Raises:
        InputError: the file as a whole cannot be used, all rows miss every chip, or the chips have no outlines.
    """
    outlines, zone = chips_in_metres(chips)
    rows, bad = read_rows(path, section)
    if section.how == "fraction" and rows.dimension < DRAWS_GROUND and len(rows):
        raise InputError(f'{path}: holds {KINDS[rows.dimension]}, which have no area; how = "fraction" needs polygons')
    rows = refuse_repeats(rows, bad, classes_agree=section.how == "majority")
    joined = _joined(rows, section, chips, outlines, zone, bad)
    if not len(joined.row) and len(rows):
        raise InputError(f"{path}: none of its {len(rows):,} rows lies in a chip{_if_swapped(rows, chips)}")
    values = values_of(joined, rows, section, chips, shapely.area(outlines), bad)
    says_how_much = section.how in ("majority", "mean") and rows.dimension == DRAWS_GROUND
    n_used = int((~bad.is_bad(np.unique(rows.number))).sum())
    return OwnTarget(
        values, joined.covered if says_how_much else None, n_used, bad, _notes(section, joined, len(chips))
    )


def _joined(
    rows: LabelRows, section: OwnLabelsSection, chips: Chips, outlines: np.ndarray, zone: np.ndarray, bad: BadRows
) -> Joined:
    assert chips.footprint is not None, "chips without an outline were refused"
    if rows.dimension == 0 or section.how == "count":
        owner = owners(rows.lon_deg, rows.lat_deg, chips.footprint, chips.ids)
        bad.add(rows.number, owner < 0, lambda row: f"{_place(rows, row)} lies in no chip")
        inside = np.flatnonzero(owner >= 0)
        return _counted(rows, inside, owner[inside], len(chips))
    found = _measured(rows, chips.footprint, outlines, zone)
    is_lost = ~np.isin(np.arange(len(rows)), found.row)
    bad.add(rows.number, is_lost, lambda row: f"{_place(rows, row)} lies in no chip")
    return found


def _counted(rows: LabelRows, row: np.ndarray, chip: np.ndarray, n_chips: int) -> Joined:
    code = np.zeros(len(row), dtype=np.int64) if rows.code is None else rows.code[row]
    of_class = np.zeros((n_chips, len(rows.of_class)))
    np.add.at(of_class, (chip, code), 1.0)
    return Joined(row, chip, np.ones(len(row)), np.full(n_chips, np.nan), of_class)


def _measured(rows: LabelRows, footprints: np.ndarray, outlines: np.ndarray, zone: np.ndarray) -> Joined:
    assert rows.shapes is not None, "points have no pieces"
    measure = shapely.area if rows.dimension == DRAWS_GROUND else shapely.length
    of_class = np.zeros((len(outlines), len(rows.of_class)))
    covered = np.zeros(len(outlines))
    kept = []
    for part in pieces(rows.shapes, footprints, outlines, zone):
        weight = measure(part.geometry)
        there = np.flatnonzero(weight > 0)
        row, chip, geometry = part.shape[there], part.chip[there], part.geometry[there]
        code = np.zeros(len(row), dtype=np.int64) if rows.code is None else rows.code[row]
        kept.append((row, chip, weight[there]))
        for group, together in _united(chip * len(rows.of_class) + code, geometry, weight[there], measure):
            of_class.flat[group] = together
        for group, together in _united(chip, geometry, weight[there], measure):
            covered[group] = together
    row, chip, weight = (
        (np.concatenate(column) for column in zip(*kept, strict=True)) if kept else (np.empty(0, np.int64),) * 3
    )
    share = covered / shapely.area(outlines) if rows.dimension == DRAWS_GROUND else np.full(len(outlines), np.nan)
    return Joined(row, chip, weight.astype(np.float64), np.minimum(share, 1.0), of_class)


def _united(key: np.ndarray, geometry: np.ndarray, weight: np.ndarray, measure: np.ufunc) -> list[tuple[int, float]]:
    """By group, its measure, with what several of its members cover counted once."""
    groups, member, counts = np.unique(key, return_inverse=True, return_counts=True)
    sums = np.bincount(member, weight, len(groups))
    order = np.argsort(member, kind="stable")
    starts = np.cumsum(counts) - counts
    for index in np.flatnonzero(counts > 1).tolist():
        own = geometry[order[starts[index] : starts[index] + counts[index]]]
        sums[index] = measure(shapely.union_all(own))
    return list(zip(groups.tolist(), sums.tolist(), strict=True))


def _place(rows: LabelRows, row: int) -> str:
    return f"{rows.lon_deg[row]:.6f}, {rows.lat_deg[row]:.6f}"


def _if_swapped(rows: LabelRows, chips: Chips) -> str:
    assert chips.footprint is not None, "chips without an outline were refused"
    fits = np.abs(rows.lon_deg) <= 90
    if fits.any() and (owners(rows.lat_deg[fits], rows.lon_deg[fits], chips.footprint, chips.ids) >= 0).any():
        return "; with longitude and latitude swapped some do: put them right"
    west, south, east, north = (float(side) for side in shapely.total_bounds(chips.footprint))
    return f"; chips lie from {west:.4f}, {south:.4f} to {east:.4f}, {north:.4f}"


def _notes(section: OwnLabelsSection, joined: Joined, n_chips: int) -> tuple[str, ...]:
    n_empty = n_chips - len(np.unique(joined.chip))
    if section.how in ("majority", "mean") or not n_empty:
        return ()
    what = "count as 0" if section.elsewhere == "none" else "have no label"
    return (f'{n_empty:,} chips hold no row and {what} (elsewhere = "{section.elsewhere}")',)
