"""What is wrong with a study file, in one line: the section, the key, and the nearest right one."""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def first_complaint(error: ValidationError, config: type[BaseModel]) -> str:
    """Section, key, what is wrong with it, and what was found."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return _unknown_key(place, config)
    if first["type"] == "value_error":
        place.append("")  # our own validators speak of a whole section
    section = f"[{'.'.join(place[:-1])}]: " if len(place) > 1 else ""
    key = f"{place[-1]}: " if place and place[-1] else ""
    message = str(first["msg"]).removeprefix("Value error, ")
    found = f"; found {first['input']!r}" if not isinstance(first["input"], dict) and first["type"] != "missing" else ""
    return f"{section}{key}{message}{found[:120]}"


def _unknown_key(place: list[str], config: type[BaseModel]) -> str:
    section = f"[{'.'.join(place[:-1])}]: " if len(place) > 1 else ""
    return f"{section}unknown key '{place[-1]}'; {nearest_of(place[-1], _keys_at(place[:-1], config), 'known keys')}"


def nearest_of(word: str, known: list[str], what: str) -> str:
    """The known word that was likely meant, else all of them."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"{what}: {', '.join(known)}"


def _keys_at(place: list[str], config: type[BaseModel]) -> list[str]:
    model: Any = config
    for part in place:
        # [areas.NAME]: the name is free, so it is no field; its content is what the dictionary holds.
        model = _section_in(
            model.model_fields[part].annotation if hasattr(model, "model_fields") else get_args(model)[1]
        )
    return list(model.model_fields)


def _section_in(annotation: Any) -> Any:
    """The section of one that may be left out; anything else as it is."""
    sections = [one for one in get_args(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return sections[0] if type(None) in get_args(annotation) and sections else annotation
