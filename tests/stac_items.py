"""Real STAC items of the sample data, and twins of them with changes."""

import copy
import json
from pathlib import Path

REAL = "earth-search-v1_s2-l2a_pb0214.json"
"""Item of the one whose pixels are here too (earthsearch-v1-s2-29RKH)."""


def stac_json(shared: Path, name: str) -> dict:
    """One file of `stac-items`."""
    return json.loads((shared / "stac-items" / name).read_text("utf-8"))


def twin(item: dict, *, bands: dict | None = None, **properties: object) -> dict:
    """A copy with other properties (`__` for `:`, None removes) and, in every asset that has bands, other band fields."""
    changed = copy.deepcopy(item)
    for key, value in properties.items():
        changed["properties"][key.replace("__", ":")] = value
    for asset in changed["assets"].values():
        for band in asset.get("raster:bands", []):
            band.update(bands or {})
    return changed


def of_baseline(item: dict, baseline: str, **properties: object) -> dict:
    """A twin as another baseline made it; its name says so too."""
    name = item["properties"]["s2:product_uri"].replace("_N0214_", f"_N{baseline.replace('.', '')}_")
    return twin(item, s2__processing_baseline=baseline, s2__product_uri=name, **properties)


def small_item(**changes: object) -> dict:
    """An item with one of each thing, small enough to check by eye; made up, in the form of Earth Search."""
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "S2A_29RKH_20200219_0_L2A",
        "collection": "sentinel-2-l2a",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[-12.0, 24.0], [-11.0, 24.0], [-11.0, 25.0], [-12.0, 25.0], [-12.0, 24.0]]],
        },
        "links": [],
        "properties": {
            "datetime": "2020-02-19T11:34:25.405Z",
            "platform": "Sentinel-2A",
            "sat:orbit_state": "descending",
            "sat:relative_orbit": 37,
            "grid:code": "MGRS-29RKH",
            "eo:cloud_cover": 4.0,
            "proj:epsg": 32629,
            "s2:processing_baseline": "02.14",
            "s2:product_uri": "S2A_MSIL2A_20200219T112111_N0214_R037_T29RKH_20200219T123947.SAFE",
            "s2:generation_time": "2020-02-19T12:39:47Z",
            "earthsearch:boa_offset_applied": False,
        },
        "assets": {
            "red": {
                "href": "https://example.com/B04.tif",
                "type": "image/tiff",
                "gsd": 10,
                "proj:shape": [10980, 10980],
                "proj:transform": [10, 0, 199980, 0, -10, 2800020],
                "eo:bands": [{"name": "red", "common_name": "red"}],
                "raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": 0}],
            },
            "scl": {"href": "https://example.com/SCL.tif"},
        },
    }
    item.update(changes)
    return item
