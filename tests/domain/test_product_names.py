"""A product's name states its parts, and nothing is read into any other text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrashot.domain.product_names import ProductName, read_product_name

TIMES = st.datetimes().map(lambda moment: f"{moment.year:04}{moment:%m%dT%H%M%S}")
TILES = st.from_regex(r"(0[1-9]|[1-5][0-9]|60)[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V]", fullmatch=True)


@given(
    st.sampled_from("ABCD"),
    TIMES,
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(1, 143),
    TILES,
    TIMES,
    st.sampled_from(["", ".SAFE"]),
)
def test_an_optical_name_states_platform_baseline_orbit_and_tile(letter, taken, major, minor, orbit, tile, made, end):
    name = f"S2{letter}_MSIL2A_{taken}_N{major:02}{minor:02}_R{orbit:03}_T{tile}_{made}{end}"
    identity = f"S2{letter}_{taken}_T{tile}"
    found = ProductName(f"sentinel-2{letter.lower()}", identity, tile, f"{major:02}.{minor:02}", orbit)
    assert read_product_name(name) == found


@given(TIMES, TIMES, TILES)
def test_deliveries_of_one_sensing_differ_in_baseline_and_time_of_making_alone(taken, made, tile):
    names = [f"S2A_MSIL2A_{taken}_N0214_R037_T{tile}_20200219T123947", f"S2A_MSIL2A_{taken}_N0500_R037_T{tile}_{made}", f"S2A_MSIL2A_{taken}_R037_T{tile}_{made}"]  # fmt: skip
    assert len({read_product_name(name).identity for name in names}) == 1


def test_a_radar_name_states_platform_and_mode():
    found = read_product_name("S1A_IW_GRDH_1SDV_20230628T210705_20230628T210730_049191_05EA4D_21D1")
    identity = "S1A_IW_20230628T210705_20230628T210730_049191_05EA4D"
    assert found == ProductName("sentinel-1a", identity, instrument_mode="IW")


@given(st.text())
def test_any_other_text_states_nothing(text):
    assert read_product_name(text) == ProductName()


@pytest.mark.parametrize("name", ["S2A_MSIL1C_20200219T112111_N0214_R037_T29RKH_20200219T123947", "S2A_29RKH_20200219_0_L2A", "S2A_MSIL2A_20200219T112111_N0214_R037_T29IKH_20200219T123947", "xS2A_MSIL2A_20200219T112111_N0214_R037_T29RKH_20200219T123947"])  # fmt: skip
def test_names_of_other_products_state_nothing(name):
    assert read_product_name(name) == ProductName()
