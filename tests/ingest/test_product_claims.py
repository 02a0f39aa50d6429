"""A product's file is held against its name: days of its scenes, and where its cells lie."""

from itertools import product as every

import numpy as np
import pytest

pytest.importorskip("rasterio")
from faults.gunw_files import MEXICO, Layout, gunw_name, write_gunw

from terrashot.domain.coherence_pair import product_name
from terrashot.errors import InputError
from terrashot.ingest.product_claims import refuse_another
from terrashot.raster.gunw_product import open_gunw_product

DAYS = "20200301", "20200218"
VERSIONS = "v2_0_4", "v3_0_1"


def held(tmp_path, name, at=MEXICO, days=DAYS):
    path = write_gunw(tmp_path / "a.nc", np.ones((50, 60)), at[0] - 0.02, at[1] + 0.02, Layout(days=days))
    with open_gunw_product(path, "coherence") as product:
        refuse_another(product, product_name(name))


@pytest.mark.parametrize(
    ("at", "version"), [*every([MEXICO, (179.9, -16.5), (-180.2, 0.0), (180.4, 52.0), (6.0, -0.3)], VERSIONS)]
)
def test_a_file_is_the_one_of_its_name_also_across_the_antimeridian_and_the_equator(tmp_path, at, version):
    held(tmp_path, gunw_name(*DAYS, at, version=version), at)
    held(tmp_path, gunw_name(*DAYS, (at[0] + 0.9, at[1] - 0.9), version=version), at)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_of_other_days_or_of_another_place_is_refused_by_name(tmp_path, version):
    name = gunw_name(*DAYS, MEXICO, version=version)
    for days in (("20200301", "20200206"), ("20200313", "20200218"), DAYS[::-1]):
        with pytest.raises(InputError, match=r"a\.nc.*2020-0[23]-\d\d, its scenes of 2020"):
            held(tmp_path, name, days=days)
    for lon, lat in ((MEXICO[1], 60.0), (MEXICO[0], -MEXICO[1])):
        with pytest.raises(InputError, match=r"a\.nc: its cells lie"):
            held(tmp_path, name, (lon, lat))


def test_a_name_with_a_longitude_is_held_against_it(tmp_path):
    with pytest.raises(InputError, match=r"19\.38 to 19\.42"):
        held(tmp_path, gunw_name(*DAYS, (60.0, 19.4), version="v3_0_1"))
