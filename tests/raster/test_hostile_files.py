"""Files made to harm, and files that came to harm: refused at once, with one line that names the file."""

import struct
import time
import zlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from terrashot.errors import InputError
from terrashot.raster.picture import Form
from terrashot.raster.read import read_form, read_picture

SECONDS = 2.0


def npy_header(shape, descr="<f4"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, colour, bits=8, rows=b""):
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def tif_header_only(path, **profile):
    """A sparse file: some hundred bytes that claim as many pixels as one likes."""
    with rasterio.open(
        path, "w", driver="GTiff", dtype="uint8", count=profile.pop("count", 1), SPARSE_OK=True, **profile
    ):
        pass


def hdf5(make):
    def write(path):
        with h5py.File(path, "w") as file:
            make(file, file.create_group("science/grids/data"))

    return write


def axes(group, pairs=1, rows=4, columns=4):
    group["datepair"] = np.array(["20200217_20200205"] * pairs, dtype=h5py.string_dtype())
    group["latitude"], group["longitude"] = np.linspace(1, 0, rows), np.linspace(0, 1, columns)


def external_link(file, group):
    axes(group)
    group["coherence"] = h5py.ExternalLink("other.nc", "/science/grids/data/coherence")


def soft_link(file, group):
    axes(group)
    file["elsewhere"] = np.zeros((1, 4, 4), np.float32)
    group["coherence"] = h5py.SoftLink("/elsewhere")


def virtual(file, group):
    axes(group)
    layout = h5py.VirtualLayout((1, 4, 4), np.float32)
    layout[...] = h5py.VirtualSource("other.nc", "x", (1, 4, 4))
    group.create_virtual_dataset("coherence", layout)


def external_storage(file, group):
    axes(group)
    group.create_dataset("coherence", (1, 4, 4), "f4", external=[("/etc/hostname", 0, 64)])


def huge(file, group):
    axes(group)
    group.create_dataset("coherence", (1, 1_000_000, 1_000_000), "f4", chunks=(1, 64, 64))


def huge_chunk(file, group):
    axes(group)
    group.create_dataset("coherence", (1, 4, 4), "f4", chunks=(1, 30_000, 30_000), maxshape=(1, None, None))


def short_axis(file, group):
    axes(group, pairs=3)
    group["coherence"] = np.ones((1, 4, 4), np.float32)


def flat(file, group):
    axes(group)
    group["coherence"] = np.ones((4, 4), np.float32)


def text_as_coherence(file, group):
    axes(group)
    group["coherence"] = np.full((1, 4, 4), "x", dtype=h5py.string_dtype())


def vrt(path):
    tif_of_noise(path.with_name("other.tif"))
    path.write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="4"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        '<SourceFilename relativeToVRT="1">other.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'
    )


def complex_tif(path):
    with rasterio.open(path, "w", driver="GTiff", dtype="complex64", count=1, width=4, height=4) as file:
        file.write(np.ones((1, 4, 4), np.complex64))


def palette_tif(path):
    with rasterio.open(
        path, "w", driver="GTiff", dtype="uint8", count=1, width=4, height=4, photometric="palette"
    ) as file:
        file.write(np.ones((1, 4, 4), np.uint8))
        file.write_colormap(1, {0: (0, 0, 0), 1: (255, 0, 0)})


def palette_png(path):
    Image.fromarray(np.ones((4, 4), np.uint8)).convert("P").save(path)


def pickled(path):
    np.save(path, np.array([{"a": 1}]), allow_pickle=True)


def content(data):
    return lambda path: path.write_bytes(data)


CASES = {
    "objects in npy": (".npy", pickled, "object"),
    "records in npy": (".npy", lambda p: np.save(p, np.zeros((4, 4), [("a", "f4")])), "needs numbers"),
    "complex npy": (".npy", lambda p: np.save(p, np.zeros((4, 4), complex)), "complex128 of shape"),
    "text npy": (".npy", lambda p: np.save(p, np.full((4, 4), "a")), "needs numbers"),
    "one axis": (".npy", lambda p: np.save(p, np.zeros(4)), "needs numbers of shape"),
    "four axes": (".npy", lambda p: np.save(p, np.zeros((1, 1, 4, 4))), "needs numbers of shape"),
    "no pixel": (".npy", lambda p: np.save(p, np.zeros((3, 0, 4))), "claims 3 channels of 4 x 0 px"),
    "npy of 1e12 pixels": (".npy", content(npy_header((1, 10**6, 10**6)) + b"\0" * 64), "1000000 x 1000000 px"),
    "npy of 1e12 channels": (".npy", content(npy_header((10**12, 4, 4)) + b"\0" * 64), "claims 1000000000000 channels"),
    "npy of negative size": (".npy", content(npy_header((-1, 4, 4)) + b"\0" * 64), "claims -1 channels"),
    "npy cut short": (".npy", content(npy_header((3, 64, 64)) + b"\0" * 64), "its header claims 49280"),
    "npy with a tail": (".npy", content(npy_header((1, 2, 2)) + b"\0" * 4096), "its header claims 144"),
    "npy with code as header": (".npy", content(b"\x93NUMPY\x01\x00\x20\x00__import__('os').getcwd()".ljust(42)), "cannot be read"),
    "npy with a huge header": (".npy", content(b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{"), "cannot be read"),
    "npy with a header of minus signs": (".npy", content(b"\x93NUMPY\x01\x00" + struct.pack("<H", 9001) + b"-" * 9000 + b"\n"), "cannot be read"),
    "npy with an open bracket": (".npy", content(b"\x93NUMPY\x01\x00\x0c\x00{'descr': [\n"), "cannot be read"),
    "empty npy": (".npy", content(b""), "cannot be read"),
    "a zip called npy": (".npy", content(b"PK\x03\x04" + b"\0" * 200), "cannot be read"),
    "PNG of 1e10 pixels": (".png", content(png(100_000, 100_000, 2)), "too many pixels"),
    "PNG of 1e8 pixels": (".png", content(png(10_000, 10_000, 0, rows=b"\0" * 1000)), "claims 1 channels of 10000 x 10000"),
    "PNG without its rows": (".png", content(png(64, 64, 2)), "cannot be read"),
    "PNG whose rows unpack to far more": (".png", content(png(4, 4, 0, rows=b"\0" * 30_000_000)), None),
    "PNG in colour of 16 bit": (".png", content(png(2, 2, 2, bits=16, rows=(b"\0" + b"\1" * 12) * 2)), "colour of 16 bit"),
    "PNG with a palette": (".png", palette_png, "colour mode P"),
    "black and white PNG": (".png", lambda p: Image.new("1", (4, 4)).save(p), "colour mode 1"),
    "CMYK JPEG": (".jpg", lambda p: Image.new("CMYK", (4, 4)).save(p), "colour mode CMYK"),
    "a GIF called PNG": (".png", lambda p: Image.new("L", (4, 4)).save(p, "GIF"), "cannot be read"),
    "half a PNG": (".png", lambda p: halved(p, lambda q: noise_image().save(q)), "cannot be read"),
    "half a JPEG": (".jpg", lambda p: halved(p, lambda q: noise_image().save(q)), "cannot be read"),
    "TIFF of 1e10 pixels": (".tif", lambda p: tif_header_only(p, width=100_000, height=100_000), "100000 x 100000 px"),
    "TIFF of 60,000 bands": (".tif", lambda p: tif_header_only(p, width=32, height=32, count=60_000), "claims 60000 channels"),
    "TIFF with a huge block": (
        ".tif", lambda p: tif_header_only(p, width=64, height=64, tiled=True, blockxsize=32_768, blockysize=16_384), "blocks of",
    ),
    "VRT called TIFF": (".tif", vrt, "cannot be read as GeoTIFF"),
    "half a TIFF": (".tif", lambda p: halved(p, tif_of_noise), "cannot be read"),
    "complex TIFF": (".tif", complex_tif, "holds complex64"),
    "TIFF with a palette": (".tif", palette_tif, "colours palette"),
    "text called TIFF": (".tif", content(b"not an image"), "cannot be read as GeoTIFF"),
    "NetCDF that points at another file": (".nc", hdf5(external_link), "no 'coherence' in it"),
    "NetCDF with a soft link": (".nc", hdf5(soft_link), "no 'coherence' in it"),
    "virtual NetCDF": (".nc", hdf5(virtual), "holds no numbers of its own"),
    "NetCDF with its bytes elsewhere": (".nc", hdf5(external_storage), "holds no numbers of its own"),
    "NetCDF of 1e12 pixels": (".nc", hdf5(huge), "1000000 x 1000000 px"),
    "NetCDF with a huge chunk": (".nc", hdf5(huge_chunk), "stored in chunks of"),
    "NetCDF without coherence": (".nc", hdf5(lambda file, group: axes(group)), "no 'coherence' in it"),
    "NetCDF of another layout": (".nc", lambda p: h5py.File(p, "w").close(), "no 'science' in it"),
    "NetCDF with a short axis": (".nc", hdf5(short_axis), "'datepair' has shape (3,)"),
    "NetCDF with two axes": (".nc", hdf5(flat), "needs (datepair, latitude, longitude)"),
    "NetCDF of text": (".nc", hdf5(text_as_coherence), "needs (datepair, latitude, longitude)"),
    "NetCDF 3": (".nc", content(b"CDF\x01" + b"\0" * 200), "cannot be read"),
    "a folder called TIFF": (".tif", lambda p: p.mkdir(), "no such file"),
    "nothing": (".tif", lambda p: None, "no such file"),
}  # fmt: skip


def noise_image():
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))


def tif_of_noise(path):
    with rasterio.open(
        path, "w", driver="GTiff", dtype="uint8", count=1, width=64, height=64, compress="deflate"
    ) as file:
        file.write(np.random.default_rng(0).integers(0, 255, (1, 64, 64), dtype=np.uint8))


def halved(path, write):
    write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize("kind", CASES)
def test_a_bad_image_is_refused_at_once_in_one_line(kind, tmp_path):
    ending, write, said = CASES[kind]
    path = tmp_path / f"chip{ending}"
    write(path)
    started = time.monotonic()
    if said is None:
        assert read_picture(path).values.shape == (1, 4, 4)
    else:
        with pytest.raises(InputError) as refusal:
            read_picture(path)
        line = str(refusal.value)
        assert (said in line, str(path) in line, "\n" in line) == (True, True, False), line
    assert time.monotonic() - started < SECONDS


@pytest.mark.parametrize(
    "kind",
    ["npy of 1e12 pixels", "npy cut short", "PNG of 1e10 pixels", "TIFF of 1e10 pixels", "NetCDF of 1e12 pixels"],
)
def test_the_header_alone_is_enough_to_refuse(kind, tmp_path):
    ending, write, _ = CASES[kind]
    write(tmp_path / f"chip{ending}")
    with pytest.raises(InputError):
        read_form(tmp_path / f"chip{ending}")


def write_good(path):
    if path.suffix == ".npy":
        np.save(path, np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    elif path.suffix == ".tif":
        tif_of_noise(path)
    elif path.suffix == ".nc":
        hdf5(lambda file, group: (axes(group), group.create_dataset("coherence", data=np.full((1, 4, 4), 0.5, "f4"))))(
            path
        )
    else:
        noise_image().save(path)


@cache
def good_file(ending):
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"good{ending}"
        write_good(path)
        return path.read_bytes()


@pytest.mark.parametrize("ending", [".npy", ".tif", ".png", ".jpg", ".nc"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    kept=st.floats(0.2, 1),
)
def test_a_damaged_file_is_read_or_refused_but_never_anything_else(ending, flips, kept, tmp_path):
    damaged = bytearray(good_file(ending))
    for place, value in flips:
        damaged[int(place**3 * len(damaged))] = value  # headers lie at the beginning
    path = tmp_path / f"damaged{ending}"
    path.write_bytes(damaged[: int(len(damaged) * kept)])
    for read in (read_form, read_picture):
        try:
            found = read(path)
        except InputError as error:
            assert str(path) in str(error)
        else:
            assert isinstance(found, Form) or found.values.dtype == np.float32
