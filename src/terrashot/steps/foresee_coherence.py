"""What coherence would cost: products or tiles to fetch, told by `run --dry-run` before a cell is fetched."""

import math
from typing import Any

from terrashot.coherence_sections import CoherenceSection
from terrashot.domain.tables import Chips
from terrashot.ingest.pair_list import ASSET
from terrashot.ingest.pair_source import MODALITY
from terrashot.ingest.scene_file import Listed, read_listed
from terrashot.ingest.seasonal_source import tile_name
from terrashot.steps.coherence_plan import list_path, seasonal_source
from terrashot.steps.find_pairs import list_products, question_of_pairs
from terrashot.steps.foresee_text import amount
from terrashot.steps.plan import Context
from terrashot.steps.progress import Work

PRODUCT_BYTES, TILE_BYTES = 55e6, 1.1e6
"""Of a product whose size the catalogue does not tell, and the most of a tile: of real ones, docs/coherence.md."""


def cost_of_coherence(context: Context, section: CoherenceSection, chips: Chips) -> Work[tuple[str, dict[str, Any]]]:
    """A sentence, and its numbers by name.

    Raises:
        NetworkError, InputError: as `find_pairs`.
    """
    if section.product == "seasonal":
        return _of_tiles(context, section, chips)
    listed = yield from _listed(context, section, chips)
    n_bytes = sum(item["assets"][ASSET].get("file:size", PRODUCT_BYTES) for item in listed.items)
    facts = {"products": len(listed.items), "gigabytes": round(n_bytes / 1e9, 3)}
    if section.folder is not None:
        return f"  {MODALITY}: {len(listed.items):,} GUNW products, on this disk", facts
    return (
        f"  {MODALITY}: {len(listed.items):,} GUNW products over {len(chips):,} chips, about {amount(n_bytes, 'B')}, each fetched "
        f"once; needs an Earthdata login",
        facts,
    )


def _listed(context: Context, section: CoherenceSection, chips: Chips) -> Work[Listed]:
    path, question = list_path(context), question_of_pairs(context, section, chips)
    if path.is_file() and (known := read_listed(path)).question == question:
        return known
    return (yield from list_products(context, section, chips, question))


def _of_tiles(context: Context, section: CoherenceSection, chips: Chips) -> tuple[str, dict[str, Any]]:
    assert chips.lon_deg is not None and chips.lat_deg is not None, "chips of our own grid have places"
    corners = zip(chips.lon_deg.tolist(), chips.lat_deg.tolist(), strict=True)
    tiles = {tile_name(math.floor(lon), math.floor(lat) + 1) for lon, lat in corners}
    n_files = len(tiles) * seasonal_source(context, section).max_channels
    told = (
        f"  {MODALITY}: {n_files:,} files of the seasonal data set over {len(chips):,} chips, at most "
        f"{amount(n_files * TILE_BYTES, 'B')}"
    )
    return told, {"files": n_files, "gigabytes": round(n_files * TILE_BYTES / 1e9, 3)}
