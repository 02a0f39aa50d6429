"""Monthly composites of an optical satellite as a source of imagery: what a catalogue found, brought onto each chip."""

from collections.abc import Sequence
from dataclasses import dataclass

import shapely

from terrashot.domain.acquisition import Acquisition
from terrashot.domain.cells import cells_of, footprints
from terrashot.domain.grid import Chip, chip_from_id
from terrashot.domain.modality import Channel, Difference, Imagery
from terrashot.ingest.boa_offset import Offset
from terrashot.ingest.composite import Seen, Statistic, make_composite
from terrashot.ingest.each_once import Delivery, by_month, each_once
from terrashot.ingest.monthly import imagery_of, optical_channels
from terrashot.ingest.optical_delivery import OpenPlane, see_optical
from terrashot.ingest.source import ImagerySource
from terrashot.raster.onto_chip import chip_place
from terrashot.remote.profiles import Profile


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An acquisition, and what is to be subtracted from its numbers: found once for all of its chips."""

    acquisition: Acquisition
    offset: Offset


@dataclass(frozen=True, slots=True, eq=False)
class OpticalSource:
    """Reads the months of a chip from the scenes that lie over it."""

    profile: Profile
    scenes: tuple[Scene, ...]
    months: tuple[str, ...]
    """In the order of the calendar."""
    kinds: tuple[str, ...]
    statistic: Statistic
    side_px: int
    open_plane: OpenPlane
    """Must be picklable where several processes read."""
    modality: str = "s2rgbm"
    unit: str | None = "reflectance"
    differences: tuple[Difference, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...] | None:
        return optical_channels(self.months, self.kinds)

    @property
    def max_channels(self) -> int:
        return len(self.months) * len(self.kinds)

    def read(self, chip_id: str) -> Imagery:
        """A mean or median of each month, in reflectance; NaN where no pass shows clear ground; why a channel is absent.

        Raises:
            InputError: the id is not of our grid.
            NetworkError: a file cannot be fetched within its budget: nothing is known of the chip, and it is asked for again.
        """
        chip = chip_from_id(chip_id)
        scenes = {scene.acquisition.id: scene for scene in scenes_over(chip, self.scenes)}
        passes = by_month(each_once(delivery_of(scene.acquisition) for scene in scenes.values()), self.months)
        target = chip_place(chip, self.side_px)

        def see(delivery: Delivery) -> Seen:
            scene = scenes[delivery.id]
            return see_optical(
                scene.acquisition, self.profile, self.kinds, target, offset=scene.offset, open_plane=self.open_plane
            )

        composites = [
            make_composite(own, see, statistic=self.statistic, n_channels=len(self.kinds), side_px=self.side_px)
            for own in passes.values()
        ]
        return imagery_of(composites, optical_channels(self.months, self.kinds), self.side_px)


def scenes_over(chip: Chip, scenes: Sequence[Scene]) -> list[Scene]:
    """Those whose outlines meet the chip's."""
    (outline,) = footprints(cells_of([chip]))
    meets = shapely.intersects([scene.acquisition.footprint for scene in scenes], outline)
    return [scene for scene, is_over in zip(scenes, meets, strict=True) if is_over]


def delivery_of(acquisition: Acquisition) -> Delivery:
    """What tells the acquisition from others of the same pass."""
    direction = acquisition.orbit_direction
    return Delivery(
        acquisition.id, acquisition.platform or "", acquisition.sensed, None if direction is None else direction == "ascending",
        acquisition.tile, None, acquisition.baseline, acquisition.made,
    )  # fmt: skip


_: type[ImagerySource] = OpticalSource
