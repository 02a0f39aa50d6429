"""A model on disk: `weights.safetensors` and `model.json`. Nothing in them can run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.durable.files import make_folder, remove, sha256_of, sha256_of_file, write_atomically, write_bytes
from terrashot.errors import InputError, IntegrityError
from terrashot.model.tensors import TYPES, TensorType, file_parts, sha256_of_tensors
from terrashot.model.towers import Towers
from terrashot.model.towers_config import TowersConfig, config_from_json

FORMAT_VERSION = 1
MAX_JSON_BYTES = 128 << 20
"""Room for the ids of some four million chips in a summary."""
MOST_MEMBERS = 4_000_000
MOST_NESTED = 500_000
"""Of a card's values and of its lists and objects: parsed, each takes some ten times its bytes."""
WEIGHTS, CARD = "weights.safetensors", "model.json"
LARGEST_MOMENT = 1e30
BYTES_BESIDE_WEIGHTS = 1 << 20
"""The most that a safetensors header of ours takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Trained towers with all that is needed to use them on new chips."""

    towers: Towers
    stats: ChannelStats
    summary: Mapping[str, Any]
    digest: str
    """Of weights, shapes and statistics: two models with the same digest give the same embeddings."""


def save_model(
    folder: Path, towers: Towers, stats: ChannelStats, summary: Mapping[str, Any], *, dtype: TensorType = "float32"
) -> str:
    """The model's digest, after writing it whole.

    Args:
        dtype: of the weights on disk; float16 is half as large, and moves vectors by less than a thousandth of their length.

    Raises:
        InputError: a weight does not fit into `dtype`.
    """
    weights = towers.state_dict()
    if not all(bool(tensor.to(TYPES[dtype]).isfinite().all()) for tensor in weights.values()):
        raise InputError(f"{folder}: a weight is not finite in {dtype}; keep float32, or train the model again")
    content: dict[str, Any] = {
        "format": FORMAT_VERSION,
        "towers": towers.config.as_json(),
        "statistics": {m: {k: asdict(s) for k, s in kinds.items()} for m, kinds in stats.kinds.items()},
        "weights_sha256": sha256_of_tensors(weights, dtype),
        "summary": dict(summary),
    }
    # A card that does not tell means float32, as all did once.
    content |= {} if dtype == "float32" else {"dtype": dtype}
    content["digest"] = _digest(content)

    def write_weights(file: BinaryIO) -> None:
        file.writelines(file_parts(weights, dtype))
        # The old model, if there is one, goes only once there is room for the new one.
        remove(folder / CARD)

    make_folder(folder)
    # The card goes last: a folder without one is no model, never half of one.
    write_atomically(folder / WEIGHTS, write_weights)
    write_bytes(folder / CARD, _card_bytes(content))
    return str(content["digest"])


def load_model(folder: Path) -> Model:
    """The model of a folder, every digest and every shape checked before a weight is used.

    Raises:
        InputError: no model there, or no JSON.
        IntegrityError: digests or shapes do not fit, or a newer terrashot wrote it.
    """
    content = _card(folder)
    try:
        config = config_from_json(content["towers"])
        kinds = {m: {k: KindStats(**s) for k, s in found.items()} for m, found in content["statistics"].items()}
        digest, summary = str(content["weights_sha256"]), dict(content["summary"])
        dtype = TYPES[content.get("dtype", "float32")]
        _refuse_bad_moments(kinds)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(f"{folder / CARD}: not a model of ours ({error}); make it again") from None
    towers = _with_weights(config, folder / WEIGHTS, digest, dtype)
    return Model(towers, ChannelStats(kinds), summary, str(content["digest"]))


def _refuse_bad_moments(kinds: Mapping[str, Mapping[str, KindStats]]) -> None:
    for moments in (s for found in kinds.values() for s in found.values()):
        # As float32, where pixels are scaled by them: neither infinite nor, for a spread, so near 0 that 1 / std is.
        if not (abs(moments.mean) < LARGEST_MOMENT and 1 / LARGEST_MOMENT < moments.std < LARGEST_MOMENT):
            raise ValueError(f"a channel's mean is {moments.mean}, its spread {moments.std}")


def read_summary(folder: Path) -> Mapping[str, Any]:
    """What training said of a model, without reading its weights.

    Raises:
        InputError, IntegrityError: as `load_model`, for the card alone.
    """
    summary: Mapping[str, Any] = _card(folder).get("summary", {})
    return summary


def read_towers_config(folder: Path) -> TowersConfig:
    """The shape of a model, without reading its weights.

    Raises:
        InputError, IntegrityError: as `load_model`, for the card alone.
    """
    content = _card(folder)
    try:
        return config_from_json(content["towers"])
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"{folder / CARD}: not a model of ours ({error}); make it again") from None


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    if not path.is_file():
        raise InputError(f"{folder}: no {CARD} in it; name a model folder, as `terrashot run` leaves it")
    if path.stat().st_size > MAX_JSON_BYTES:
        raise IntegrityError(f"{path}: over {MAX_JSON_BYTES >> 20} MiB; no model card of ours is")
    try:
        raw = path.read_bytes()
        if raw.count(b",") > MOST_MEMBERS or raw.count(b"[") + raw.count(b"{") > MOST_NESTED:
            raise IntegrityError(f"{path}: holds far more than a model card of ours; make the model again")
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        if isinstance(error, IntegrityError):
            raise
        raise IntegrityError(f"{path}: damaged: no JSON ({str(error)[:60]}); make the model again") from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise IntegrityError(f"{path}: not a model card of ours; make the model again")
    if content["format"] > FORMAT_VERSION:
        raise IntegrityError(
            f"{path}: format {content['format']}, this terrashot reads up to {FORMAT_VERSION}; update terrashot"
        )
    # Other bytes may mean the same (1e-05, 1E-05): a card is what we write, to the last byte.
    if content.get("digest") != _digest(content) or raw != _card_bytes(content):
        raise IntegrityError(f"{path}: its digest does not fit its content; make the model again, or copy it anew")
    return content


def _card_bytes(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True).encode()


def _digest(content: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in content.items() if name != "digest"}
    return sha256_of(json.dumps(kept, sort_keys=True, separators=(",", ":")).encode())


def _with_weights(config: TowersConfig, path: Path, digest: str, dtype: torch.dtype) -> Towers:
    with torch.device("meta"):
        towers = Towers(config)
    wanted = {name: (tuple(tensor.shape), dtype) for name, tensor in towers.state_dict().items()}
    _check_size(path, sum(tensor.numel() * dtype.itemsize for tensor in towers.state_dict().values()))
    if sha256_of_file(path) != digest:
        raise IntegrityError(f"{path}: its bytes do not fit {CARD}; make the model again, or copy it anew")
    try:
        found = load(path.read_bytes())
    except SafetensorError as error:
        raise IntegrityError(f"{path}: no safetensors: {error}") from None
    if {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in found.items()} != wanted:
        raise IntegrityError(f"{path}: its tensors are not those of the towers in {CARD}; make the model again")
    if not all(bool(torch.isfinite(tensor).all()) for tensor in found.values()):
        raise IntegrityError(f"{path}: a weight is not a finite number; make the model again")
    towers.load_state_dict({name: tensor.float() for name, tensor in found.items()}, assign=True)
    return towers


def _check_size(path: Path, weight_bytes: int) -> None:
    if not path.is_file():
        raise InputError(f"{path}: no such file; the model is not whole")
    size = path.stat().st_size
    if not weight_bytes <= size <= weight_bytes + BYTES_BESIDE_WEIGHTS:
        raise IntegrityError(f"{path}: {size} bytes, where the towers in {CARD} need {weight_bytes} and a header")
