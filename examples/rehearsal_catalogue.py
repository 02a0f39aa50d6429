"""Makes all that the rehearsal serves into one folder: simulated scenes, maps of their ground, `catalogue.json` with their items."""

import json
from pathlib import Path

from rehearsal_ground import Plan
from rehearsal_items import (
    Item,
    collection,
    earth_search_optical,
    files_of,
    item_assets,
    planetary_computer_optical,
    planetary_computer_radar,
)
from rehearsal_maps import write_maps
from rehearsal_scenes import write_scenes

PLANETARY_COMPUTER, EARTH_SEARCH = "/api/stac/v1", "/v1"
"""Paths of the two catalogues, as the real ones have them."""


def write_catalogue(plan: Plan, root: Path) -> None:
    """The files of scenes and maps below `root`, and what `RehearsalServer` needs to know of them."""
    optical, radar = write_scenes(plan, root)
    maps = write_maps(plan, root)
    apis = {
        PLANETARY_COMPUTER: _api(
            [*map(planetary_computer_optical, optical), *map(planetary_computer_radar, radar), *maps]
        ),
        EARTH_SEARCH: _api([*map(earth_search_optical, optical)]),
    }
    aliases = {path: own for scene in optical for path, own in files_of(scene).items()}
    (root / "catalogue.json").write_text(json.dumps({"apis": apis, "aliases": aliases}), "utf-8")


def _api(items: list[Item]) -> dict[str, object]:
    names = sorted({str(item["collection"]) for item in items})
    own = {name: [item for item in items if item["collection"] == name] for name in names}
    return {"items": items, "collections": {name: collection(name, item_assets(own[name])) for name in names}}
