"""Acquisitions of one product over an outline and a period, from a STAC catalogue on the network.

pystac-client forms the questions and follows the pages; how each is asked is ours (`ask.py`): of itself it follows `next` wherever it
points and without an end, reads an answer to its last byte, and waits as long as it is told to.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import shapely
from pystac_client import ItemSearch
from pystac_client.stac_api_io import StacApiIO
from shapely.geometry import MultiPolygon, Polygon

from terrashot.domain.acquisition import Acquisition
from terrashot.errors import InputError, UsageError
from terrashot.remote.ask import Asker, NotWholeError, object_in, open_session
from terrashot.remote.patience import Clock, Limits
from terrashot.remote.profiles import Profile
from terrashot.remote.stac_item import acquisition_of

PAGE_ITEMS = 100
"""Asked for at once; catalogues cut it to their own limit."""
MOST_VERTICES = 500
"""Of an outline that is sent; of a longer one the boxes around its pieces are."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought."""

    acquisitions: tuple[Acquisition, ...]
    """By time, then id."""
    refused: tuple[str, ...]
    """Why items that the catalogue sent were left out, each with its id."""
    requests: int


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
    *,
    item_assets: Mapping[str, object] | None = None,
    limits: Limits = Limits(),
    clock: Clock = Clock(),
) -> Found:
    """All acquisitions of the profile's product that are looked for.

    An item that cannot be read is left out and named; one that lies elsewhere, whatever the catalogue thinks, is left out in silence.

    Args:
        item_assets: of the collection (`fetch_item_assets`), for what items leave unsaid.

    Raises:
        NetworkError: the catalogue could not be asked, or has more than the limits allow; names it, and what to do.
    """
    with open_session() as session:
        asker = Asker(profile.catalogue, session, limits, clock)
        items = _items(profile, search, asker)
    found: dict[str, Acquisition] = {}
    refused: dict[str, None] = {}
    for item in items:
        try:
            acquisition = acquisition_of(item, item_assets)
        except InputError as error:
            refused[str(error)] = None
            continue
        if search.holds(acquisition):
            found.setdefault(acquisition.id, acquisition)  # a page may repeat what the one before showed
    ordered = sorted(found.values(), key=lambda each: (each.sensed, each.id))
    return Found(tuple(ordered), tuple(refused), asker.spent.attempts)


def fetch_item_assets(profile: Profile, *, limits: Limits = Limits(), clock: Clock = Clock()) -> dict[str, object]:
    """What the collection says of the assets of all its items; empty where it says nothing.

    Raises:
        NetworkError: the catalogue could not be asked.
    """
    with open_session() as session:
        text = Asker(profile.catalogue, session, limits, clock).answer("GET", profile.collection_url)
    assets = object_in(text).get("item_assets")
    return assets if isinstance(assets, dict) else {}


def _items(profile: Profile, search: Search, asker: Asker) -> list[object]:
    asked = ItemSearch(
        profile.search_url,
        method=profile.method,
        stac_io=_Pages(asker, profile.search_url),
        collections=[profile.collection],
        intersects=shapely.geometry.mapping(_sendable(search.outline)),
        datetime=list(search.period),
        query={**profile.query, **search.query} or None,
        limit=PAGE_ITEMS,
    )
    items: list[object] = []
    for page in asked.pages_as_dicts():
        items.extend(page["features"])
        if len(items) > asker.limits.items:
            asker.give_up(f"it has more than {asker.limits.items} items")
    return items


def _sendable(outline: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    if shapely.get_num_coordinates(outline) <= MOST_VERTICES:
        return outline
    boxes = [shapely.box(*part.bounds) for part in shapely.get_parts(outline)]
    return MultiPolygon(boxes) if len(boxes) <= MOST_VERTICES // 5 else shapely.box(*outline.bounds)


class _Pages(StacApiIO):
    """pystac-client's way to the network, in our hands."""

    def __init__(self, asker: Asker, home: str) -> None:
        super().__init__(max_retries=None)
        self._asker, self._home, self._asked = asker, home, set[str]()

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:
        """The text of a page. Headers that a `next` link wants sent are not: nothing of ours depends on them."""
        way = (method or "GET").upper()
        question = json.dumps([way, href, parameters], sort_keys=True)
        if question in self._asked:
            self._asker.give_up("its next page is one that we had before")
        if len(self._asked) >= self._asker.limits.pages:
            self._asker.give_up(f"it has more than {self._asker.limits.pages} pages")
        self._asked.add(question)
        return self._asker.answer(way, href, parameters, check=self._check)

    def json_loads(self, txt: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The page, by the same reader that found it whole."""
        return object_in(txt)

    def _check(self, page: dict[str, object]) -> None:
        """Before pystac-client sees it, which trips over addresses that are none."""
        for link in _next_links(page):
            if _origin(str(link["href"])) != _origin(self._home) or str(link.get("method", "GET")).upper() not in (
                "GET",
                "POST",
            ):
                self._asker.give_up("its next page lies at another address, or is to be had by another method")


def _origin(href: str) -> tuple[str, str] | None:
    """Scheme and host of an address; None where it is no address."""
    try:
        return urlsplit(href)[:2] if href.isascii() else None
    except ValueError:
        return None


def _next_links(page: dict[str, object]) -> list[dict[str, object]]:
    """The links to a next page, in a page that is one.

    Raises:
        NotWholeError: it is none.
    """
    features, links = page.get("features"), page.get("links", [])
    if not isinstance(features, list):
        raise NotWholeError("a page without a list of features")
    if not isinstance(links, list) or not all(
        isinstance(link, dict) and isinstance(link.get("rel"), str) for link in links
    ):
        raise NotWholeError("a page whose links are none")
    found = [link for link in links if link["rel"] == "next"]
    if not all(_says_where(link) for link in found):
        raise NotWholeError("a page whose link to the next one is none")
    return found


def _says_where(link: dict[str, object]) -> bool:
    return (
        isinstance(link.get("href"), str)
        and isinstance(link.get("method", "GET"), str)
        and isinstance(link.get("body", {}), dict)
        and isinstance(link.get("merge", False), bool)
    )
