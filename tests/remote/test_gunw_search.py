"""A search for GUNW products: asf_search's question over our own client, page by page, bad entries left out and named."""

from datetime import date

import pytest
import shapely
from faults.earthdata import Earthdata, entry

from terrashot.errors import NetworkError
from terrashot.remote.address import AddressRules
from terrashot.remote.catalogue import SearchLimits
from terrashot.remote.client import Client
from terrashot.remote.gunw_search import fetch_products, product_of, question

BOX = shapely.box(5.5, 49.0, 6.5, 50.0)
PERIOD = date(2021, 7, 1), date(2021, 7, 31)
AROUND = (5.0, 48.5, 7.0, 50.5)


def named(later, earlier="20210711", version="v2_0_4"):
    return f"S1-GUNW-D-R-014-tops-{later}_{earlier}-161540-42666N_40796N-PP-7a85-{version}"


def search(served, **how):
    with Client(AddressRules(served.hosts)) as client:
        return fetch_products(BOX, PERIOD, 48, client, search_url=served.search_url, **how)


def listed(served, name, box=AROUND):
    return entry(name, served.url_of(name), box, 55_000_000, "0" * 32)


def test_the_question_reaches_back_by_the_most_days_and_asks_for_a_box():
    asked = dict(question(BOX, PERIOD, 48))
    assert asked["shortName"] == "ARIA_S1_GUNW" and asked["bounding_box"] == "5.5,49.0,6.5,50.0"
    assert asked["temporal"].startswith("2021-05-14T00:00:00Z,2021-07-31T23:59:59Z")


def test_all_pages_are_followed_and_what_is_not_wanted_is_left_out():
    with Earthdata({}, page_items=2) as served:
        wanted = [named(f"202107{day}") for day in (12, 18, 23, 30)]
        beside = [named("20210801"), named("20210712", "20210520")]
        served.entries += [listed(served, name) for name in (*wanted, *beside, wanted[0])]
        served.entries.append(listed(served, named("20210713"), (20.0, 48.0, 21.0, 49.0)))
        found = search(served)
        assert [product.name.text for product in found.products] == sorted(wanted) and not found.refused
        assert len(served.asked("catalogue")) == 4
        assert found.products[0].n_bytes == 55_000_000 and found.products[0].md5 == "0" * 32
        assert found.products[0].href == served.url_of(wanted[0]) and found.products[0].footprint.equals(
            shapely.box(*AROUND)
        )


def test_an_entry_that_is_none_is_left_out_and_named():
    with Earthdata({}) as served:
        good = listed(served, named("20210712"))
        bent = [listed(served, named(f"202107{day}")) for day in (13, 14, 15, 16, 17)]
        del bent[0]["umm"]["SpatialExtent"]
        bent[1]["umm"]["RelatedUrls"] = [{"URL": "https://example.com/another.nc"}]
        bent[2]["umm"]["GranuleUR"] = "S1-GUNW-nonsense"
        geometry = bent[3]["umm"]["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]
        geometry["GPolygons"][0]["Boundary"]["Points"][0]["Longitude"] = "nan"
        bent[4]["umm"] = None
        served.entries += [good, *bent]
        found = search(served)
    assert [product.name.text for product in found.products] == [named("20210712")] and len(found.refused) == 5


def test_whatever_the_order_of_the_answers_the_same_comes_back_and_one_name_for_two_products_is_refused():
    with Earthdata({}) as served:
        served.entries += [listed(served, named(f"202107{day}")) for day in (12, 18, 23)]
        served.entries.append(entry(named("20210718"), served.url_of(named("20210718")), AROUND, 7, "1" * 32))
        for day in (13, 14):
            bent = listed(served, named(f"202107{day}"))
            del bent["umm"]["SpatialExtent"]
            served.entries.append(bent)
        forward = search(served)
        served.entries.reverse()
        assert search(served) == forward
    assert [product.name.text for product in forward.products] == [named("20210712"), named("20210723")]
    assert len(forward.refused) == 3 and "20210718_20210711" in str(forward.refused) and "twice" in str(forward.refused)


def test_an_outline_across_the_antimeridian_is_cut_there():
    with Earthdata({}) as served:
        one = listed(served, named("20210712"))
    ring = [(179.0, -17.0), (-179.0, -17.0), (-179.0, -16.0), (179.0, -16.0), (179.0, -17.0)]
    geometry = one["umm"]["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]
    geometry["GPolygons"] = [{"Boundary": {"Points": [{"Longitude": lon, "Latitude": lat} for lon, lat in ring]}}]
    footprint = product_of(one).footprint
    assert len(footprint.geoms) == 2 and footprint.area == pytest.approx(2.0)


def test_a_catalogue_with_too_much_or_with_pages_that_end_early_is_given_up():
    with Earthdata({}, page_items=1) as served:
        served.entries += [listed(served, named(f"202107{day}")) for day in (12, 18, 23)]
        with pytest.raises(NetworkError, match="more than 2"):
            search(served, limits=SearchLimits(items=2))
        with pytest.raises(NetworkError, match="2 pages"):
            search(served, limits=SearchLimits(pages=2))
