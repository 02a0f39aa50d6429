"""What a STAC catalogue answers to a search, as far as the rehearsal asks: collections, outline, period, properties, pages."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely

TOKEN = "token"
MOST_ITEMS = 1000
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, wanted: found == wanted,
    "lt": lambda found, wanted: found is not None and found < wanted,
    "lte": lambda found, wanted: found is not None and found <= wanted,
    "gt": lambda found, wanted: found is not None and found > wanted,
    "gte": lambda found, wanted: found is not None and found >= wanted,
}


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched, and where more of it is to be had."""

    items: Sequence[dict[str, Any]]
    url: str
    page_items: int
    """The most items of a page, whatever is asked for."""


def page_of(searched: Searched, question: Mapping[str, Any]) -> dict[str, Any]:
    """One page, the latest first, with a link to the next by POST; the question goes on from its `token`."""
    found = [item for item in searched.items if _fits(item, question)]
    found.sort(key=lambda item: (_moment(item), item["id"]), reverse=True)
    start = int(str(question.get(TOKEN, "next:0")).removeprefix("next:"))
    stop = start + min(int(question.get("limit", 10)), searched.page_items, MOST_ITEMS)
    features = copy.deepcopy(found[start:stop])
    links = [{"rel": "self", "type": "application/geo+json", "href": searched.url}]
    if stop < len(found):
        links.append(_next(searched.url, question, stop))
    return {"type": "FeatureCollection", "features": features, "links": links, "context": {"returned": len(features)}}


def _next(url: str, question: Mapping[str, Any], stop: int) -> dict[str, Any]:
    return {
        "rel": "next", "type": "application/geo+json", "method": "POST", "href": url, "merge": False,
        "body": {**question, TOKEN: f"next:{stop}"},
    }  # fmt: skip


def _fits(item: dict[str, Any], question: Mapping[str, Any]) -> bool:
    said, outline = item["properties"], question.get("intersects")
    return (
        item["collection"] in question.get("collections", [item["collection"]])
        and _is_within(_moment(item), question.get("datetime", "../.."))
        and (
            outline is None
            or bool(shapely.geometry.shape(item["geometry"]).intersects(shapely.geometry.shape(outline)))
        )
        and all(
            COMPARED[way](said.get(key), wanted)
            for key, ways in (question.get("query") or {}).items()
            for way, wanted in ways.items()
        )
    )


def _moment(item: dict[str, Any]) -> str:
    """Items of maps say the span of their year alone."""
    said = item["properties"]
    return str(said["datetime"] or said["start_datetime"])


def _is_within(moment: str, period: str) -> bool:
    """Both ends of a period belong to it; `..` is none."""
    first, _, last = period.partition("/")
    found = datetime.fromisoformat(moment)
    return (first in ("", "..") or datetime.fromisoformat(first) <= found) and (
        last in ("", "..") or found <= datetime.fromisoformat(last)
    )
