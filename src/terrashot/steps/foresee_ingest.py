"""What filling the chip store from whole scenes would cost: told by `run --dry-run` before a pixel is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from terrashot.domain.tables import Chips
from terrashot.ingest.pair_source import MODALITY
from terrashot.ingest.scene_file import Listed, read_listed
from terrashot.steps.answer import Answer
from terrashot.steps.chips import foreseen_chips
from terrashot.steps.find_scenes import known_question, list_scenes, question_of
from terrashot.steps.foresee_coherence import cost_of_coherence
from terrashot.steps.foresee_text import amount, duration
from terrashot.steps.plan import Context
from terrashot.steps.progress import Work
from terrashot.steps.scene_sensors import Sensor, scene_path, sensors

MOST_CHIPS = 2000
"""Of more, so many evenly chosen ones are counted over, and the others taken to be like them."""
BYTES_PER_PIXEL = {"s2rgbm": 2, "s1grdm": 4}
PACKED = 0.7
"""Of a pixel's bytes, as deflate leaves them in real files of both satellites; a guess for any other."""
BESIDE = 1.3
"""Bytes fetched over bytes asked for: blocks of a file are fetched whole, and neighbours share them."""
HEADER_BYTES = 64 << 10
BYTES_PER_SECOND, SECONDS_A_REQUEST = 20e6, 0.15
"""Of one process's connection, and of one reader's question; stated with the hours, which rest on them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one sensor's harvest would take."""

    modality: str
    acquisitions: int
    """That show a chip."""
    windows: int
    files: int
    n_bytes: float

    @property
    def requests(self) -> int:
        """One for each file's header, and at least one for each window."""
        return self.files + self.windows

    def seconds(self, workers: int, readers: int) -> float:
        """Of waiting for the network, which is longer than the work on what comes."""
        waiting_s = self.requests * SECONDS_A_REQUEST / (workers * readers)
        return max(waiting_s, self.n_bytes / BYTES_PER_SECOND)


def cost_of_ingest(context: Context) -> Work[Answer]:
    """Acquisitions, gigabytes and hours of each sensor; its catalogue is asked for its scenes, and nothing else is.

    Raises:
        NetworkError, InputError, ConfigError: as the search of `find_scenes`.
    """
    chips = foreseen_chips(context)
    lines = ["what filling the chip store will cost:"]
    facts: dict[str, Any] = {}
    for sensor in sensors(context):
        listed = yield from _listed(context, sensor, chips)
        cost = count_cost(sensor, listed, chips, context.config.grid.chip_px)
        is_far = sensor.section.folder is None
        lines.append(_sentence(sensor, cost, len(chips), context, is_far))
        facts[sensor.modality] = {
            "acquisitions": cost.acquisitions, "windows": cost.windows, "gigabytes": round(cost.n_bytes / 1e9, 3),
            "hours": round(cost.seconds(context.workers, context.config.ingest.readers) / 3600, 6) if is_far else None,
        }  # fmt: skip
    coherence = context.config.source.coherence
    if coherence is not None:
        sentence, facts[MODALITY] = yield from cost_of_coherence(context, coherence, chips)
        lines.append(sentence)
    return Answer(tuple(lines), {"ingest": facts})


def _listed(context: Context, sensor: Sensor, chips: Chips) -> Work[Listed]:
    question = question_of(context, sensor, chips)
    if known_question(context, sensor) == question:
        return read_listed(scene_path(context, sensor))
    return (yield from list_scenes(context, sensor, chips, question))


def count_cost(sensor: Sensor, listed: Listed, chips: Chips, chip_px: int) -> Cost:
    """Windows of all scenes over all chips, and the bytes that they take."""
    assert chips.footprint is not None, "chips of our own grid have places"
    step = max(1, -(-len(chips) // MOST_CHIPS))
    shown: Sequence[shapely.Geometry] = list(chips.footprint[::step])
    scenes = [scene.acquisition for scene in listed.scenes()]
    tree = shapely.STRtree([scene.footprint for scene in scenes])
    _, over = tree.query(shown, predicate="intersects")
    planes = len(sensor.recipe.kinds) + (sensor.product.mask is not None)
    windows = len(over) * planes * len(chips) // max(1, len(shown))
    used = len(np.unique(over))
    packed = chip_px**2 * BYTES_PER_PIXEL[sensor.modality] * PACKED * BESIDE
    return Cost(sensor.modality, used, windows, used * planes, windows * packed + used * planes * HEADER_BYTES)


def _sentence(sensor: Sensor, cost: Cost, n_chips: int, context: Context, is_far: bool) -> str:
    told = (
        f"  {cost.modality}: {cost.acquisitions:,} acquisitions of {sensor.product.collection} ({sensor.product.catalogue}) "
        f"over {n_chips:,} chips: {cost.windows:,} windows, about {amount(cost.n_bytes, 'B')}"
    )
    if not is_far:
        return f"{told}, on this disk"
    readers = context.config.ingest.readers
    return (
        f"{told}; {duration(cost.seconds(context.workers, readers))} with {context.workers} processes of {readers} readers, "
        f"if {BYTES_PER_SECOND / 1e6:.0f} MB come a second and a request takes {SECONDS_A_REQUEST:g} s"
    )
