"""The chips of a store as other formats hold them and other programs read them: GeoTIFFs, an .npy file, Zarr readers."""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import zarr

from terrashot.store.chips import ZarrChipStore
from terrashot.store.encode import encode
from terrashot.store.encoding import encoding_for
from terrashot.store.layout import ZARR, StoredChannel

Read = Callable[[str, int], np.ndarray]
"""One channel of one chip, by chip id and slot."""
PACKED = {"compress": "deflate", "predictor": 2}
HAS_RASTERIO = importlib.util.find_spec("rasterio") is not None
HAS_TENSORSTORE = importlib.util.find_spec("tensorstore") is not None


def readers(store: ZarrChipStore, modality: str, folder: Path, geotiffs: Path) -> dict[str, Read | None]:
    """Each rival, one read at a time; None where its program is not installed. Only GeoTIFFs give values, not codes.

    Args:
        folder: an .npy copy is written here.
        geotiffs: where `write_geotiffs` put this modality.
    """
    row = {chip_id: number for number, chip_id in enumerate(store.chip_ids)}
    array = zarr.open_group(store.folder / ZARR, mode="r")[modality]
    np.save(folder / f"{modality}.npy", array[: len(row)])
    mapped = np.load(folder / f"{modality}.npy", mmap_mode="r")
    return {
        "zarr-python": lambda chip_id, slot: array[row[chip_id], slot],
        "memmap": lambda chip_id, slot: np.array(mapped[row[chip_id], slot]),
        "geotiff": _geotiff_reader(store, modality, geotiffs) if HAS_RASTERIO else None,
        "tensorstore": _tensorstore_reader(store, modality, row) if HAS_TENSORSTORE else None,
    }


def write_geotiffs(store: ZarrChipStore, modality: str, folder: Path, *, is_packed: bool) -> Path:
    """The folder, now with one file a chip: a band for each channel shown, derived and upsampled ones too.

    Args:
        is_packed: our own steps as uint16 with deflate and horizontal differences, else plain float32.
    """
    folder.mkdir(parents=True)
    for chip_id in store.chip_ids:
        shown = store.channels(chip_id, modality)
        if shown:
            values = store.read(modality, [(chip_id, channel.slot) for channel in shown])
            _write_geotiff(folder / f"{chip_id}.tif", _codes(values, shown) if is_packed else values)
    return folder


def bytes_below(folder: Path) -> int:
    """Length of all files of a folder together."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _codes(values: np.ndarray, shown: Sequence[StoredChannel]) -> np.ndarray:
    return encode(encoding_for({channel.channel.unit for channel in shown}), values)[0].astype(np.uint16)


def _write_geotiff(path: Path, values: np.ndarray) -> None:
    import rasterio

    count, side_px, _ = values.shape
    options = {"blockysize": side_px, **PACKED} if values.dtype == np.uint16 else {}
    with rasterio.open(
        path, "w", driver="GTiff", width=side_px, height=side_px, count=count, dtype=values.dtype, interleave="band",
        crs="EPSG:32632", transform=rasterio.Affine(10.0, 0.0, 5e5, 0.0, -10.0, 5e6), **options,
    ) as file:  # fmt: skip
        file.write(values)


def _geotiff_reader(store: ZarrChipStore, modality: str, geotiffs: Path) -> Read:
    import rasterio

    band = {
        (chip_id, channel.slot): number
        for chip_id in store.chip_ids
        for number, channel in enumerate(store.channels(chip_id, modality), start=1)
    }

    def read(chip_id: str, slot: int) -> np.ndarray:
        # Without the option GDAL lists the folder on every opening.
        with (
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
            rasterio.open(geotiffs / f"{chip_id}.tif") as file,
        ):
            return file.read(band[chip_id, slot])

    return read


def _tensorstore_reader(store: ZarrChipStore, modality: str, row: dict[str, int]) -> Read:
    import tensorstore

    layout = store.layout(modality)
    chunk_bytes = layout.side_px**2 * np.dtype(layout.dtype).itemsize
    # Room for the shard indexes and a few chunks: with more, repeated reads would come from memory, decoded.
    limit = {"total_bytes_limit": 100_000 + 4 * chunk_bytes}
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(store.folder / ZARR / modality)},
        "recheck_cached_data": "open",
        "recheck_cached_metadata": "open",
    }
    array = tensorstore.open(spec, open=True, context=tensorstore.Context({"cache_pool": limit})).result()
    return lambda chip_id, slot: array[row[chip_id], slot].read().result()
