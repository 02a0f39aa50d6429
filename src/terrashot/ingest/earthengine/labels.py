"""Labels that Earth Engine computes: means over a chip of its reference maps, each on the map's own pixels.

Computed on their side, and not from windows fetched to here: a chip has 200,000 pixels of land cover, and its labels are a few
numbers. Every pixel counts by the part of it that lies inside the chip (`Image.reduceRegion`, which counts in steps of 1/255), so
that nothing is resampled. All of a chip's labels are one question.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from terrashot.domain.grid import Chip, chip_from_id
from terrashot.errors import InputError
from terrashot.ingest.earthengine.expression import Call, call, expression_of
from terrashot.ingest.earthengine.ground import outline_of
from terrashot.ingest.earthengine.maps import MAPS, VALID, VALUE, share_image
from terrashot.ingest.source import LabelSource
from terrashot.remote.earth_engine import Engine

MOST_PIXELS: Final = 100_000_000
"""Of one map over one chip."""
SLACK: Final = 1e-6
"""Of a share, for rounding."""


@dataclass(frozen=True, slots=True)
class MapLabel:
    """One target."""

    target: str
    map: str
    """As `maps.MAPS` calls it."""
    year: int
    classes: tuple[int, ...] = ()
    """Whose share it is; none of a map of amounts."""


@dataclass(frozen=True, slots=True)
class EarthEngineLabels:
    """Shares of classes, and mean amounts, over a chip."""

    engine: Engine
    labels: tuple[MapLabel, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(label.target for label in self.labels)

    def read(self, chip_id: str) -> Mapping[str, tuple[float, float]]:
        """By target: its mean over the valid part of the chip, and that part's share; NaN where none is valid.

        Raises:
            InputError: the id is not of our grid, or the service cannot compute it or answers with something else.
            NetworkError: no answer within the limits.
        """
        chip = chip_from_id(chip_id)
        answer = self.engine.value(expression_of(*(_mean(label, chip) for label in self.labels)))
        rows = answer if len(self.labels) > 1 else [answer]
        if not isinstance(rows, list) or len(rows) != len(self.labels):
            raise InputError(f"{self.engine.name}: an answer that is not one of {len(self.labels)} labels")
        return {label.target: self._checked(label, row) for label, row in zip(self.labels, rows, strict=True)}

    def _checked(self, label: MapLabel, row: object) -> tuple[float, float]:
        told = row if isinstance(row, dict) else {}
        value, valid = told.get(VALUE), told.get(VALID)
        if not _is_share(valid) or (value is not None and not _is_share(value)):
            raise InputError(
                f"{self.engine.name}: {label.map}: {str(row)[:120]}; needs a value and a valid share, 0 to 1"
            )
        assert isinstance(valid, int | float)
        share = min(float(valid), 1.0)
        if not isinstance(value, int | float) or share == 0:
            return math.nan, share
        return min(max(float(value), 0.0), 1.0), share


def _mean(label: MapLabel, chip: Chip) -> Call:
    image, own = share_image(MAPS[label.map], label.year, label.classes)
    return call(
        "Image.reduceRegion",
        image=image,
        reducer=call("Reducer.mean"),
        geometry=outline_of(chip),
        crs=call("Image.projection", image=own),
        maxPixels=MOST_PIXELS,
    )


def _is_share(number: object) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    return -SLACK <= number <= 1 + SLACK


_: type[LabelSource] = EarthEngineLabels
