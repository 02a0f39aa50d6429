"""Image files that claim much, and good ones to be bent."""

import struct
import zlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import rasterio
from PIL import Image


def npy_header(shape: tuple[int, ...]) -> bytes:
    """The beginning of a .npy of float32."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def png(width: int, height: int, colour: int, rows: bytes = b"") -> bytes:
    """A PNG of 8 bit that claims this size, with these rows in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, content) for kind, content in chunks)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def sparse_tif(path: Path, **profile: object) -> None:
    """A GeoTIFF of some hundred bytes that claims as many pixels as one likes."""
    wanted = {"count": 1, "dtype": "uint8", "SPARSE_OK": True} | profile
    with rasterio.open(path, "w", driver="GTiff", **wanted):
        pass


def sparse_netcdf(path: Path, side_px: int) -> None:
    """Coherence of one date pair of which no cell is there."""
    with h5py.File(path, "w") as file:
        group = _axes(file)
        group.create_dataset("coherence", (1, side_px, side_px), "f4", chunks=(1, 64, 64), compression="gzip")


def huge_jpeg(path: Path) -> None:
    """A small JPEG whose frame header claims 65,000 px a side."""
    _noise().save(path, "JPEG")
    content = bytearray(path.read_bytes())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    path.write_bytes(content)


@cache
def good_image(ending: str) -> bytes:
    """A small image of this kind."""
    with TemporaryDirectory(prefix="faults-") as folder:
        path = Path(folder) / f"good{ending}"
        _write_good(path)
        return path.read_bytes()


@cache
def good_cog() -> bytes:
    """A GeoTIFF of two bands in tiles of 32 px, with an overview and its place."""
    pixels = np.random.default_rng(0).integers(1, 9000, (2, 150, 130), dtype=np.uint16)
    with TemporaryDirectory(prefix="faults-") as folder:
        path = Path(folder) / "good.tif"
        place = {"crs": "EPSG:32629", "transform": rasterio.Affine(10, 0, 500_000, 0, -10, 4_000_000)}
        tiles = {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate", "nodata": 0}
        with rasterio.open(
            path, "w", driver="GTiff", dtype="uint16", count=2, width=130, height=150, **place, **tiles
        ) as file:
            file.write(pixels)
            file.build_overviews([2])
        return path.read_bytes()


def _write_good(path: Path) -> None:
    if path.suffix == ".npy":
        np.save(path, np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    elif path.suffix == ".tif":
        pixels = np.asarray(_noise()).transpose(2, 0, 1)
        with rasterio.open(
            path, "w", driver="GTiff", dtype="uint8", count=3, width=64, height=64, compress="deflate"
        ) as file:
            file.write(pixels)
    elif path.suffix == ".nc":
        with h5py.File(path, "w") as file:
            _axes(file).create_dataset("coherence", data=np.full((1, 4, 4), 0.5, np.float32))
    else:
        _noise().save(path)


def _noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))


def _axes(file: h5py.File) -> h5py.Group:
    group = file.create_group("science/grids/data")
    group["datepair"] = np.array(["20200217_20200205"], dtype=h5py.string_dtype())
    group["latitude"], group["longitude"] = np.linspace(1, 0, 4), np.linspace(0, 1, 4)
    return group
