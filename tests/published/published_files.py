"""Files as the makers publish them, small."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
import shapely
from affine import Affine

WEST, NORTH = 500_000.0, 5_000_000.0
"""In zone 32632, on the lattice of our chips of 80 m."""
BANDS = [f"A{number:02d}" for number in range(64)]


def stored_bytes(side_px, seed=0):
    """Signed bytes (64, H, W) whose values have length about 1, a tenth of the pixels masked."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(64, side_px, side_px))
    values /= np.linalg.norm(values, axis=0)
    stored = np.rint(np.sqrt(np.abs(values)) * np.sign(values) * 127.5).clip(-127, 127).astype(np.int8)
    stored[:, rng.random((side_px, side_px)) < 0.1] = -128
    return stored


def write_tiff(path, pixels, *, west=WEST, north=NORTH, pixel=10.0, south_up=False, names=BANDS, tags=None, **profile):
    """A GeoTIFF of (C, H, W) with its north first; stored south first if asked for, as the published files are."""
    height = pixels.shape[1]
    transform = Affine(pixel, 0, west, 0, -pixel, north)
    if south_up:
        pixels, transform = pixels[:, ::-1], Affine(pixel, 0, west, 0, pixel, north - height * pixel)
    profile = {
        "driver": "GTiff", "dtype": pixels.dtype, "crs": "EPSG:32632", "transform": transform, "tiled": True,
        "blockxsize": 16, "blockysize": 16, "compress": "deflate", **profile,
    }  # fmt: skip
    with rasterio.open(path, "w", count=len(pixels), height=height, width=pixels.shape[2], **profile) as file:
        file.write(pixels)
        if names is not None:
            file.descriptions = tuple(names)
        file.update_tags(**(tags or {}))
    return path


def write_alphaearth(path, side_px=64, seed=0, **how):
    """A file as Google publishes it: signed bytes, -128 for no data, south up."""
    stored = stored_bytes(side_px, seed)
    write_tiff(path, stored, **{"south_up": True, "nodata": -128, **how})
    return stored


def write_tessera(
    folder, name="grid_9.05_45.15", shape=(64, 48), seed=0, *, west=WEST, north=NORTH, crs="EPSG:32632", dims=8
):
    """A tile as its own tool downloads it: bytes and scales by year, the landmask apart. Returns its numbers (H, W, D)."""
    rng = np.random.default_rng(seed)
    stored = rng.integers(-127, 128, (*shape, dims)).astype(np.int8)
    scales = rng.uniform(0.01, 0.1, shape).astype(np.float32)
    land = np.ones(shape, np.uint8)
    land[:6, :9] = 0
    scales[-3:, :4], scales[-3:, 4:7] = np.inf, np.nan
    tile, masks = folder / "global_0.1_degree_representation" / "2024" / name, folder / "global_0.1_degree_tiff_all"
    tile.mkdir(parents=True)
    masks.mkdir(exist_ok=True)
    np.save(tile / f"{name}.npy", stored)
    np.save(tile / f"{name}_scales.npy", scales)
    write_tiff(masks / f"{name}.tiff", land[None], west=west, north=north, crs=crs, names=None)
    values = stored.astype(np.float64) * np.where(np.isfinite(scales), scales, 0).astype(np.float64)[..., None]
    values[(land == 0) | ~np.isfinite(scales)] = np.nan
    return values


def squares(n, lon=9.0, lat=45.0):
    """Footprints in degrees, in a row to the east."""
    return np.array([shapely.box(lon + 0.1 * i, lat, lon + 0.1 * i + 0.05, lat + 0.05) for i in range(n)], dtype=object)


def geo(crs=None):
    """A footer's `geo` entry."""
    column = {"encoding": "WKB", "geometry_types": ["Polygon"], **({} if crs is None else {"crs": crs})}
    return {"geo": json.dumps({"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}})}


def write_rows(path, columns, footer=None):
    """A Parquet file; a column of None is left out."""
    columns = {name: column for name, column in columns.items() if column is not None}
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(footer or geo()), path)
    return path


def majortom_columns(n=6, dims=5, seed=0, cells=2):
    """As Major TOM's own embedder lays them out: some fragments a cell."""
    rng, shapes = np.random.default_rng(seed), squares(n)
    return {
        "unique_id": [rng.bytes(32).hex() for _ in range(n)],
        "embedding": list(rng.normal(size=(n, dims)).astype(np.float32)),
        "timestamp": ["20200217T101021"] * n,
        "product_id": ["S2A_MSIL2A_20200217T101021"] * n,
        "grid_cell": [f"501U_{80 + i % cells}R" for i in range(n)],
        "grid_row_u": pa.array([501] * n, pa.int16()),
        "grid_col_r": pa.array([80] * n, pa.int16()),
        "centre_lat": pa.array(shapely.get_y(shapely.centroid(shapes)), pa.float32()),
        "centre_lon": pa.array(shapely.get_x(shapely.centroid(shapes)), pa.float32()),
        "utm_footprint": ["POLYGON ((0 0, 1 0, 1 1, 0 0))"] * n,
        "utm_crs": ["EPSG:32632"] * n,
        "pixel_bbox": [[0, 0, 224, 224]] * n,
        "geometry": list(shapely.to_wkb(shapes)),
    }


def clay_columns(n=6, dims=5, seed=0):
    """As Clay v0 lays them out: three dates of each place."""
    shapes = squares(n)
    vectors = np.random.default_rng(seed).normal(size=(n, dims)).astype(np.float32)
    dates = ["20170519", "20200101", "20211231"]
    return {
        "index": list(range(n)),
        "source_url": [f"s3://x/02/32VLM/claytile_32VLM_{dates[i % 3]}_v02_{i // 3:04d}.tif" for i in range(n)],
        "embeddings": pa.FixedShapeTensorArray.from_numpy_ndarray(vectors),
        "geometry": list(shapely.to_wkb(shapes)),
    }
