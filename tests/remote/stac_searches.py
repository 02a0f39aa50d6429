"""Five items, and a search of a catalogue on loopback that finds them."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import shapely
from stac_server import RULES, Catalogue, FakeClock

from stac_items import small_item, twin
from terrashot.remote.budget import Budget
from terrashot.remote.catalogue import SEARCH_LIMITS, Found, Search, SearchLimits, fetch_acquisitions
from terrashot.remote.client import Client
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


class LongestWaits(random.Random):
    """No chance: each wait is as long as it may be."""

    def uniform(self, a: float, b: float) -> float:
        return b


def search(
    catalogue: Catalogue,
    *,
    most=SearchLimits(),
    spend=SEARCH_LIMITS,
    time=None,
    method="POST",
    outline=OUTLINE,
    period=YEAR,
    **more,
) -> Found:
    """What the catalogue is found to have, by a clock that passes by sleeping alone."""
    profile = replace(EARTH_SEARCH, search_url=f"{catalogue.url}/search", method=method)
    budget = Budget(spend, time or FakeClock(), LongestWaits())
    with Client(RULES) as client:
        return fetch_acquisitions(profile, Search(outline, period, **more), client, limits=most, budget=budget)


def ids(found: Found) -> list[str]:
    """Of the acquisitions, in their order."""
    return [each.id for each in found.acquisitions]
