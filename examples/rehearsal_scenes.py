"""Simulated scenes of Sentinel-2 and Sentinel-1 over the rehearsal's area, as cloud-optimised GeoTIFFs in the products' numbers."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import shapely
from rasterio.transform import Affine
from rehearsal_ground import EAST_EPSG, PIXEL_M, WEST_EPSG, Bounds, Ground, Place, Plan, edge_column, make_ground
from rehearsal_passes import NEW_BASELINE, TILES, OpticalPass, RadarFrame, Side, optical_passes, radar_frames

BANDS = {"red": "B04", "green": "B03", "blue": "B02"}
CLASS_M = 20.0
OVERLAP_CHIPS = 2
"""How far a tile of Sentinel-2 reaches beyond the zone edge."""
NOISE, GAIN = 0.01, 0.01
"""Spread of a pixel and of a whole pass about the simulated month."""
SPECKLE_DB = 0.3
OFFSET_DN = 1000
"""Added to reflectance x 10,000 from baseline 04.00 on."""
MEDIUM_CLOUD, HIGH_CLOUD, PLANTS, BARE, NO_CLASS = 8, 9, 4, 5, 0
RADAR_NODATA = -32768.0
BLOCK_PX = 128


@dataclass(frozen=True, slots=True)
class OpticalScene:
    """A tile of one delivery of a pass."""

    passage: OpticalPass
    place: Place
    footprint: shapely.Polygon
    class_percent: dict[int, float]
    """Of the scene classification, of the pixels with data; class 0 of all."""

    @property
    def tile(self) -> str:
        return TILES[self.place.epsg]

    @property
    def earth_search_id(self) -> str:
        sequence = 1 if self.passage.baseline == NEW_BASELINE else 0
        return f"{self.passage.platform}_{self.tile}_{self.passage.day:%Y%m%d}_{sequence}_L2A"

    @property
    def path(self) -> str:
        """Where its files lie, as in Earth Search's bucket, which has no zeros before numbers."""
        day, tile = self.passage.day, self.tile
        square = f"{int(tile[:2])}/{tile[2]}/{tile[3:]}/{day.year}/{day.month}"
        return f"/sentinel-cogs/sentinel-s2-l2a-cogs/{square}/{self.earth_search_id}"


@dataclass(frozen=True, slots=True)
class RadarScene:
    """A frame on its raster."""

    frame: RadarFrame
    place: Place
    footprint: shapely.Polygon


def write_scenes(plan: Plan, root: Path) -> tuple[list[OpticalScene], list[RadarScene]]:
    """All scenes, their files written below `root` at the paths by which they are served."""
    grounds = {epsg: make_ground(plan, epsg) for epsg in (WEST_EPSG, EAST_EPSG)}
    tiles = [tile_of(ground, plan.chip_px) for ground in grounds.values()]
    optical = [write_optical(plan, passage, tile, root) for passage in optical_passes(plan.seed) for tile in tiles]
    radar = [write_radar(plan, frame, grounds[frame.epsg], root) for frame in radar_frames()]
    return optical, radar


def tile_of(ground: Ground, chip_px: int) -> Ground:
    """The part of a zone's ground that its tile of Sentinel-2 shows: its own side of the edge, and a strip beyond."""
    edge, strip = edge_column(ground, chip_px), OVERLAP_CHIPS * chip_px
    if ground.place.epsg == WEST_EPSG:
        return ground.columns(slice(0, min(edge + strip, ground.place.width_px)))
    return ground.columns(slice(max(edge - strip, 0), ground.place.width_px))


def write_optical(plan: Plan, passage: OpticalPass, ground: Ground, root: Path) -> OpticalScene:
    """One tile of a pass: three bands of 10 m, and the scene classification of 20 m."""
    place, month = ground.place, f"{passage.day:%Y-%m}"
    classes = _classes(ground, month, passage, plan.around)
    scene = OpticalScene(passage, place, footprint(place, passage.sensed, plan.around), _percent(classes))
    folder = root / scene.path.removeprefix("/")
    folder.mkdir(parents=True, exist_ok=True)
    write_cog(folder / "SCL.tif", classes, place, nodata=NO_CLASS, pixel_m=CLASS_M)
    # One generator a pass: the tiles of a pass and its deliveries differ by their noise, not by their gain.
    gain = np.random.default_rng([plan.seed, passage.day.toordinal()]).normal(1, GAIN)
    rng = _rng(plan, scene.earth_search_id)
    fine = np.kron(classes, np.ones((2, 2), classes.dtype))
    for kind, band in BANDS.items():
        numbers = _numbers(ground.planes[f"{month}_{kind}"] * gain, fine, passage.baseline, rng)
        write_cog(folder / f"{band}.tif", numbers, place, nodata=0)
    return scene


def write_radar(plan: Plan, frame: RadarFrame, ground: Ground, root: Path) -> RadarScene:
    """One frame: linear gamma0 of the polarisations it has."""
    folder, place = root / frame.path.removeprefix("/") / "measurement", ground.place
    folder.mkdir(parents=True, exist_ok=True)
    rng, shares = _rng(plan, frame.name), _shares(place, PIXEL_M, plan.around)
    is_sensed = True if frame.sensed is None else frame.sensed.holds(*shares)
    for kind in frame.kinds:
        db = ground.planes[f"{frame.starts:%Y-%m}_{kind}"]
        power = 10 ** ((db + rng.normal(0, SPECKLE_DB, db.shape)) / 10)
        numbers = np.where(is_sensed, power, RADAR_NODATA).astype(np.float32)
        write_cog(folder / f"iw-{kind}.rtc.tiff", numbers, place, nodata=RADAR_NODATA)
    return RadarScene(frame, place, footprint(place, frame.sensed, plan.around))


def footprint(place: Place, sensed: Side | None, box: Bounds) -> shapely.Polygon:
    """The outline of what has data, in degrees."""
    whole = place.outline
    return whole if sensed is None else shapely.intersection(whole, sensed.outline(box))


def write_cog(path: Path, numbers: np.ndarray, place: Place, *, nodata: float, pixel_m: float = PIXEL_M) -> None:
    """Tiles, overviews and deflate, as the real files have them; tiles are smaller, since the scenes are."""
    height_px, width_px = numbers.shape
    is_classes = numbers.dtype == np.uint8
    with rasterio.open(
        path, "w", driver="COG", width=width_px, height=height_px, count=1, dtype=numbers.dtype.name, nodata=nodata,
        crs=f"EPSG:{place.epsg}", transform=Affine(*place.transform(pixel_m)), blocksize=BLOCK_PX, compress="DEFLATE",
        predictor="YES", overview_resampling="NEAREST" if is_classes else "AVERAGE",
    ) as file:  # fmt: skip
        file.write(numbers, 1)


def _classes(ground: Ground, month: str, passage: OpticalPass, box: Bounds) -> np.ndarray:
    """The scene classification, (H, W) uint8 of 20 m: plants or bare ground, clouds with a rim, nothing beyond the swath."""
    u, v = _shares(ground.place, CLASS_M, box)
    red, green = (_halved(ground.planes[f"{month}_{kind}"]) for kind in ("red", "green"))
    classes = np.where(green >= red, PLANTS, BARE).astype(np.uint8)
    for cloud in passage.clouds:
        away = np.hypot(u - cloud.u, v - cloud.v) / cloud.radius
        classes[away < 1] = MEDIUM_CLOUD
        classes[away < 0.7] = HIGH_CLOUD
    if passage.sensed is not None:
        classes[~passage.sensed.holds(u, v)] = NO_CLASS
    return classes


def _shares(place: Place, pixel_m: float, box: Bounds) -> tuple[np.ndarray, np.ndarray]:
    """Where pixels lie in the area's box: u eastward, v northward."""
    (lon_deg, lat_deg), (west, south, east, north) = place.degrees(pixel_m), box
    return (lon_deg - west) / (east - west), (lat_deg - south) / (north - south)


def _halved(plane: np.ndarray) -> np.ndarray:
    """Means of two by two pixels."""
    height_px, width_px = plane.shape
    return plane.reshape(height_px // 2, 2, width_px // 2, 2).mean(axis=(1, 3))


def _numbers(reflectance: np.ndarray, classes: np.ndarray, baseline: str, rng: np.random.Generator) -> np.ndarray:
    """A band as stored, (H, W) uint16: clouds are bright, 0 is no data."""
    bright = rng.uniform(0.5, 0.8, reflectance.shape)
    seen = np.where(np.isin(classes, (MEDIUM_CLOUD, HIGH_CLOUD)), bright, reflectance)
    seen = seen * rng.normal(1, NOISE, seen.shape)
    offset = OFFSET_DN if baseline == NEW_BASELINE else 0
    numbers = np.maximum(np.rint(seen * 10_000) + offset, 1)
    return np.where(classes == NO_CLASS, 0, numbers).astype(np.uint16)


def _percent(classes: np.ndarray) -> dict[int, float]:
    counts = np.bincount(classes.ravel(), minlength=12)
    sensed = max(int(counts[1:].sum()), 1)
    percent = {number: round(100 * int(counts[number]) / sensed, 6) for number in range(1, 12)}
    return {NO_CLASS: round(100 * int(counts[0]) / classes.size, 6)} | percent


def _rng(plan: Plan, name: str) -> np.random.Generator:
    return np.random.default_rng([plan.seed, zlib.crc32(name.encode())])
