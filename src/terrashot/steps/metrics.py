"""metrics.jsonl: a line an epoch. The model's card holds the same numbers, so that the file can be written again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from terrashot.durable.files import set_aside, write_bytes
from terrashot.errors import TerrashotError
from terrashot.store.study import Study


def write_metrics(study: Study, metrics: Sequence[Mapping[str, Any]]) -> None:
    """The study's metrics.jsonl."""
    write_bytes(study.metrics, "".join(json.dumps(epoch, sort_keys=True) + "\n" for epoch in metrics).encode())


def repair_metrics(study: Study) -> None:
    """The file is written again from the model's card; without a whole card it is set aside, and training makes it."""
    from terrashot.model.checkpoint import read_summary  # late: torch is needed for models alone

    try:
        write_metrics(study, read_summary(study.model)["metrics"])
    except (TerrashotError, KeyError):
        set_aside(study.metrics)
