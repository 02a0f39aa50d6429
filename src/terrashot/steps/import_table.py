"""`terrashot import`: embedding tables of other makers, brought into our form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terrashot.domain.tables import Embeddings
from terrashot.durable.files import make_folder, remove
from terrashot.durable.lock import sole_writer
from terrashot.durable.parts import DiskParts
from terrashot.errors import InputError, StorageError, UsageError
from terrashot.health.card import card_of
from terrashot.ingest.channel_file import nearest
from terrashot.published import clay, majortom
from terrashot.published.join_rows import Rows, one_table
from terrashot.published.pool_pixels import MIN_VALID
from terrashot.published.source_files import files_below
from terrashot.published.vector_rows import ENDINGS
from terrashot.raster.cog import need_rasterio
from terrashot.steps.answer import Answer
from terrashot.steps.health import card_said
from terrashot.steps.import_pixels import MAKERS, Pooled, PoolRequest, pool_files
from terrashot.steps.progress import Progress, Said, Work
from terrashot.store.geoparquet import hilbert_order
from terrashot.store.health import health_path, write_health
from terrashot.store.write_vectors import write_embeddings

ROW_MAKERS: Mapping[str, Callable[[Path], Rows]] = {"majortom": majortom.read_rows, "clay": clay.read_rows}
KINDS = (*MAKERS, *ROW_MAKERS)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What the command was given."""

    kind: str
    source: Path
    out: Path
    chips: Path | None = None
    chip_m: float | None = None
    overwrite: bool = False


def import_files(request: ImportRequest) -> Work[Answer]:
    """What was written.

    Raises:
        UsageError: an unknown kind, or options that it does not take.
        StorageError: the output exists, or its folder does not.
        InputError: the files are not the maker's; names file and column.
        IntegrityError: they hold vectors of several models.
    """
    _check(request)
    if request.kind in ROW_MAKERS:
        table = yield from _rows(request)
        yield from _write(request.out, table)
        return _answer(request, table, {})
    need_rasterio()
    # What is pooled lies beside the output until all is, so that a killed run goes on.
    work_folder = request.out.parent / f".{request.out.name}.work"
    with sole_writer(make_folder(work_folder)):
        asked = PoolRequest(request.kind, request.source, request.chips, request.chip_m)
        pooled = yield from pool_files(asked, lambda identity: DiskParts(work_folder / "parts", identity))
        yield from _write(request.out, pooled.table)
    remove(work_folder)
    return _answer(request, pooled.table, _told_of_pooling(pooled))


def _check(request: ImportRequest) -> None:
    if request.kind not in KINDS:
        hint = nearest(request.kind, KINDS) or f"kinds are {', '.join(KINDS)}"
        raise UsageError(f"import {request.kind}: no such kind; {hint}")
    if request.kind in ROW_MAKERS and (request.chips is not None or request.chip_m is not None):
        raise UsageError(f"import {request.kind}: its rows are chips already; leave out --chips and --chip-m")
    if request.chips is not None and request.chip_m is not None:
        raise UsageError("--chips names the chips, --chip-m makes them; give one of the two")
    if not request.source.exists():
        raise InputError(f"{request.source}: no such file or folder")
    if request.out.exists() and not request.overwrite:
        raise StorageError(f"{request.out} exists; name another file, or add --overwrite")
    if not request.out.parent.is_dir():
        raise StorageError(f"{request.out.parent}: no such folder to write {request.out.name} into")


def _rows(request: ImportRequest) -> Work[Embeddings]:
    paths = files_below(request.source, ENDINGS)
    files = []
    for number, path in enumerate(paths):
        files.append(ROW_MAKERS[request.kind](path))
        yield Progress("read", number + 1, len(paths), path.name)
    table, notes = one_table(request.kind, files)
    for note in notes:
        yield Said(note)
    order = hilbert_order(table.chips)
    blocks = {name: block[order] for name, block in table.blocks.items()}
    return Embeddings(table.chips.take(order), blocks, model=table.model)


def _write(path: Path, table: Embeddings) -> Work[None]:
    """The table and its card lie at `path`; the card's sentence is said."""
    write_embeddings(path, table, "float32")
    card = card_of(table)
    write_health(health_path(path), card, path)
    yield from card_said(card)


def _told_of_pooling(pooled: Pooled) -> dict[str, Any]:
    share = pooled.valid_fraction
    return {
        "rasters": pooled.n_files,
        "min_valid_fraction": MIN_VALID,
        "valid_fraction": {"least": float(share.min()), "median": float(np.median(share))},
    }


def _answer(request: ImportRequest, table: Embeddings, facts: Mapping[str, Any]) -> Answer:
    block = table.blocks[request.kind]
    there, n = int(table.present(request.kind).sum()), len(table.chips)
    lines = [
        f"wrote {request.out}: {n} chips, {there} with {request.kind}, {block.shape[1]} numbers each, of {table.model}"
    ]
    if there < n:
        why = (
            f"of whose ground under {100 * MIN_VALID:.0f} % is valid in the rasters"
            if facts
            else "as their rows have none"
        )
        lines.append(f"chips without a vector: {n - there}, {why}")
    lines.append(f"card: {health_path(request.out)}")
    told = {
        "out": str(request.out),
        "kind": request.kind,
        "chips": n,
        "with": {request.kind: there},
        "model": table.model,
        "card": str(health_path(request.out)),
    }
    return Answer(tuple(lines), {**told, "dimensions": int(block.shape[1]), **facts})
