"""Pickles, object arrays and archives under every name that is read, digests made to fit where there are any."""

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faults import asks, hostile_stores
from faults.asks import Arguments, Write
from faults.attack import Attack, attack, canary_of
from faults.child import Surroundings, command_line, run_child
from faults.forge import canary_pickle, object_npy, reweigh, torch_archive, zipped
from faults.studies import contents, copy_of, differences, ready_for
from terrashot.durable.files import sha256_of
from terrashot.durable.parts import DiskParts


def pickles(folder: Path) -> Iterator[Attack]:
    """The same pickle under every ending that is read."""
    canary = canary_of(folder)
    raw, torched, objects = (make(canary) for make in (canary_pickle, torch_archive, object_npy))
    archive = zipped({"../../../x.npy": objects, "/x.npy": objects, "arr_0.npy": objects})

    def put(content: bytes) -> Write:
        return lambda path: path.write_bytes(content)

    for file in ("s2rgbm/c0.npy", "s2rgbm/c0.tif", "s2rgbm/c0.png", "s2rgbm/c0.jpg", "gunw/c0.nc"):
        for what, content in (("pickle", raw), ("archive of pickles", archive)):
            ask = functools.partial(asks.image, name=file)
            yield attack(f"{what} as {file}", file, ask, put(content))
    yield attack("object array as image", "c0.npy", functools.partial(asks.image, name="s2rgbm/c0.npy"), put(objects))
    for file, what, content in (
        ("e.npy", "pickle", raw),
        ("e.npy", "object array", objects),
        ("e.npy", "archive", archive),
        ("e.npz", "archive", archive),
        ("e.parquet", "pickle", raw),
    ):
        ask = functools.partial(asks.table, name=file, option="--embeddings")
        yield attack(f"{what} as table {file}", file, ask, _with_ids(content))
    ids = functools.partial(asks.table, name="e.npy", option="--embeddings")
    yield attack("pickle as ids beside a table", "e.ids.txt", ids, functools.partial(_pickled_ids, content=raw))
    pickled_type = hostile_stores.pickled_type(raw)
    ask = functools.partial(asks.table, name="e.parquet", option="--embeddings")
    yield attack("Parquet type that is a pickle", "e.parquet", ask, pickled_type)
    for file, step in (("chips.csv", "chips"), ("labels.csv", "labels"), ("s2rgbm.toml", "chips")):
        ask = functools.partial(asks.in_chips, name=file, step=step)
        ready = functools.partial(labels_step, name=file) if step == "labels" else ask
        yield attack(f"pickle as {file}", file, ready, put(raw))
    for option, file in (
        ("--labels", "l.csv"),
        ("--labels", "l.parquet"),
        ("--chips", "c.csv"),
        ("--floors", "f.parquet"),
    ):
        ask = functools.partial(asks.table, name=file, option=option)
        yield attack(f"pickle as {option} {file}", file, ask, put(raw))
    yield attack("pickle as outline", "outline.geojson", asks.outline, put(raw))
    for file, words in _OWN_FILES:
        ask = functools.partial(asks.own, name=file, words=words)
        yield attack(
            f"pickle as {file}, {words[0]}", Path(file).name if "model.json" not in file else "model", ask, put(raw)
        )
    for what, content in (("pickle", raw), ("torch archive", torched)):
        yield attack(
            f"{what} as weights, digests fitting",
            "weights.safetensors",
            _own_model,
            functools.partial(_weights, content=content),
        )
        yield attack(
            f"{what} as training state, digest fitting",
            "model.state",
            resume_step,
            functools.partial(state_card, content=content),
        )
        yield attack(
            f"{what} as part of an embedding",
            "embed.parts",
            _embed_step,
            functools.partial(_part, content=content, fits=False),
            _of_embed,
        )
        yield attack(f"{what} as part of an embedding, digest fitting", "embed.parts", _embed_step,
                      functools.partial(_part, content=content, fits=True), _of_embed)  # fmt: skip
    yield attack("object array as part of an embedding, digest fitting", "embed.parts", _embed_step,
                  functools.partial(_part, content=objects, fits=True), _of_embed)  # fmt: skip


_OWN_FILES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("study.toml", ("status",)),
    ("manifest.jsonl", ("status",)),
    ("model/model.json", ("verify", "model")),
    ("model/model.json", ("run", "--only", "embed")),
    ("chips.ledger.sqlite", ("verify", "chips.zarr")),
    ("chips.zarr/zarr.json", ("verify", "chips.zarr")),
    ("chips.zarr/s1grdm/c/0/0/0/0", ("verify", "chips.zarr")),
    ("embeddings.parquet", ("run", "--only", "fewshot", "--redo", "fewshot")),
    ("embeddings.parquet.sha256", ("run", "--only", "fewshot", "--redo", "fewshot")),
)


def _own_model(folder: Path, write: Write) -> Arguments:
    return asks.own(folder, write, name="model/weights.safetensors", words=("verify", "model"))


def _with_ids(content: bytes) -> Write:
    def write(path: Path) -> None:
        path.write_bytes(content)
        path.with_suffix(".ids.txt").write_text("c000")

    return write


def _pickled_ids(path: Path, content: bytes) -> None:
    np.save(path, np.ones((1, 4), np.float32))
    path.with_suffix(".ids.txt").write_bytes(content)


def labels_step(folder: Path, write: Write, name: str) -> Arguments:
    """The step `labels` of a study whose chips are there."""
    study = copy_of(ready_for("labels"), folder / "study")
    write(study / "chips" / name)
    return ["run", study, "--only", "labels"]


def _weights(path: Path, content: bytes) -> None:
    size = path.stat().st_size
    reweigh(path.parent, content.ljust(size, b"\0"))


def resume_step(folder: Path, write: Write) -> Arguments:
    return asks.own(
        folder, write, name="model.state/state.json", words=("run", "--only", "pretrain"), before="pretrain"
    )


def state_card(path: Path, content: bytes, name: str = "last-000001-00000000.safetensors") -> None:
    (path.parent / "last-000001-00000000.safetensors").write_bytes(content)
    progress = {"epochs_done": 1, "steps_done": 0, "losses": [], "metrics": [{}], "best_epoch": 0, "best_loss": 1.0}
    files = {part: {"name": name, "sha256": sha256_of(content)} for part in ("last", "best")}
    path.write_text(json.dumps({"format": 2, "files": files, "progress": progress | {"run": {}}}))


def _embed_step(folder: Path, write: Write) -> Arguments:
    return asks.own(folder, write, name="embed.parts/embed-0", words=("run", "--only", "embed"), before="embed")


def _part(path: Path, content: bytes, fits: bool) -> None:
    """A part that the step would take up: the step itself tells, run until it has its first, what parts are made from."""
    (path.parent / "made-from").write_text(_made_from())
    path.write_bytes((sha256_of(content) if fits else "0" * 64).encode() + content)


@functools.cache
def _made_from() -> str:
    begun = copy_of(ready_for("embed"), Path(os.path.realpath(ready_for("embed"))).with_name("begun"))

    def stop_at_a_part() -> None:
        DiskParts.put = lambda *_: os._exit(9)  # type: ignore[method-assign]

    run_child(
        command_line("run", begun, "--only", "embed"), begun.parent / "begun-notes", Surroundings(before=stop_at_a_part)
    )
    return (begun / "embed.parts" / "made-from").read_text()


def _of_embed(folder: Path) -> str:
    return differences(contents(folder / "study"), contents(ready_for("fewshot")))
