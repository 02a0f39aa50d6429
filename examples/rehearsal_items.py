"""STAC items of the rehearsal's simulated scenes, in the shapes of Planetary Computer and of Earth Search.

Shapes after real items of both (fields, their spelling, where they stand); of Planetary Computer's radar after its collection and its
items of GRD. Addresses are paths: the server puts itself before them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import shapely
from rehearsal_ground import PIXEL_M, Place
from rehearsal_passes import REPROCESSED
from rehearsal_scenes import BANDS, CLASS_M, OpticalScene, RadarScene

Item = dict[str, object]
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
SIMULATED = "Simulated for a rehearsal: no picture of real land"
WAVELENGTHS = {"red": (0.665, 0.038), "green": (0.56, 0.045), "blue": (0.49, 0.098)}
ORBIT_DIRECTION = "descending"
"""By day all passes of Sentinel-2 go southward."""
SHARES = {
    "s2:dark_features_percentage": 2, "s2:cloud_shadow_percentage": 3, "s2:vegetation_percentage": 4,
    "s2:not_vegetated_percentage": 5, "s2:water_percentage": 6, "s2:unclassified_percentage": 7,
    "s2:medium_proba_clouds_percentage": 8, "s2:high_proba_clouds_percentage": 9, "s2:thin_cirrus_percentage": 10,
    "s2:snow_ice_percentage": 11, "s2:nodata_pixel_percentage": 0, "s2:saturated_defective_pixel_percentage": 1,
}  # fmt: skip
RADAR_BAND = {"nodata": -32768, "data_type": "float32", "spatial_resolution": 10}
RADAR_PROPERTIES = {
    "sar:frequency_band": "C", "sar:center_frequency": 5.405, "sar:observation_direction": "right", "sar:instrument_mode": "IW",
    "sar:product_type": "GRD", "sar:resolution_range": 20, "sar:resolution_azimuth": 22, "sar:pixel_spacing_range": 10,
    "sar:pixel_spacing_azimuth": 10, "sar:looks_range": 5, "sar:looks_azimuth": 1, "sar:looks_equivalent_number": 4.4,
    "sat:platform_international_designator": "2014-016A", "platform": "SENTINEL-1A", "constellation": "Sentinel-1",
    "s1:instrument_configuration_ID": "6", "s1:product_timeliness": "Fast-24h", "s1:processing_level": "1",
    "s1:resolution": "high", "s1:orbit_source": "RESORB",
}  # fmt: skip


def planetary_computer_optical(scene: OpticalScene) -> Item:
    """An item of `sentinel-2-l2a`: no raster:bands, no no-data; the baseline stands in the product's name and beside it."""
    said = _optical_properties(scene) | {
        "platform": f"Sentinel-2{scene.passage.platform[-1]}",
        "constellation": "Sentinel 2",
        "s2:mgrs_tile": scene.tile,
        "sat:orbit_state": ORBIT_DIRECTION,
        "sat:relative_orbit": scene.passage.orbit,
    }
    assets = {band: _numbered_asset(scene, kind, band) for kind, band in BANDS.items()}
    assets["SCL"] = {
        "href": _alias(scene, "SCL"), "type": COG, "title": "Scene classfication map (SCL)", "gsd": CLASS_M,
        **_projected(scene.place, CLASS_M), "roles": ["data"],
    }  # fmt: skip
    name = _product_name(scene)
    # The item's id leaves out the baseline.
    parts = name.removesuffix(".SAFE").split("_")
    return _item("_".join(parts[:3] + parts[4:]), "sentinel-2-l2a", scene.footprint, said, assets)


def earth_search_optical(scene: OpticalScene) -> Item:
    """An item of `sentinel-2-l2a`: assets by colour, raster:bands, and whether the offset was taken out of the pixels."""
    zone, band, square = scene.tile[:2], scene.tile[2], scene.tile[3:]
    said = _optical_properties(scene) | {
        "created": _moment(scene.passage.made + timedelta(days=1)),
        "updated": _moment(scene.passage.made + timedelta(days=2)),
        "platform": f"sentinel-2{scene.passage.platform[-1].lower()}",
        "constellation": "sentinel-2",
        "mgrs:utm_zone": int(zone), "mgrs:latitude_band": band, "mgrs:grid_square": square,
        "grid:code": f"MGRS-{scene.tile}",
        "s2:sequence": scene.earth_search_id.split("_")[3],
        "earthsearch:s3_path": f"s3:/{scene.path}",
        "earthsearch:boa_offset_applied": False,
    }  # fmt: skip
    offset = -0.1 if scene.passage.made == REPROCESSED else 0
    assets = {kind: _coloured_asset(scene, kind, band, offset) for kind, band in BANDS.items()}
    assets["scl"] = {
        "href": f"{scene.path}/SCL.tif", "type": COG, "title": "Scene classification map (SCL)",
        **_lattice(scene.place, CLASS_M), "raster:bands": [{"nodata": 0, "data_type": "uint8", "spatial_resolution": 20}],
        "roles": ["data", "reflectance"],
    }  # fmt: skip
    return _item(scene.earth_search_id, "sentinel-2-l2a", scene.footprint, said, assets)


def planetary_computer_radar(scene: RadarScene) -> Item:
    """An item of `sentinel-1-rtc`: its lattice stands in the properties, what its numbers are on the assets."""
    frame, place = scene.frame, scene.place
    said: dict[str, object] = RADAR_PROPERTIES | {
        "datetime": _moment(frame.starts + (frame.ends - frame.starts) / 2),
        "start_datetime": f"{frame.starts:%Y-%m-%d %H:%M:%S}.000000+00:00",
        "end_datetime": f"{frame.ends:%Y-%m-%d %H:%M:%S}.000000+00:00",
        "sar:polarizations": [kind.upper() for kind in frame.kinds],
        "sat:orbit_state": frame.direction,
        "sat:absolute_orbit": frame.absolute_orbit,
        "sat:relative_orbit": frame.relative_orbit,
        "proj:epsg": place.epsg,
        **_projected(place, PIXEL_M),
    }
    assets = {
        kind: {
            "href": f"{frame.path}/measurement/iw-{kind}.rtc.tiff", "type": COG, "raster:bands": [RADAR_BAND], "roles": ["data"],
            "title": f"{kind.upper()}: {WAYS[kind[0]]} transmit, {WAYS[kind[1]]} receive",
        }
        for kind in frame.kinds
    }  # fmt: skip
    return _item(f"{frame.name}_rtc", "sentinel-1-rtc", scene.footprint, said, assets)


WAYS = {"v": "vertical", "h": "horizontal"}


def files_of(scene: OpticalScene) -> dict[str, str]:
    """The paths of a scene in Planetary Computer's container, each with that of the same file in Earth Search's bucket."""
    return {_alias(scene, band): f"{scene.path}/{band}.tif" for band in (*BANDS.values(), "SCL")}


def collection(name: str, item_assets: Mapping[str, object]) -> dict[str, object]:
    """A collection as far as it is asked for."""
    return {
        "type": "Collection", "id": name, "stac_version": "1.0.0", "description": SIMULATED, "license": "Apache-2.0", "links": [],
        "item_assets": dict(item_assets),
    }  # fmt: skip


def item_assets(items: list[Item]) -> dict[str, object]:
    """What all items of a collection have in common, of the assets that any of them has."""
    found: dict[str, object] = {}
    for item in items:
        for key, asset in item["assets"].items():  # type: ignore[attr-defined]
            found.setdefault(
                key, {field: asset[field] for field in ("type", "title", "roles", "gsd") if field in asset}
            )
    return found


def _item(
    name: str, kind: str, outline: shapely.Polygon, said: dict[str, object], assets: Mapping[str, object]
) -> Item:
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": kind, "links": [],
        "geometry": shapely.geometry.mapping(outline), "bbox": list(outline.bounds),
        "properties": said | {"description": SIMULATED}, "assets": dict(assets),
    }  # fmt: skip


def _optical_properties(scene: OpticalScene) -> dict[str, object]:
    """What both catalogues say in the same words."""
    passage, percent = scene.passage, scene.class_percent
    taken = f"{passage.platform}_{passage.taken:%Y%m%dT%H%M%S}_{passage.absolute_orbit:06d}_N{passage.baseline}"
    return {
        "datetime": _moment(passage.taken + timedelta(minutes=3, seconds=int(scene.tile[:2]))),
        "instruments": ["msi"],
        "proj:epsg": scene.place.epsg,
        "eo:cloud_cover": round(sum(percent[number] for number in (8, 9, 10)), 6),
        "s2:processing_baseline": passage.baseline,
        "s2:product_uri": _product_name(scene),
        "s2:generation_time": _moment(passage.made),
        "s2:product_type": "S2MSI2A",
        "s2:datatake_type": "INS-NOBS",
        "s2:datatake_id": f"G{taken}",
        **{key: percent[number] for key, number in SHARES.items()},
    }


def _product_name(scene: OpticalScene) -> str:
    passage = scene.passage
    baseline, orbit = passage.baseline.replace(".", ""), f"R{passage.orbit:03d}"
    times = f"{passage.taken:%Y%m%dT%H%M%S}_N{baseline}_{orbit}_T{scene.tile}_{passage.made:%Y%m%dT%H%M%S}"
    return f"{passage.platform}_MSIL2A_{times}.SAFE"


def _alias(scene: OpticalScene, band: str) -> str:
    """Where Planetary Computer has the file."""
    passage, tile = scene.passage, scene.tile
    taken, pixel_m = f"{passage.taken:%Y%m%dT%H%M%S}", CLASS_M if band == "SCL" else PIXEL_M
    granule = f"L2A_T{tile}_A{passage.absolute_orbit:06d}_{taken}"
    folder = (
        f"/sentinel2-l2/{tile[:2]}/{tile[2]}/{tile[3:]}/{passage.day:%Y/%m/%d}/{_product_name(scene)}/GRANULE/{granule}"
    )
    return f"{folder}/IMG_DATA/R{pixel_m:.0f}m/T{tile}_{taken}_{band}_{pixel_m:.0f}m.tif"


def _numbered_asset(scene: OpticalScene, kind: str, band: str) -> dict[str, object]:
    number = int(band[1:])
    return {
        "href": _alias(scene, band), "type": COG, "title": f"Band {number} - {kind.capitalize()} - 10m", "gsd": 10,
        "eo:bands": [_spectral(kind, band, f"Band {number} - {kind.capitalize()}")], **_projected(scene.place, PIXEL_M),
        "roles": ["data"],
    }  # fmt: skip


def _coloured_asset(scene: OpticalScene, kind: str, band: str, offset: float) -> dict[str, object]:
    title = f"{kind.capitalize()} (band {int(band[1:])}) - 10m"
    numbers = {
        "nodata": 0,
        "data_type": "uint16",
        "bits_per_sample": 15,
        "spatial_resolution": 10,
        "scale": 0.0001,
        "offset": offset,
    }
    return {
        "href": f"{scene.path}/{band}.tif", "type": COG, "title": title, "eo:bands": [_spectral(kind, kind, title)], "gsd": 10,
        **_lattice(scene.place, PIXEL_M), "raster:bands": [numbers], "roles": ["data", "reflectance"],
    }  # fmt: skip


def _spectral(kind: str, name: str, description: str) -> dict[str, object]:
    centre, width = WAVELENGTHS[kind]
    return {
        "name": name, "common_name": kind, "description": description, "center_wavelength": centre, "full_width_half_max": width,
    }  # fmt: skip


def _lattice(place: Place, pixel_m: float) -> dict[str, object]:
    return {"proj:shape": list(place.shape(pixel_m)), "proj:transform": place.transform(pixel_m)}


def _projected(place: Place, pixel_m: float) -> dict[str, object]:
    return {"proj:bbox": list(place.bounds_m)} | _lattice(place, pixel_m)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"
