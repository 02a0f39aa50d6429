"""A scene of a satellite: an acquisition, and what was found out about its numbers once for all of its chips."""

from dataclasses import dataclass

from terrashot.domain.acquisition import Acquisition
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.each_once import Delivery

OWN = "own-files"
"""Collection of a user's own files. Each shows a piece of its own: nothing says that one is another, processed again."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One delivery of one sensing."""

    acquisition: Acquisition
    offset: Offset | None = None
    """What is to be subtracted from its numbers; None of products that are never shifted."""
    fault: str = ""
    """Why nothing can be made of it; its months fail, and tell so."""

    def delivery_on(self, zone: int) -> Delivery:
        """What tells it from others of the same pass over a chip of that UTM zone, 1 to 60."""
        told = self.acquisition
        direction = told.orbit_direction
        tile = told.id if told.collection == OWN else told.tile
        return Delivery(
            told.id, told.platform or "", told.sensed, None if direction is None else direction == "ascending",
            tile, None, told.baseline, told.made, told.tile is not None and int(told.tile[:2]) == zone,
        )  # fmt: skip
