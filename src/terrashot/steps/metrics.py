"""metrics.jsonl: a line an epoch, kept twice, since the times in it could be made again only by training again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from terrashot.durable.backup import back_up, backup_path, fits_digest, restore
from terrashot.durable.files import set_aside, write_bytes
from terrashot.store.study import Study


def write_metrics(study: Study, metrics: Sequence[Mapping[str, Any]]) -> None:
    """The study's metrics.jsonl, and its copy."""
    write_bytes(study.metrics, "".join(json.dumps(epoch, sort_keys=True) + "\n" for epoch in metrics).encode())
    back_up(study.metrics)


def damage_of_metrics(study: Study) -> str | None:
    """What is wrong with the file or its copy, in words; None where nothing is."""
    for path in (study.metrics, backup_path(study.metrics)):
        if not fits_digest(path):
            return f"{path.name}: its bytes are not those that were written"
    return None


def repair_metrics(study: Study) -> None:
    """File and copy are whole again; where neither is, the file is set aside, and training makes it."""
    if fits_digest(study.metrics):
        back_up(study.metrics)
    elif not restore(study.metrics):
        set_aside(study.metrics)
