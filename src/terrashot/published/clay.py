"""Clay, and tables of the same form: an embedding of a chip a row.

Forms that are read, by the columns a file has:

- v0: `source_url, date, embeddings, geometry` (`index` in published files), id from the name of the source image;
- v1.5 of LGND: `chips_id, cell_id, datetime, embedding, geometry, ...`, id `chips_id`, all dates of a `cell_id` one group;
- Earth Index: `id, embedding, geometry`, with the model's name under `emb` in the footer;
- without any of these ids: `embedding` or `embeddings`, and `geometry`; id from the file's name and the row's number.

Of v0, all dates of one chip of a tile are one group, so that a place never straddles a split.

Source: Clay-foundation/model, docs/model_embeddings.md (table schema, names of files and images) and src/model_clay.py
(`on_predict_epoch_end`); cloudnativegeo/geo-embeddings-survey, data/clay/readme.md and data/earth_index/readme.md; TorchGeo,
torchgeo/datasets/clay.py (`embedding` or `embeddings`). The columns of LGND are told by readers of it, not by the maker.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import shapely

from terrashot.errors import InputError
from terrashot.published.join_rows import Rows
from terrashot.published.vector_rows import Footer, maker_told, polygons, read_columns, texts

VECTORS = ("embeddings", "embedding")
IDS = ("id", "chips_id")
IMAGE, CELL = "source_url", "cell_id"
TILE = re.compile(r"claytile_(\d{2}[A-Z]{3})_\d{8}_v\d+_(\d+)")
"""MGRS tile, date, version, number of the chip in the tile."""
VERSION = re.compile(r"\d{2}[A-Z]{3}_\d{8}_\d{8}_(v\d{3})")
"""Of a v0 file: MGRS tile, first and last date, version of the embeddings."""


def read_rows(path: Path) -> Rows:
    """The rows of one file.

    Raises:
        InputError: it is not of a form that is read here; names the column.
    """
    table, vectors, footer = read_columns(path, VECTORS, (*IDS, IMAGE, CELL, "geometry"))
    footprint = polygons(table, footer, path)
    if footprint is None:
        raise InputError(f"{path}: no column 'geometry', so its chips have no place; Clay's tables have it")
    middle = shapely.centroid(footprint)
    ids = _ids(table, path, len(vectors))
    maker = maker_told(table, path) or _told_in_footer(footer, path) or _version(path)
    return Rows(
        path, vectors, ids, _groups(table, path, ids), shapely.get_x(middle), shapely.get_y(middle), footprint, maker
    )


def _ids(table: pa.Table, path: Path, n: int) -> list[str]:
    for name in IDS:
        if name in table.column_names:
            return texts(table, name, path)
    if IMAGE in table.column_names:
        return [url.rsplit("/", 1)[-1].rsplit(".", 1)[0] for url in texts(table, IMAGE, path)]
    return [f"{path.stem}_{row:07d}" for row in range(n)]


def _groups(table: pa.Table, path: Path, ids: Sequence[str]) -> list[str | None]:
    if CELL in table.column_names:
        return list(texts(table, CELL, path))
    found = [TILE.fullmatch(chip_id) for chip_id in ids]
    return [None if match is None else f"{match[1]}_{match[2]}" for match in found]


def _told_in_footer(footer: Footer, path: Path) -> str | None:
    """`dinov2_vits14_softcon 2.0.0` of the metadata that Earth Index writes."""
    if b"emb" not in footer:
        return None
    try:
        model = json.loads(footer[b"emb"])["model"]
        return " ".join(str(model[key]) for key in ("id", "version") if model.get(key))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path}: its footer's 'emb' names no model; remove that entry or download it again") from None


def _version(path: Path) -> str | None:
    found = VERSION.fullmatch(path.stem)
    return None if found is None else found[1]
