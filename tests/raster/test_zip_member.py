"""A GeoTIFF inside a zip file is read as it lies there; any other zip file is refused by name, and nothing is unpacked onto the disk."""

import zipfile

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from rasterio.transform import Affine  # noqa: E402

from terrashot.errors import InputError  # noqa: E402
from terrashot.raster import zip_member  # noqa: E402
from terrashot.raster.asset import open_asset  # noqa: E402
from terrashot.raster.zip_member import ZipMember  # noqa: E402
from terrashot.remote.file import Blocks  # noqa: E402


@pytest.fixture
def geotiff(tmp_path):
    path = tmp_path / "built.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=40,
        height=30,
        count=1,
        dtype="uint16",
        crs="ESRI:54009",
        transform=Affine(100, 0, 0, 0, -100, 0),
        compress="lzw",
    ) as file:
        file.write(np.arange(1200, dtype=np.uint16).reshape(30, 40), 1)
    return path.read_bytes()


def packed(path, members, how=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", how) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_windows_are_those_of_the_file_itself_wherever_its_name_points(tmp_path, geotiff, how):
    path = packed(tmp_path / "tile.zip", {"../../../tmp/escaped/built.TIF": geotiff, "/etc/readme.pdf": b"text"}, how)
    before = sorted(tmp_path.parent.rglob("*"))
    with open_asset(Blocks(ZipMember(path))) as asset:
        assert asset.header().nodata is None and asset.header().width_px == 40
        assert asset.read(slice(2, 4), slice(5, 7)).pixels.tolist() == [[[85, 86], [125, 126]]]
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_no_geotiff_several_or_no_zip_file_are_refused_with_what_was_found(tmp_path, geotiff):
    for members, told in (
        ({"a.txt": b""}, "holds 0 GeoTIFFs"),
        ({"a.tif": geotiff, "b.tif": geotiff}, r"2 GeoTIFFs \(a\.tif, b\.tif\)"),
    ):
        with pytest.raises(InputError, match=told):
            ZipMember(packed(tmp_path / "tile.zip", members))
    (tmp_path / "none.zip").write_bytes(geotiff)
    with pytest.raises(InputError, match=r"none\.zip.*fetch it again"):
        ZipMember(tmp_path / "none.zip")
    with pytest.raises(InputError, match=r"gone\.zip"):
        ZipMember(tmp_path / "gone.zip")


def test_a_member_larger_than_we_allow_or_than_it_claims_is_never_unpacked(tmp_path, geotiff, monkeypatch):
    path = packed(tmp_path / "bomb.zip", {"a.tif": b"\0" * 10_000_000})
    monkeypatch.setattr(zip_member, "MOST_BYTES", 1 << 20)
    with pytest.raises(InputError, match="at most inside a zip file"):
        ZipMember(path)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")  # in the directory: the length of what comes out
    content[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bomb\.zip"):
        ZipMember(path)


def test_a_damaged_or_encrypted_member_is_refused(tmp_path, geotiff):
    path = packed(tmp_path / "tile.zip", {"a.tif": geotiff})
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[60] ^= 16
    path.write_bytes(flipped)
    with pytest.raises(InputError, match=r"tile\.zip"):
        ZipMember(path)
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(InputError, match="encrypted"):
        ZipMember(path)
