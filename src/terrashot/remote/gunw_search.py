"""GUNW products over an area and a period, from NASA's catalogue of granules (CMR).

asf_search forms the question; it is asked, and its pages are followed, by our own client (`ask.py`). Of itself asf_search asks by
requests, without a budget of seconds or bytes, and sends a report to its makers when a search fails.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import shapely
from jaxtyping import Float64
from shapely.geometry import MultiPolygon, Polygon

from terrashot.domain.cells import cut_at_antimeridian
from terrashot.domain.coherence_pair import NAME, ProductName, product_name
from terrashot.errors import InputError, MissingExtraError, one_line
from terrashot.remote.address import target_of
from terrashot.remote.ask import Asker, object_in
from terrashot.remote.budget import Budget
from terrashot.remote.catalogue import SEARCH_LIMITS, SearchLimits
from terrashot.remote.client import Client
from terrashot.remote.persist import PassingError

GRANULES = "https://cmr.earthdata.nasa.gov/search/granules.umm_json"
SHORT_NAME = "ARIA_S1_GUNW"
PAGE_ITEMS = 250
MD5 = re.compile(r"[0-9a-f]{32}")
LARGEST_BYTES = 4 << 30
"""Of a product; those of a frame have 40 to 70 MB."""


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """What the catalogue says of one product."""

    name: ProductName
    footprint: Polygon | MultiPolygon
    """Longitude and latitude in degrees."""
    href: str
    n_bytes: int | None
    md5: str | None


@dataclass(frozen=True, slots=True)
class FoundProducts:
    """What a search brought."""

    products: tuple[FoundProduct, ...]
    """By name; each once."""
    refused: tuple[str, ...]
    """Why entries were left out, each with its name, in the order of these texts."""


def fetch_products(
    box: Polygon,
    period: tuple[date, date],
    max_days: int,
    client: Client,
    *,
    search_url: str | None = None,
    limits: SearchLimits = SearchLimits(),
    budget: Budget | None = None,
) -> FoundProducts:
    """All products that meet the box, whose later date lies in the period and whose earlier one at most `max_days` before.

    Args:
        box: west, south, east, north in degrees, not across the antimeridian.
        period: first and last day.

    Raises:
        NetworkError: the catalogue could not be asked, or has more than the limits allow.
    """
    url = search_url or GRANULES
    service = f"NASA's catalogue of granules at {target_of(url, client.rules).origin.authority}"
    asker = Asker(service, client, budget or Budget(SEARCH_LIMITS), limits.page_bytes)
    found: dict[str, set[FoundProduct]] = {}
    refused: set[str] = set()
    for entry in _entries(f"{url}?{urlencode(question(box, period, max_days))}", asker, limits):
        try:
            product = product_of(entry)
        except InputError as error:
            refused.add(str(error))
            continue
        pair = product.name.pair
        is_wanted = period[0] <= pair.later <= period[1] and pair.days <= max_days
        if is_wanted and shapely.intersects(product.footprint, box):
            found.setdefault(product.name.text, set()).add(product)
    # Which of two that differ came first is chance, and would be another study the next day.
    refused |= {f"{name!r}: is there twice, and the two differ" for name, alike in found.items() if len(alike) > 1}
    once = [alike.pop() for _, alike in sorted(found.items()) if len(alike) == 1]
    return FoundProducts(tuple(once), tuple(sorted(refused)))


def question(box: Polygon, period: tuple[date, date], max_days: int) -> list[tuple[str, str]]:
    """Names and values of the catalogue's own query, as asf_search forms them.

    The period asked for reaches back by `max_days`: whether an entry is dated by its later pass or by both is not told anywhere.

    Raises:
        MissingExtraError: asf_search is not installed.
    """
    # Here, since it takes seconds and loads two hundred languages of dates, for studies that search coherence alone.
    try:
        from asf_search import ASFSearchOptions
        from asf_search.CMR import build_subqueries, translate_opts
    except ImportError:
        raise MissingExtraError('searching for coherence needs: pip install "terrashot[remote]"') from None

    options = ASFSearchOptions(
        shortName=[SHORT_NAME],
        intersectsWith=box.wkt,
        start=f"{period[0] - timedelta(days=max_days)}T00:00:00Z",
        end=f"{period[1]}T23:59:59Z",
    )
    (asked,) = build_subqueries(options)
    return [(str(key), str(value)) for key, value in translate_opts(asked)]


def _entries(url: str, asker: Asker, limits: SearchLimits) -> Iterator[Mapping[str, Any]]:
    """Page by page, until as many came as the catalogue says it has."""
    seen, page = 0, 1
    while True:
        answer = object_in(asker.answer("GET", f"{url}&page_num={page}", check=_check_page))
        hits, items = answer["hits"], answer["items"]
        assert isinstance(hits, int) and isinstance(items, list)  # checked before
        yield from items
        seen, page = seen + len(items), page + 1
        if seen >= hits:
            return
        if hits > limits.items or page > limits.pages:
            asker.give_up(f"it has {hits} products, more than {limits.items}, or more than {limits.pages} pages")
        if not items:
            asker.give_up(f"its pages end after {seen} of {hits} products")


def _check_page(page: Mapping[str, object]) -> None:
    items, hits = page.get("items"), page.get("hits")
    if not isinstance(items, list) or type(hits) is not int or not all(isinstance(item, dict) for item in items):
        raise PassingError("a page without a list of items and their number")


def product_of(entry: Mapping[str, Any]) -> FoundProduct:
    """One entry of a page, in the catalogue's unified form (UMM-G).

    Raises:
        InputError: no product, no outline, or no address of a NetCDF; names it.
    """
    umm = entry.get("umm")
    title = str(umm.get("GranuleUR", "") if isinstance(umm, dict) else "")[:160]
    try:
        found = NAME.search(title)
        if not isinstance(umm, dict) or found is None:
            raise InputError(f"{title!r}: no GUNW product")
        name = product_name(found[0])
        return FoundProduct(name, _outline(umm), _href(umm, name.text), *_size_and_md5(umm, name.text))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{title!r}: an entry without what is needed ({one_line(error, 80)})") from None


def _outline(umm: Mapping[str, Any]) -> Polygon | MultiPolygon:
    geometry = umm["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"]
    rings = [polygon["Boundary"]["Points"] for polygon in geometry.get("GPolygons", ())]
    parts = [
        _part(np.array([[float(point["Longitude"]), float(point["Latitude"])] for point in ring])) for ring in rings
    ]
    if not parts:
        sides = ("West", "South", "East", "North")
        boxes = geometry["BoundingRectangles"]
        parts = [shapely.box(*(float(box[f"{side}BoundingCoordinate"]) for side in sides)) for box in boxes]
    joined = shapely.make_valid(shapely.union_all(parts))
    polygons = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon" and part.area > 0]
    west, south, east, north = joined.bounds
    if not polygons or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError("an outline that is none")
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def _part(ring: Float64[np.ndarray, "P 2"]) -> shapely.Geometry:
    """A ring as a shape; one that jumps across the antimeridian is cut there. P: points.

    Raises:
        ValueError: under four points, or one that is not finite.
    """
    if len(ring) < 4 or not np.isfinite(ring).all():
        raise ValueError("an outline that is no ring")
    lon_deg = ring[:, 0]
    return cut_at_antimeridian(ring) if np.ptp(lon_deg) > 180 else shapely.make_valid(Polygon(ring))


def _href(umm: Mapping[str, Any], name: str) -> str:
    for link in umm["RelatedUrls"]:
        url = str(link.get("URL", ""))
        parts = urlsplit(url)
        if parts.scheme in ("https", "http") and parts.path.endswith(f"/{name}.nc"):
            return url
    raise InputError(f"{name!r}: has no address of its NetCDF")


def _size_and_md5(umm: Mapping[str, Any], name: str) -> tuple[int | None, str | None]:
    """Of the NetCDF, as far as the entry tells."""
    told = umm.get("DataGranule", {}).get("ArchiveAndDistributionInformation", ())
    for file in told:
        if file.get("Name") not in (None, f"{name}.nc") and file.get("Format") != "netCDF-4":
            continue
        n_bytes, checksum = file.get("SizeInBytes"), file.get("Checksum", {})
        md5 = str(checksum.get("Value", "")).lower() if checksum.get("Algorithm") == "MD5" else ""
        is_size = type(n_bytes) is int and 0 < n_bytes <= LARGEST_BYTES
        return (n_bytes if is_size else None), (md5 if MD5.fullmatch(md5) else None)
    return None, None
