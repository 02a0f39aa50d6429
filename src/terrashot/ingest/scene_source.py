"""Monthly composites of a satellite as a source of imagery: scenes brought onto each chip, month by month."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from jaxtyping import Float32

from terrashot.domain.grid import Chip, chip_from_id
from terrashot.domain.modality import Channel, Difference, Imagery
from terrashot.ingest.composite import Composite, Seen, Statistic, make_composite
from terrashot.ingest.decibels import to_db_into
from terrashot.ingest.delivery import see_delivery
from terrashot.ingest.each_once import ASCENDING, DESCENDING, Delivery, Orbits, Pass, by_direction, by_month, each_once
from terrashot.ingest.look_ahead import LookAhead
from terrashot.ingest.monthly import MIXED, imagery_of, optical_channels, radar_channels, radar_differences
from terrashot.ingest.scene import Scene
from terrashot.ingest.scene_file import SceneFile
from terrashot.ingest.source import ImagerySource
from terrashot.ingest.window import OpenPlane
from terrashot.raster.onto_chip import chip_place
from terrashot.remote.profiles import Profile

OPTICAL, RADAR = "s2rgbm", "s1grdm"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made of the scenes."""

    months: tuple[str, ...]
    """In the order of the calendar."""
    kinds: tuple[str, ...]
    statistic: Statistic = "mean"
    orbits: Orbits = "mixed"

    @property
    def sets(self) -> tuple[str, ...]:
        """Beginnings of the channels' kinds, one a set of passes that are averaged together."""
        return (ASCENDING, DESCENDING) if self.orbits == "apart" else MIXED

    def passes(self, deliveries: Sequence[Delivery]) -> list[tuple[Pass, ...]]:
        """The passes of each composite: month by month, in each month by direction."""
        by_set = by_direction(deliveries, self.orbits)
        by_months = [by_month(each_once(offered), self.months) for offered in by_set.values()]
        return list(chain.from_iterable(zip(*(own.values() for own in by_months), strict=True)))


@dataclass(frozen=True, slots=True)
class SceneSource:
    """Reads the months of a chip from the scenes that lie over it."""

    product: Profile
    recipe: Recipe
    scenes: SceneFile
    side_px: int
    open_plane: OpenPlane
    """Must be picklable where several processes read."""
    readers: int = field(default=1, compare=False)
    """Deliveries that are read at once, which changes no result."""

    @property
    def is_radar(self) -> bool:
        return self.product.unit != "reflectance"

    @property
    def modality(self) -> str:
        return RADAR if self.is_radar else OPTICAL

    @property
    def unit(self) -> str | None:
        return "dB" if self.is_radar else "reflectance"

    @property
    def channels(self) -> tuple[Channel, ...] | None:
        return self._channels

    @property
    def _channels(self) -> tuple[Channel, ...]:
        made = self.recipe
        if self.is_radar:
            return radar_channels(made.months, made.sets, made.kinds)
        return optical_channels(made.months, made.kinds)

    @property
    def is_begun_ahead(self) -> bool:
        return self.readers > 1

    @property
    def max_channels(self) -> int:
        return len(self._channels)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """VV - VH, where both are there."""
        has_both = self.is_radar and {"vv", "vh"} <= set(self.recipe.kinds)
        return radar_differences(self.recipe.months, self.recipe.sets) if has_both else ()

    def read(self, chip_id: str) -> Imagery:
        """A mean or median of each month, in reflectance or dB; NaN where no pass shows the ground; why a channel is absent.

        Raises:
            InputError: the id is not of our grid.
            NetworkError: a file cannot be fetched within its budget: nothing is known of the chip, and it is asked for again.
        """
        chip = chip_from_id(chip_id)
        scenes = {scene.acquisition.id: scene for scene in self.scenes.over(chip)}
        months = self.recipe.passes([scene.delivery_on(chip.epsg % 100) for scene in scenes.values()])
        in_turn = [delivery for own in months for passage in own for delivery in passage.deliveries]
        values = np.empty((len(months), len(self.recipe.kinds), self.side_px, self.side_px), np.float32)
        with LookAhead(lambda delivery: self._see(scenes[delivery.id], chip), in_turn, self.readers) as see:
            composites = [self._composite(own, see, room) for own, room in zip(months, values, strict=True)]
        return imagery_of(values.reshape(-1, self.side_px, self.side_px), composites, self._channels)

    def _see(self, scene: Scene, chip: Chip) -> Seen:
        return see_delivery(scene, self.product, self.recipe.kinds, chip_place(chip, self.side_px), self.open_plane)

    def _composite(
        self, passes: Sequence[Pass], see: "LookAhead[Delivery, Seen]", room: Float32[np.ndarray, "C H W"]
    ) -> Composite:
        """One month; `room` holds its values."""
        made = make_composite(
            passes, see, statistic=self.recipe.statistic, n_channels=len(room), side_px=self.side_px, into=room
        )
        if self.is_radar:
            to_db_into(room, room)  # averaged in power, and only then told in dB
        return made


_: type[ImagerySource] = SceneSource
