"""How many chips a study will have, and of what form, before any of them is there."""

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import shapely

from terrashot.areas.place import chips_of_areas
from terrashot.config import StudyConfig
from terrashot.domain.area import Area, Outline
from terrashot.domain.modality import MODALITIES
from terrashot.durable.ledger import Ledger
from terrashot.errors import InputError
from terrashot.ingest.folder_source import open_modality
from terrashot.ingest.source import ImagerySource
from terrashot.steps.listed_chips import folder_path, listed_chips
from terrashot.steps.plan import Context
from terrashot.steps.sources import imagery_sources, outline_of
from terrashot.store.encoding import encoding_for
from terrashot.store.layout import Layout, layouts_from_json
from terrashot.store.parquet import read_table

COUNTED = 50_000
"""More chips are reckoned from the areas' size, to within a hundredth: counting takes a second for every 90,000."""
EARTH_M = 6_371_007.0
"""Radius of the sphere with the Earth's surface."""
LOOKED_AT = 200
"""Chips of a folder whose files tell the form of all."""
PACKED_SHARE = 0.61
"""Of the stored numbers of all channels that a chip may have; measured on simulated chips of 64 and 448 px (docs/store.md)."""
LEDGER_BYTES = 21_000
"""A chip's share of the ledger and its copy, measured likewise."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Form of one modality in the chip store."""

    modality: str
    side_px: int
    n_stored: int
    """The most channels that a chip has on disk."""
    n_shown: int
    """Those, and the ones that are derived on reading."""
    varies: bool
    """Whether each chip has channels of its own."""
    n_bytes: int
    """Of one stored number."""


@dataclass(frozen=True, slots=True)
class Material:
    """What there will be to learn from."""

    n_chips: int
    n_train: int
    n_val: int
    basis: str
    """Where these numbers come from, in words."""
    stored: tuple[Stored, ...]
    store_bytes: int
    """Of the chip store, its ledger included."""

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(one.modality for one in self.stored)

    @property
    def chip_px(self) -> int:
        return max(one.side_px for one in self.stored)


def foresee_material(context: Context, to_run: Collection[str]) -> Material:
    """What the study's chips will be: as they are, unless the steps that make them are to run; then as the study file says.

    Raises:
        TerrashotError: what the study names is not there, or not what it should be.
    """
    n_chips, split, basis = _chips(context, has_chips="chips" not in to_run and context.study.chips.is_file())
    n_train, n_val = (split.count(name) for name in ("train", "val"))
    if not n_train:
        n_train, n_val = _shares_of(context, n_chips)
        basis += "; shares of [split], before any buffer"
    if "ingest" not in to_run and context.study.ledger.is_file():
        return Material(n_chips, n_train, n_val, basis, _stored(context), _size_of_store(context))
    stored = tuple(map(_form_of_source, _sources(context)))
    if not stored:
        raise InputError(f"{folder_path(context)}: no image of the first chips; nothing to learn from")
    return Material(n_chips, n_train, n_val, basis, stored, n_chips * (LEDGER_BYTES + sum(map(_packed_bytes, stored))))


def _chips(context: Context, *, has_chips: bool) -> tuple[int, Sequence[str | None], str]:
    """How many, their split as far as it is given, and by what."""
    if has_chips:
        split = read_table(context.study.chips, columns=["split"]).column("split").to_pylist()
        return len(split), split, "as in chips.parquet"
    listed = listed_chips(context)
    if listed is not None:
        basis = "as in partitions" if context.config.has_partitions else "as in chips.csv"
        return len(listed), listed.split, basis
    areas = [Area(name, outline_of(context, section)[0]) for name, section in context.config.areas.items()]
    return _count(areas, context.config), (), "counted in [areas]"


def _shares_of(context: Context, n_chips: int) -> tuple[int, int]:
    """Chips that will train and validate, by the shares of [split]; of those outside the area that is left out, if one is."""
    split = context.config.split
    train, val, test = split.shares
    if split.area is None:
        return round(train * n_chips), round(val * n_chips)
    listed = listed_chips(context)
    if listed is not None:
        n_others = sum(area != split.area for area in listed.area)
    else:
        drawn = context.config.areas.items()
        others = [Area(name, outline_of(context, own)[0]) for name, own in drawn if name != split.area]
        n_others = _count(others, context.config)
    return round(train / (1 - test) * n_others), round(val / (1 - test) * n_others)


def _count(areas: Sequence[Area], config: StudyConfig) -> int:
    side_m = config.grid.chip_px * config.grid.pixel_m
    about = round(sum(area_m2(area.outline) for area in areas) / side_m**2)
    return about if about > COUNTED else len(chips_of_areas(areas, side_m)[0])


def area_m2(outline: Outline) -> float:
    """Size of an outline in degrees, on a sphere."""
    # Lambert's cylinder: every patch has its true size. Edges that are straight in degrees bend on it.
    dense = shapely.segmentize(outline, 0.5)
    flat = shapely.transform(
        dense, lambda deg: np.stack([np.radians(deg[:, 0]), np.sin(np.radians(deg[:, 1]))], axis=1)
    )
    return EARTH_M**2 * float(shapely.area(flat))


def _sources(context: Context) -> Sequence[ImagerySource]:
    """Of a folder only some files are looked at: to look at all takes minutes where there are many."""
    if context.config.source.kind != "folder":
        return imagery_sources(context)
    folder = folder_path(context)
    listed = listed_chips(context)
    assert listed is not None, "a chip folder's chips stand in a table"
    ids = listed.ids
    some = ids[:: -(-len(ids) // LOOKED_AT)]
    found = (open_modality(folder, name, some)[0] for name in MODALITIES if (folder / name).is_dir())
    return [source for source in found if source is not None]


def _form_of_source(source: ImagerySource) -> Stored:
    n_shown = source.max_channels + len(source.differences)
    n_bytes = np.dtype(encoding_for({source.unit}).dtype).itemsize
    return Stored(
        source.modality, source.side_px, source.max_channels, n_shown, source.channels is None, n_bytes
    )  # fmt: skip


def _stored(context: Context) -> tuple[Stored, ...]:
    with closing(Ledger(context.study.ledger)) as ledger:
        layouts = layouts_from_json(ledger.all("layout"), ledger.path)
    return tuple(_form_of_layout(layouts[name]) for name in MODALITIES if name in layouts)


def _form_of_layout(layout: Layout) -> Stored:
    n_shown = layout.slots + len(layout.derived)
    n_bytes = np.dtype(layout.dtype).itemsize
    return Stored(layout.modality, layout.side_px, layout.slots, n_shown, layout.channels is None, n_bytes)


def _packed_bytes(stored: Stored) -> int:
    return round(PACKED_SHARE * stored.n_stored * stored.n_bytes * stored.side_px**2)


def _size_of_store(context: Context) -> int:
    """With its ledger, of which there is a copy."""
    shards = sum(path.stat().st_size for path in context.study.store.rglob("*") if path.is_file())
    return shards + 2 * context.study.ledger.stat().st_size
