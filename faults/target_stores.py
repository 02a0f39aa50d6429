"""Mutants of models, training states, ledgers and shards, digests and seals made to fit, and who reads them."""

import json
import shutil
import sqlite3
import struct
from functools import cache
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import torch

from faults.forge import recard, reseal, reweigh
from faults.mutants import bent_bytes, bent_json, bent_text
from faults.studies import finished
from faults.targets import Rng
from terrashot.durable.files import sha256_of
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.pretrain.progress import Progress
from terrashot.pretrain.pupil import Pupil
from terrashot.pretrain.resume import TrainingState
from terrashot.store.layout import LEDGER, ZARR


def model_mutant(rng: Rng, folder: Path) -> None:
    """A card or a header of weights that says something else, all digests made to fit; sometimes bent bytes."""
    model = folder / "model"
    shutil.copytree(finished() / "model", model, dirs_exist_ok=True)
    weights = (model / "weights.safetensors").read_bytes()
    kind = rng.random()
    if kind < 0.15:
        path = model / str(rng.choice(["model.json", "weights.safetensors"]))
        path.write_bytes(bent_bytes(rng, path.read_bytes()))
    elif kind < 0.6:
        _bend_card(rng, model)
    elif kind < 0.8:
        reweigh(model, bent_bytes(rng, weights))
    else:
        length = struct.unpack("<Q", weights[:8])[0]
        header = json.dumps(bent_json(rng, json.loads(weights[8 : 8 + length]))).encode()
        reweigh(model, struct.pack("<Q", len(header)) + header + weights[8 + length :])


def _bend_card(rng: Rng, model: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        part = str(rng.choice(["towers", "statistics", "summary", "format"]))
        content[part] = bent_json(rng, content[part])

    recard(model, change)


def read_model(folder: Path) -> None:
    from terrashot.model.checkpoint import load_model, read_summary

    load_model(folder / "model")
    read_summary(folder / "model")


def ledger_mutant(rng: Rng, folder: Path) -> None:
    """One or two entries that say something else, sealed and counted as a forger would; sometimes bent bytes."""
    for path in folder.glob(f"*{LEDGER}*"):  # a reader that failed may still hold it, or its name
        path.unlink()
    shutil.copy(finished() / LEDGER, folder / LEDGER)
    if rng.random() < 0.1:
        (folder / LEDGER).write_bytes(bent_bytes(rng, (folder / LEDGER).read_bytes()))
        return
    changed, gone = {}, []
    for _ in range(int(rng.integers(1, 3))):
        kinds = ["layout", "layout", "image", "image", "shard", "chip", "metadata", "digest", "format"]
        rows = _entries(str(rng.choice(kinds)))
        kind, key, text = rows[int(rng.integers(0, len(rows)))]
        if rng.random() < 0.15:
            gone.append((kind, key))
            key = bent_text(rng, key)
        changed[kind, key] = bent_json(rng, json.loads(text))
    reseal(folder, changed, tuple(gone))


@cache
def _entries(kind: str) -> list[tuple[str, str, str]]:
    with sqlite3.connect(finished() / LEDGER) as connection:
        return sorted(connection.execute("SELECT kind, key, content FROM entry WHERE kind = ?", (kind,)))


def store_around(folder: Path) -> None:
    shutil.copytree(finished() / ZARR, folder / ZARR)


def read_store(folder: Path) -> None:
    """Opens it, tells what is there, reads some of it and checks all of it."""
    from terrashot.errors import TerrashotError
    from terrashot.store.chips import open_chip_store
    from terrashot.store.repair import verify_store, waits_for_repair

    refusal = None
    try:
        store = open_chip_store(folder)
        store.presence()
        for modality in store.modalities:
            ids = [*store.chip_ids[:2], *store.chip_ids[-2:]]
            picks = [(chip_id, stored.slot) for chip_id in ids for stored in store.channels(chip_id, modality)]
            store.read(modality, picks)
    except TerrashotError as error:
        refusal = error
    list(verify_store(folder))
    waits_for_repair(folder)
    if refusal is not None:
        raise refusal


SHARD = "s1grdm/c/0/0/0/0"


def shard_mutant(rng: Rng, folder: Path) -> None:
    """A shard with bent chunks or a bent index, the checksums of both made to fit."""
    content = bytearray((finished() / ZARR / SHARD).read_bytes())
    n_chunks = 128
    index = np.frombuffer(bytes(content[-n_chunks * 16 - 4 : -4]), "<u8").reshape(-1, 2).copy()
    chunk = int(rng.integers(0, n_chunks))
    if rng.random() < 0.5 and index[chunk, 0] < 2**63:
        offset, length = (int(number) for number in index[chunk])
        bent = bent_bytes(rng, bytes(content[offset : offset + length - 4]))[: length - 4].ljust(length - 4, b"\0")
        content[offset : offset + length] = bent + _crc(bent)
    else:
        odd = [0, 1, 4, 5, 2**31, 2**40, 2**63, 2**64 - 1, len(content), int(index[chunk - 1, 0])]
        index[chunk, int(rng.integers(0, 2))] = np.uint64(odd[int(rng.integers(0, len(odd)))])
    table = index.tobytes()
    content[-n_chunks * 16 - 4 :] = table + _crc(table)
    whole = bytes(content) if rng.random() < 0.9 else bent_bytes(rng, bytes(content))
    (folder / ZARR / SHARD).write_bytes(whole)


def _crc(content: bytes) -> bytes:
    return google_crc32c.value(content).to_bytes(4, "little")


def shard_around(folder: Path) -> None:
    store_around(folder)
    shutil.copy(finished() / LEDGER, folder / LEDGER)


def read_shard(folder: Path) -> None:
    from terrashot.store.chips import open_chip_store

    store = open_chip_store(folder)
    store.read("s1grdm", [(chip_id, slot) for chip_id in store.chip_ids[:64] for slot in (0, 1)])


def state_around(folder: Path) -> None:
    """The state of a training of the smallest towers after one epoch."""
    pupil, optimiser = _small_pupil()
    for parameter in pupil.parameters():
        parameter.grad = parameter.detach() * 0.1
    optimiser.step()
    progress = Progress({"a": "b"}).after_epoch({"epoch": 0, "val_loss": 1.0})
    TrainingState(folder / "good").save(pupil, optimiser, pupil.towers.state_dict(), progress)
    TrainingState(folder / "good").load(*_small_pupil(), {"a": "b"})  # torch imports much at its first use


def state_mutant(rng: Rng, folder: Path) -> None:
    """A state of training with bent card or bent tensors, the digest between them made to fit."""
    card = json.loads((folder / "good" / "state.json").read_bytes())
    bent = str(rng.choice(["last", "best"])) if rng.random() < 0.5 else None
    for part, file in card["files"].items():
        content = (folder / "good" / file["name"]).read_bytes()
        if part == bent:
            content = bent_bytes(rng, content)
            file["sha256"] = sha256_of(content)
        (folder / file["name"]).write_bytes(content)
    card = bent_json(rng, card) if bent is None else card
    text = json.dumps(card)
    (folder / "state.json").write_text(bent_text(rng, text) if rng.random() < 0.1 else text, errors="replace")


def _small_pupil() -> tuple[Pupil, torch.optim.Optimizer]:
    sizes = VitConfig(width=8, depth=1, heads=2, patch_px=4, chip_px=8)
    pupil = Pupil(make_towers(TowersConfig(("gunw",), sizes, 6), 0))
    return pupil, torch.optim.AdamW(pupil.parameters())


def read_state(folder: Path) -> None:
    TrainingState(folder).load(*_small_pupil(), {"a": "b"})
