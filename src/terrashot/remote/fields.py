"""Values out of JSON that strangers wrote: of the type asked for, or None, or an error that names item and field."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from terrashot.errors import InputError, one_line

LONGEST_TEXT = 8192
"""A signed address has some 500 characters; a text of megabytes in a field is no name of anything."""


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of a catalogue's answer. A field that is null counts as absent: None."""

    where: str
    """What a complaint calls it: `item S2A_29RKH_20200219_0_L2A: assets.red`."""
    values: Mapping[str, object]

    def wrong(self, key: str, wanted: str) -> InputError:
        """The complaint about a field, to be raised."""
        # Not repr of the whole value: it may be a list of a million numbers, or nested deeper than repr can go.
        value = self.values.get(key)
        plain = isinstance(value, str | int | float | bool)
        found = one_line(ValueError(_shown(value)), 60) if plain else f"a {type(value).__name__}"
        if value is None:
            found = "nothing"
        return InputError(
            f"{self.where}: {key}: {wanted} was expected, found {found}; the catalogue's item is wrong, leave it out"
        )

    def text(self, key: str) -> str | None:
        """A text, not empty."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT or not value.isprintable():
            raise self.wrong(key, "a text of one line")
        return value

    def number(self, key: str) -> float | None:
        """A finite number."""
        value = self.values.get(key)
        if value is None:
            return None
        number = _finite(value)
        if number is None:
            raise self.wrong(key, "a finite number")
        return number

    def whole(self, key: str, least: int, most: int) -> int | None:
        """A whole number within bounds, both included; 5.0 is one."""
        value = self.number(key)
        if value is None:
            return None
        if value != int(value) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return int(value)

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def numbers(self, key: str, counts: tuple[int, ...]) -> tuple[float, ...] | None:
        """A list of finite numbers, as many as one of `counts`."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and len(value) in counts:
            numbers = [_finite(each) for each in value]
            if None not in numbers:
                return tuple(number for number in numbers if number is not None)
        raise self.wrong(key, f"a list of {' or '.join(map(str, counts))} finite numbers")

    def inside(self, key: str) -> "Fields | None":
        """An object in this one."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return Fields(f"{self.where}: {key}", value)

    def each(self, key: str) -> "tuple[Fields, ...]":
        """The objects of a list; none where the field is absent."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.wrong(key, "a list of objects")
        return tuple(Fields(f"{self.where}: {key}[{place}]", entry) for place, entry in enumerate(value))

    def moment(self, key: str) -> datetime | None:
        """A time with its zone, in UTC."""
        text = self.text(key)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.wrong(key, "a time with its zone, as 2020-02-19T11:34:25Z,")


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has whole numbers of any length
        return None
    return number if math.isfinite(number) else None


def _shown(value: object) -> str:
    # Python refuses to write out whole numbers of more than 4,300 digits.
    return "a number of thousands of digits" if isinstance(value, int) and value.bit_length() > 256 else repr(value)
