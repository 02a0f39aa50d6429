"""Seeded mutants: bytes, words and JSON values of good files, bent."""

import copy
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

NUMBERS = (0, 1, 2, 127, 128, 255, 256, 32767, 65535, 1 << 20, 2**31 - 1, 2**31, 2**32 - 1,
           2**62, 2**63 - 1, 2**64 - 1)  # fmt: skip
WORDS = (
    "", "0", "-1", "1", "1e999", "-1e308", "5e-324", "nan", "inf", "null", "true", "[]", "{}", '""', '"', "'", ",", ";", "\t", "\n",
    "\r", "\0", "\ufeff", "\ud7ff", "é", "99999999999999999999", "1_0", "0x10", "[[", "]]", "{", "id", "../../x", "/etc/x",
    "a" * 300, "=1+1", "<b>",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 1.5, -0.0, 1e300, 5e-324, float("nan"), float("inf"), 2**31, 2**63, 2**64, 10**30, -(2**63),
    "", "x", "0",
    "../../x", "nan", "\0", "c000", "s2rgbm", "a" * 300, [], {},
    [0], [None], ["x"], [[]], {"x": 1}, [1, 2, 3, 4], [[0, 0], [1, 1], [0, 1]],
)  # fmt: skip
MOST_CHANGES = 3
TOKEN = re.compile(r"[A-Za-z0-9_.+-]+|[^A-Za-z0-9_.+-]")


def bent_bytes(rng: np.random.Generator, content: bytes) -> bytes:
    """The content after one to three changes of its bytes: bits, numbers, spans, its end."""
    found = bytearray(content)
    for _ in range(rng.integers(1, MOST_CHANGES + 1)):
        _change(rng, found)
    return bytes(found)


def bent_text(rng: np.random.Generator, text: str) -> str:
    """The text after one to three of its words or marks were replaced, doubled, dropped or swapped."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.integers(1, MOST_CHANGES + 1)):
        if not tokens:
            break
        place, other = (int(number) for number in rng.integers(0, len(tokens), 2))
        match int(rng.integers(0, 5)):
            case 0 | 1:
                tokens[place] = _one(rng, WORDS)
            case 2:
                tokens[place : place + 1] = [tokens[place]] * 2
            case 3:
                del tokens[place : place + int(rng.integers(1, 9))]
            case 4:
                tokens[place], tokens[other] = tokens[other], tokens[place]
    return "".join(tokens)


def bent_json(rng: np.random.Generator, value: Any) -> Any:
    """A copy of a JSON value with one to three of its members replaced, dropped, added or taken from elsewhere in it."""
    root = [json.loads(json.dumps(value))]
    for _ in range(rng.integers(1, MOST_CHANGES + 1)):
        places = list(_places(root))
        holder, key = places[int(rng.integers(0, len(places)))]
        match int(rng.integers(0, 6)):
            case 0 | 1 | 2:
                holder[key] = _any(rng)
            case 3 if holder is not root:
                del holder[key]
            case 4:
                from_holder, from_key = places[int(rng.integers(0, len(places)))]
                holder[key] = json.loads(json.dumps(from_holder[from_key]))
            case _:
                _add(rng, holder, key)
    return root[0]


def _add(rng: np.random.Generator, holder: Any, key: Any) -> None:
    if isinstance(holder[key], dict):
        holder[key][str(_one(rng, WORDS))] = _any(rng)
    elif isinstance(holder[key], list):
        holder[key].append(copy.deepcopy(holder[key][0]) if holder[key] else _any(rng))
    elif isinstance(holder[key], str):
        holder[key] = bent_text(rng, holder[key])
    else:
        holder[key] = [holder[key]]


def _places(value: Any) -> Sequence[tuple[Any, Any]]:
    """Every holder and key from which a value hangs; at most some thousand."""
    found: list[tuple[Any, Any]] = []
    queue = [value]
    while queue and len(found) < 5000:
        holder = queue.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        found += [(holder, key) for key in keys]
        queue += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found


def _change(rng: np.random.Generator, found: bytearray) -> None:
    if not found:
        found += b"\0"
    # Headers lie at the beginning and footers at the end: most changes go there.
    share = float(rng.random()) ** 3
    place = int((share if rng.random() < 0.7 else 1 - share) * (len(found) - 1))
    match int(rng.integers(0, 8)):
        case 0:
            found[place] ^= 1 << int(rng.integers(0, 8))
        case 1:
            found[place] = int(rng.integers(0, 256))
        case 2 | 3:
            width = _one(rng, (1, 2, 4, 8))
            number = _one(rng, NUMBERS) % (1 << 8 * width)
            found[place : place + width] = number.to_bytes(width, _one(rng, ("little", "big")))
        case 4:
            del found[place : place + int(rng.integers(1, 65))]
        case 5:
            found[place:place] = found[place : place + int(rng.integers(1, 65))]
        case 6:
            found[place:place] = rng.bytes(int(rng.integers(1, 17)))
        case 7:
            del found[max(1, place) :]


def _any(rng: np.random.Generator) -> Any:
    """An odd value of its own: what is changed in one mutant must not be found in the next."""
    return copy.deepcopy(_one(rng, VALUES))


def _one(rng: np.random.Generator, choices: Sequence[Any]) -> Any:
    return choices[int(rng.integers(0, len(choices)))]
