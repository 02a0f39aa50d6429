"""Golden files: one of each format, as the version that introduced it wrote them; `python -m faults.golden FOLDER` makes them.

Made once for a format version and then only read. Their values are told in `values.json`, for readers to come.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.domain.results import Result
from terrashot.domain.tables import Chips, Embeddings, Labels
from terrashot.errors import MissingImageryError
from terrashot.ingest.harvest import harvest
from terrashot.model.checkpoint import load_model, save_model
from terrashot.model.towers import make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.steps.progress import finish
from terrashot.store import manifest
from terrashot.store.chips import open_chip_store
from terrashot.store.parquet import read_table, write_rows
from terrashot.store.tables import read_chips, read_own_labels, read_presence, write_chips, write_labels, write_presence
from terrashot.store.vectors import read_embeddings
from terrashot.store.write_vectors import write_embeddings

VALUES = "values.json"
IDS = ("a", "b", "c")
RADAR = (Channel("m1_vv", "vv", "dB", "2020-01-01"), Channel("m1_vh", "vh", "dB", "2020-01-01"))
STATS = ChannelStats({"s1grdm": {"vv": KindStats(-12.0, 4.0, 100, "dB"), "vh": KindStats(-18.0, 4.0, 100, "dB")}})
TOWERS = TowersConfig(("s1grdm",), VitConfig(width=8, depth=1, heads=2, patch_px=4, chip_px=8), embedding=6)


class Radar:
    """Two stored channels and their difference; one chip lacks a channel, one everything."""

    modality, side_px, max_channels, unit, channels = "s1grdm", 8, 2, "dB", RADAR
    differences = (Difference(Channel("m1_vv-vh", "vv-vh", "dB"), "m1_vv", "m1_vh"),)

    def read(self, chip_id: str) -> Imagery:
        if chip_id == "c":
            raise MissingImageryError("no acquisition")
        values = np.random.default_rng(ord(chip_id)).uniform(-30, 5, (2, 8, 8)).astype(np.float32)
        values[0, :2] = np.nan
        if chip_id == "b":
            return Imagery(RADAR[:1], values[:1], (3,), (Absence(RADAR[1], "missing", "not acquired"),))
        return Imagery(RADAR, values, (5, 5))


def make(folder: Path) -> None:
    """Writes one of each format."""
    finish(harvest([Radar()], IDS, folder, workers=1))
    chips = Chips(
        IDS, ("x", "x", "y"), (None,) * 3, ("train", "test", "val"),
        lon_deg=np.array([9.1, 9.2, np.nan]), lat_deg=np.array([45.1, 45.2, np.nan]),
    )  # fmt: skip
    write_chips(folder / "chips.parquet", chips)
    write_presence(folder / "presence.parquet", open_chip_store(folder).presence())
    kinds = np.array(["wet", None, "dry"], dtype=object)
    write_labels(folder / "labels.parquet", Labels(IDS, {"tree_cover": np.array([0.25, np.nan, 1.0]), "kind": kinds}))
    vectors = np.array([[1.0, 0.5], [np.nan, np.nan], [-0.25, 0.125]], dtype=np.float32)
    counts = {"s1grdm": np.array([3, 0, 1], dtype=np.int16)}
    write_embeddings(
        folder / "embeddings.parquet", Embeddings(chips, {"s1grdm": vectors}, counts, "a model"), "float16"
    )
    write_rows(folder / "results.parquet", [_result()], Result)
    save_model(folder / "model", make_towers(TOWERS, 0), STATS, {"seed": 0})
    line = manifest.Line("chips", "c", {}, {"chips.parquet": "d"}, {"terrashot": "0"}, "2026-11-23T00:00:00+00:00", 1.5)
    manifest.append(folder / "manifest.jsonl", line)
    (folder / VALUES).write_text(json.dumps(values(folder), indent=1, sort_keys=True))


def values(folder: Path) -> dict[str, str]:
    """What is read from the golden files, each told in a line."""
    return {name: reader(folder) for name, reader in READERS.items()}


def _result() -> Result:
    return Result(
        "wet", "x", "x", "given", "s1grdm", "forest", 5, 5, 0, 7, 20, 0.5, 0.45, 0.75, 0.7, 0.72, 0.8, None, None, 0.2
    )


def _pixels(folder: Path) -> str:
    store = open_chip_store(folder)
    picks = [(chip_id, slot) for chip_id in store.chip_ids for slot in range(3)]
    return (
        _digest(store.read("s1grdm", picks))
        + " "
        + str([[s.channel.name for s in store.channels(c, "s1grdm")] for c in IDS])
    )


def _vectors(folder: Path) -> str:
    table = read_embeddings(folder / "embeddings.parquet")
    return f"{table.chips.ids} {table.model} {table.blocks['s1grdm'].tolist()} {table.n_channels['s1grdm'].tolist()}"


def _model(folder: Path) -> str:
    model = load_model(folder / "model")
    shown = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)
    vector = model.towers.embed(shown, "s1grdm").detach().numpy().round(3).tolist()
    return f"{model.digest} {model.stats} {dict(model.summary)} {vector}"


def _labels(folder: Path) -> str:
    return str({name: found.tolist() for name, found in read_own_labels(folder / "labels.parquet").targets.items()})


def _presence(folder: Path) -> str:
    found = read_presence(folder / "presence.parquet")
    return str(
        [(c, n, s, r) for c, n, s, r in zip(found.chip_id, found.channel, found.status, found.reason, strict=True)]
    )


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.nan_to_num(array, nan=-999.0).round(3).tobytes()).hexdigest()


READERS: dict[str, Callable[[Path], str]] = {
    "chip store": _pixels,
    "chips.parquet": lambda folder: str(
        [read_chips(folder / "chips.parquet").ids, read_chips(folder / "chips.parquet").split]
    ),
    "presence.parquet": _presence,
    "labels.parquet": _labels,
    "embeddings.parquet": _vectors,
    "results.parquet": lambda folder: str(read_table(folder / "results.parquet").to_pylist()),
    "model": _model,
    "manifest.jsonl": lambda folder: str(manifest.read(folder / "manifest.jsonl")),
}

if __name__ == "__main__":
    make(Path(sys.argv[1]))
