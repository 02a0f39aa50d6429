"""Five items, and a search of a catalogue on loopback that finds them."""

from dataclasses import replace
from datetime import UTC, datetime

import shapely
from stac_server import Catalogue, FakeClock

from stac_items import small_item, twin
from terrashot.remote.catalogue import Found, Search, fetch_acquisitions
from terrashot.remote.patience import Limits
from terrashot.remote.profiles import PROFILES

OUTLINE = shapely.box(-11.6, 24.4, -11.4, 24.6)
YEAR = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
EARTH_SEARCH = PROFILES["earth-search/sentinel-2-l2a"]


def item(number: int) -> dict:
    """The small item of day `number`; ids and times in the same order."""
    name = f"S2A_MSIL2A_202002{number + 1:02}T112111_N0214_R037_T29RKH_20200301T000000"
    return twin(small_item(id=name), datetime=f"2020-02-{number + 1:02}T11:34:25Z", s2__product_uri=None)


ITEMS = [item(number) for number in range(5)]
IDS = [each["id"] for each in ITEMS]


def search(
    catalogue: Catalogue, *, limits=Limits(), time=None, method="POST", outline=OUTLINE, period=YEAR, **more
) -> Found:
    """What the catalogue is found to have, by a clock that passes by sleeping alone."""
    profile = replace(EARTH_SEARCH, search_url=f"{catalogue.url}/search", method=method)
    clock = (time or FakeClock()).clock()
    return fetch_acquisitions(profile, Search(outline, period, **more), limits=limits, clock=clock)


def ids(found: Found) -> list[str]:
    """Of the acquisitions, in their order."""
    return [each.id for each in found.acquisitions]
