"""Where the chips of a study lie, so that labels can be read off a map."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely

from terrashot.domain.cells import cells_of
from terrashot.domain.grid import CHIP_ID, chip_from_id
from terrashot.domain.modality import MODALITIES
from terrashot.domain.tables import Chips
from terrashot.errors import InputError
from terrashot.labels.chip_outlines import Ground, ground_of
from terrashot.raster.windows import read_tiff_header
from terrashot.steps.listed_chips import folder_path
from terrashot.steps.plan import Context


def ground_of_study(context: Context, chips: Chips) -> Ground:
    """The outlines of the chips: those of our grid, of partitions, or of the GeoTIFFs of a chip folder.

    Raises:
        InputError: a chip's place is not known.
    """
    config = context.config
    if config.source.kind != "folder" or config.has_partitions:
        is_ours = not config.has_partitions
        return ground_of(chips, config.grid.chip_px * config.grid.pixel_m if is_ours else None)
    if all(CHIP_ID.fullmatch(chip_id) for chip_id in chips.ids):
        own = [chip_from_id(chip_id) for chip_id in chips.ids]
        if len({chip.size_m for chip in own}) == 1:
            return cells_of(own)
    outlines = np.empty(len(chips), dtype=object)
    outlines[:] = [_outline(folder_path(context), chip_id) for chip_id in chips.ids]
    return outlines


def _outline(folder: Path, chip_id: str) -> shapely.Polygon:
    """The edge of a chip's image, in degrees."""
    path = next(_images(folder, chip_id), None)
    if path is None:
        raise InputError(
            f"{folder}: chip {chip_id} has no GeoTIFF, so that its place is unknown and no label can be read off a map; write its "
            "images with their coordinate system, or bring labels.csv alone"
        )
    lon_deg, lat_deg = read_tiff_header(path).place.outline_deg()
    return shapely.Polygon(np.column_stack([lon_deg, lat_deg]))


def _images(folder: Path, chip_id: str) -> Iterator[Path]:
    for modality in MODALITIES:
        for suffix in (".tif", ".tiff"):
            path = folder / modality / f"{chip_id}{suffix}"
            if path.is_file():
                yield path
