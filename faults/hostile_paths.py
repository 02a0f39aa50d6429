"""Links, pipes and names that lead elsewhere."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from faults import asks
from faults.asks import Arguments, Write
from faults.attack import Attack, attack
from faults.forge import with_digest
from faults.hostile_pickles import labels_step, resume_step, state_card
from faults.studies import contents, copy_of, differences, ready_for


def links(folder: Path) -> Iterator[Attack]:
    """Links that lead out of the chip folder, and some that do not."""
    victim = folder.parent / f"{folder.name}-outside"

    def link(path: Path) -> None:
        victim.mkdir(exist_ok=True)
        target = victim / path.name
        path.rename(target) if path.exists() else target.write_text("units = 'dn'\n")
        path.symlink_to(target)

    def inside(path: Path) -> None:
        path.rename(path.with_name("kept.bin"))
        path.symlink_to("kept.bin")

    def pipe(path: Path) -> None:
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    for file in ("chips.csv", "s2rgbm.toml", "s2rgbm"):
        ask = functools.partial(asks.in_chips, name=file, step="chips")
        yield attack(f"link of {file} to outside", file, ask, link)
    yield attack("link of labels.csv to outside", "labels.csv", functools.partial(labels_step, name="labels.csv"), link)
    ingest = functools.partial(_ingest_step, name="chips/s2rgbm/c000.npy")
    yield attack("link of an image to outside", "c000.npy", ingest, link)
    yield attack("link of an image to another inside", "", ingest, inside, _of_ingest)
    yield attack("link of an image to nothing", "c000.npy", ingest, functools.partial(_relink, target="nowhere"))
    yield attack("link of an image to itself", "c000.npy", ingest, functools.partial(_relink, target="c000.npy"))
    yield attack("image that is a pipe", "c000.npy", ingest, pipe)
    yield attack("link of the whole chip folder", "", functools.partial(_ingest_step, name="chips"), link, _of_ingest)
    for file in ("labels.csv", "chips.csv"):
        ask = functools.partial(asks.table, name=file, option=f"--{file.removesuffix('.csv')}")
        yield attack(f"{file} that is a pipe", file, ask, pipe)
    yield attack(
        "study.toml that is a pipe", "study", functools.partial(asks.own, name="study.toml", words=("status",)), pipe
    )
    yield attack("outline that is a pipe", "outline.geojson", asks.outline, pipe)
    shard = functools.partial(asks.own, name="chips.zarr/s1grdm/c/0/0/0/0", words=("verify", "chips.zarr"))
    yield attack("link of a shard to outside", "s1grdm/c/0", shard, link)


def _ingest_step(folder: Path, write: Write, name: str) -> Arguments:
    study = copy_of(ready_for("ingest"), folder / "study")
    write(study / name)
    return ["run", study, "--only", "ingest"]


def _of_ingest(folder: Path) -> str:
    return differences(contents(folder / "study"), contents(ready_for("labels")))


def paths(folder: Path) -> Iterator[Attack]:
    """Names that lead elsewhere, where a name is read from a file."""
    victim = folder / "victim.npy"
    for chip_id in ("../../../victim", str(victim.with_suffix(""))):
        ask = functools.partial(_forged_chips, chip_id=chip_id, victim=victim)
        yield Attack(
            "chips.parquet with an id that is a path, " + ("absolute" if chip_id[0] == "/" else "relative"),
            "victim",
            ask,
        )
    for chip_id in ("../c0", "/etc/hostname", "..", "c0/../c1"):
        text = f"id,area\n{chip_id},a\n"
        ask = functools.partial(asks.in_chips, name="chips.csv", step="chips")
        yield attack(
            f"chips.csv with the id {chip_id}", "chips.csv", ask, functools.partial(Path.write_text, data=text)
        )
    for name in ("../victim.safetensors", "/etc/hostname", "..", ""):
        write = functools.partial(state_card, content=b"\0" * 64, name=name)
        yield attack(f"state.json that names {name!r}", "model.state", resume_step, write)


def _forged_chips(folder: Path, chip_id: str, victim: Path) -> Arguments:
    study = copy_of(ready_for("ingest"), folder / "study")
    np.save(victim, np.ones((3, 8, 8), np.uint8))
    table = pq.read_table(study / "chips.parquet")
    ids = pa.array([chip_id, *table.column("id").to_pylist()[1:]])
    pq.write_table(table.set_column(0, "id", ids), study / "chips.parquet")
    with_digest(study / "chips.parquet")
    return ["run", study, "--only", "ingest"]


def _relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)
