"""Acquisitions of one product over an outline and a period, from a STAC catalogue on the network.

pystac-client forms the questions and follows the pages; each is asked by our own client (`ask.py`): of itself it follows `next`
wherever it points and without an end, reads an answer to its last byte, and waits as long as it is told to.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import shapely
from pystac_client import ItemSearch
from pystac_client.stac_api_io import StacApiIO
from shapely.geometry import MultiPolygon, Polygon

from terrashot.domain.acquisition import Acquisition
from terrashot.errors import InputError, NetworkError, UsageError
from terrashot.remote.address import Origin, target_of
from terrashot.remote.ask import Asker, Method, object_in
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.persist import PassingError
from terrashot.remote.profiles import Profile
from terrashot.remote.stac_item import acquisition_of

PAGE_ITEMS = 100
"""Asked for at once; catalogues cut it to their own limit."""
MOST_VERTICES = 500
"""Of an outline that is sent; of a longer one the boxes around its pieces are."""
SEARCH_LIMITS = Limits(max_requests=400, max_bytes=1 << 30, stall_s=30.0, first_wait_s=1.0, longest_wait_s=60.0)
"""Of all questions of one search together."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The most that one search may find; a search that finds more is given up, and nothing of it is used."""

    pages: int = 200
    items: int = 20_000
    page_bytes: int = 64 << 20
    """Of one page; a hundred items of Sentinel-2 are some 4 MB."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought."""

    acquisitions: tuple[Acquisition, ...]
    """By time, then id."""
    items: tuple[dict[str, object], ...]
    """What the catalogue wrote of each of them, in the same order."""
    refused: tuple[str, ...]
    """Why items that the catalogue sent were left out, each with its id."""
    requests: int
    """That the budget counts by now."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for."""

    outline: Polygon | MultiPolygon
    """Longitude and latitude in degrees."""
    period: tuple[datetime, datetime]
    """[start, end), with their time zones."""
    query: Mapping[str, object] = field(default_factory=dict)
    """More to ask for, in the query extension's form: `{"eo:cloud_cover": {"lt": 80}}`."""

    def __post_init__(self) -> None:
        start, end = self.period
        if None in (start.tzinfo, end.tzinfo) or start >= end:
            raise UsageError(
                f"a search from {start} to {end}: two times with their zone, the earlier first, were expected"
            )

    def holds(self, acquisition: Acquisition) -> bool:
        """Whether it touches the outline and was sensed in the period."""
        start, end = self.period
        return start <= acquisition.sensed < end and bool(shapely.intersects(acquisition.footprint, self.outline))


def fetch_acquisitions(
    profile: Profile,
    search: Search,
    client: Client,
    *,
    item_assets: Mapping[str, object] | None = None,
    limits: SearchLimits = SearchLimits(),
    budget: Budget | None = None,
) -> Found:
    """All acquisitions of the profile's product that are looked for.

    An item that cannot be read is left out and named; one that lies elsewhere, whatever the catalogue thinks, is left out in silence.

    Args:
        item_assets: of the collection (`fetch_item_assets`), for what items leave unsaid.
        budget: of the whole search; one of `SEARCH_LIMITS` where none is given.

    Raises:
        NetworkError: the catalogue could not be asked, or has more than the limits allow; names it, and what to do.
    """
    asker = _asker(profile, client, budget, limits)
    found: dict[str, tuple[Acquisition, dict[str, object]]] = {}
    refused: dict[str, None] = {}
    for item in _items(profile, search, asker, limits):
        try:
            acquisition = acquisition_of(item, item_assets)
        except InputError as error:
            refused[str(error)] = None
            continue
        assert isinstance(item, dict)  # nothing else is an acquisition
        if search.holds(acquisition):
            found.setdefault(acquisition.id, (acquisition, item))  # a page may repeat what the one before showed
    ordered = sorted(found.values(), key=lambda each: (each[0].sensed, each[0].id))
    acquisitions, raw = tuple(each for each, _ in ordered), tuple(item for _, item in ordered)
    return Found(acquisitions, raw, tuple(refused), asker.budget.requests)


def fetch_item_assets(profile: Profile, client: Client, *, budget: Budget | None = None) -> dict[str, object]:
    """What the collection says of the assets of all its items; empty where it says nothing.

    Raises:
        NetworkError: the catalogue could not be asked.
    """
    text = _asker(profile, client, budget, SearchLimits()).answer("GET", profile.collection_url)
    assets = object_in(text).get("item_assets")
    return assets if isinstance(assets, dict) else {}


def _asker(profile: Profile, client: Client, budget: Budget | None, limits: SearchLimits) -> Asker:
    """Named by its host too, since a profile may be turned to another server of the same kind."""
    service = f"{profile.catalogue} at {_home(profile, client).authority}"
    return Asker(service, client, budget or Budget(SEARCH_LIMITS), limits.page_bytes)


def _home(profile: Profile, client: Client) -> Origin:
    """Who has all pages of a search."""
    return target_of(profile.search_url, client.rules).origin


def _items(profile: Profile, search: Search, asker: Asker, limits: SearchLimits) -> list[object]:
    asked = ItemSearch(
        profile.search_url,
        method=profile.method,
        stac_io=_Pages(asker, _home(profile, asker.client), limits.pages),
        collections=[profile.collection],
        intersects=shapely.geometry.mapping(_sendable(search.outline)),
        datetime=list(search.period),
        query={**profile.query, **search.query} or None,
        limit=PAGE_ITEMS,
    )
    items: list[object] = []
    for page in asked.pages_as_dicts():
        items.extend(page["features"])
        if len(items) > limits.items:
            asker.give_up(f"it has more than {limits.items} items")
    return items


def _sendable(outline: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    if shapely.get_num_coordinates(outline) <= MOST_VERTICES:
        return outline
    boxes = [shapely.box(*part.bounds) for part in shapely.get_parts(outline)]
    return MultiPolygon(boxes) if len(boxes) <= MOST_VERTICES // 5 else shapely.box(*outline.bounds)


class _Pages(StacApiIO):
    """pystac-client's way to the network, in our hands."""

    def __init__(self, asker: Asker, home: Origin, most_pages: int) -> None:
        super().__init__(max_retries=None)
        self._asker, self._home, self._most_pages = asker, home, most_pages
        self._asked = set[str]()

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:
        """The text of a page. Headers that a `next` link wants sent are not: nothing of ours depends on them."""
        way: Method = "POST" if (method or "").upper() == "POST" else "GET"
        question = json.dumps([way, href, parameters], sort_keys=True)
        if question in self._asked:
            self._asker.give_up("its next page is one that we had before")
        if len(self._asked) >= self._most_pages:
            self._asker.give_up(f"it has more than {self._most_pages} pages")
        self._asked.add(question)
        return self._asker.answer(way, href, parameters, check=self._check)

    def json_loads(self, txt: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The page, by the same reader that found it whole."""
        return object_in(txt)

    def _check(self, page: dict[str, object]) -> None:
        """Before pystac-client sees it, which trips over addresses that are none."""
        for link in _next_links(page):
            if not self._is_home(str(link["href"])) or str(link.get("method", "GET")).upper() not in ("GET", "POST"):
                self._asker.give_up("its next page lies at another address, or is to be had by another method")

    def _is_home(self, href: str) -> bool:
        try:
            return href.isascii() and target_of(href, self._asker.client.rules).origin == self._home
        except NetworkError:  # no address that may be asked
            return False


def _next_links(page: dict[str, object]) -> list[dict[str, object]]:
    """The links to a next page, in a page that is one.

    Raises:
        PassingError: it is none.
    """
    features, links = page.get("features"), page.get("links", [])
    if not isinstance(features, list):
        raise PassingError("a page without a list of features")
    if not isinstance(links, list) or not all(
        isinstance(link, dict) and isinstance(link.get("rel"), str) for link in links
    ):
        raise PassingError("a page whose links are none")
    found = [link for link in links if link["rel"] == "next"]
    if not all(_says_where(link) for link in found):
        raise PassingError("a page whose link to the next one is none")
    return found


def _says_where(link: dict[str, object]) -> bool:
    return (
        isinstance(link.get("href"), str)
        and isinstance(link.get("method", "GET"), str)
        and isinstance(link.get("body", {}), dict)
        and isinstance(link.get("merge", False), bool)
    )
