"""The scenes of one modality in a file of the study: STAC items as they came, and what was found out about each of them.

Any program that reads STAC reads it too. Processes are handed its name alone, and read it themselves.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from shapely import STRtree

from terrashot.domain.cells import cells_of, footprints
from terrashot.domain.grid import Chip
from terrashot.durable.files import sha256_of, write_bytes
from terrashot.errors import InputError, IntegrityError, one_line
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.scene import Scene
from terrashot.remote.stac_item import acquisition_of

LARGEST_BYTES = 1 << 30
FREE_BRACKETS, BYTES_A_BRACKET = 1_000_000, 16
"""So many lists and objects are never too many. Beyond, a file with more of them than one in 16 bytes is no items (those have one
in 30 and more), and would take 20 times its size in memory."""
OURS, SEAL = "terrashot", "seal"
Items = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SceneFile:
    """A scene file by name; small and picklable."""

    path: Path
    digest: str
    """Of its content, so that a process does not take an older one for it."""

    def over(self, chip: Chip) -> list[Scene]:
        """The scenes whose outlines meet the chip's, by time."""
        return _opened(self.path, self.digest).over(chip)

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """All of them, by time."""
        return _opened(self.path, self.digest).scenes


@dataclass(frozen=True, slots=True, eq=False)
class SceneIndex:
    """Scenes that can be asked for by place."""

    scenes: tuple[Scene, ...]
    tree: STRtree = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", STRtree([scene.acquisition.footprint for scene in self.scenes]))

    def over(self, chip: Chip) -> list[Scene]:
        """As `SceneFile.over`."""
        (outline,) = footprints(cells_of([chip]))
        return [self.scenes[number] for number in sorted(self.tree.query(outline, predicate="intersects").tolist())]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a scene file holds."""

    question: str
    """Digest of what was asked for; another question makes another file."""
    items: Items
    item_assets: Mapping[str, object] = field(default_factory=dict)
    """What the collection says of the assets of all its items."""
    refused: tuple[str, ...] = ()
    """Why items were left out, each with its id."""
    offsets: Mapping[str, Offset | str] = field(default_factory=dict)
    """By item, what is subtracted from its numbers; or why that cannot be known."""

    def scenes(self) -> tuple[Scene, ...]:
        """The items as scenes, by time and id; one that is there twice counts once.

        Raises:
            InputError: an item that is none, or two that differ under one id.
        """
        found: dict[str, tuple[Mapping[str, Any], Scene]] = {}
        for item in self.items:
            scene = _scene(acquisition_of(item, self.item_assets), self.offsets)
            known, _ = found.setdefault(scene.acquisition.id, (item, scene))
            if known != item:
                raise InputError(f"item {scene.acquisition.id}: is there twice, and the two differ; leave one out")
        return tuple(sorted((s for _, s in found.values()), key=lambda s: (s.acquisition.sensed, s.acquisition.id)))


def _scene(acquisition: Any, offsets: Mapping[str, Offset | str]) -> Scene:
    found = offsets.get(acquisition.id)
    return Scene(acquisition, fault=found) if isinstance(found, str) else Scene(acquisition, found)


def write_listed(path: Path, listed: Listed) -> None:
    """`path` holds what was found, as an ItemCollection, or is left as it was."""
    ours = {
        "question": listed.question,
        "item_assets": dict(listed.item_assets),
        "refused": list(listed.refused),
        "offsets": {key: _offset_as_json(found) for key, found in sorted(listed.offsets.items())},
    }
    content = {"type": "FeatureCollection", "features": list(listed.items), OURS: ours}
    write_bytes(path, _text({**content, OURS: {**ours, SEAL: _seal(content)}}))


def read_listed(path: Path) -> Listed:
    """What a scene file of ours holds.

    Raises:
        IntegrityError: no scene file of ours.
    """
    try:
        content = read_collection(path)
        ours = content[OURS]
        if ours.pop(SEAL) != _seal(content):
            raise ValueError("its content does not fit its digest")
        offsets = {key: _offset_from_json(found) for key, found in ours["offsets"].items()}
        return Listed(ours["question"], content["features"], ours["item_assets"], tuple(ours["refused"]), offsets)
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(
            f"{path}: no scene file of ours ({one_line(error)}); remove it, and run again to search anew"
        ) from None


def read_collection(path: Path) -> dict[str, Any]:
    """A GeoJSON FeatureCollection, or one made of a single STAC item.

    Raises:
        InputError: no such file, over 1 GiB, mostly brackets, no JSON, or neither.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path}: over {LARGEST_BYTES} bytes; split it by months")
        packed = path.read_bytes()
        _refuse_brackets(path, packed)
        content = json.loads(packed, parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as JSON: {one_line(error)}") from None
    if isinstance(content, dict) and content.get("type") == "Feature":
        return {"features": [content]}
    if not isinstance(content, dict) or not isinstance(content.get("features"), list):
        raise InputError(f"{path}: neither a STAC item nor a collection of items (`features`)")
    return content


def _refuse_brackets(path: Path, packed: bytes) -> None:
    """Nothing, unless there are so many lists and objects that they cannot be those of items."""
    n_brackets = packed.count(b"[") + packed.count(b"{")
    if n_brackets > FREE_BRACKETS and n_brackets * BYTES_A_BRACKET > len(packed):
        raise InputError(f"{path}: {n_brackets} lists and objects in {len(packed)} bytes; STAC items are not so empty")


@lru_cache(maxsize=4)
def _opened(path: Path, digest: str) -> SceneIndex:
    return SceneIndex(read_listed(path).scenes())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name}, which JSON does not have")


def _text(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def _seal(content: Mapping[str, object]) -> str:
    """SHA-256 of all but the seal: of a flipped bit the file itself would say nothing."""
    return sha256_of(_text(content))


def _offset_as_json(found: Offset | str) -> object:
    return found if isinstance(found, str) else [found.offset_dn, found.harmonised, found.note]


def _offset_from_json(found: Any) -> Offset | str:
    if isinstance(found, str):
        return found
    offset_dn, harmonised, note = found
    if type(offset_dn) is not int or type(harmonised) is not bool or not isinstance(note, str):
        raise TypeError("an offset that is none")
    return Offset(offset_dn, harmonised, note)
