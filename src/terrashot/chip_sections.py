"""The sections of the study file that say which chips there are, where their pixels come from, and who tests."""

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from terrashot.coherence_sections import CoherenceSection
from terrashot.earthengine_sections import EngineSection
from terrashot.scene_sections import Name, OpticalSection, RadarSection, Section

Share = Annotated[float, Field(ge=0, le=1)]
MeanPairs = Annotated[float, Field(ge=0, le=40)]


class GridSection(Section):
    """The lattice of chips. Not for chip folders, whose chips are given."""

    chip_px: int = Field(448, ge=8, le=4096)
    """Side of a chip in pixels; the paper's chips have 448."""
    pixel_m: float = Field(10.0, gt=0, le=1000)
    """Ground size of a pixel in metres; 448 px of 10 m give chips of 4,480 m."""


class AreaSection(Section):
    """One area of interest: a box, an outline in a file, a country or region by name, or chips in a partitions file."""

    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; west above east crosses the antimeridian."""
    outline: Path | None = None
    """A file with polygons: GeoJSON, WKT (`.wkt`), GeoPackage, GeoParquet, shapefile or FlatGeobuf."""
    region: str | None = Field(None, min_length=1, max_length=100)
    """A country or region by the name that it has in `boundaries`."""
    boundaries: Path | None = None
    """A table of countries or regions, such as one of Natural Earth, in any of those formats."""
    partitions: Path | None = None
    """Chips as geetiles writes them (GeoJSON), in place of an outline: docs/areas.md. All areas have one, or none."""
    splits: Path | None = None
    """The CSV of their splits; not given, the column `split` of the GeoJSON, if it is there."""
    band_angle_rad: float = Field(0.9, ge=-math.pi / 2, le=math.pi / 2)
    """Direction of the split's bands in this area; the paper's code uses 0.2 to 1.5."""

    @model_validator(mode="after")
    def _has_one_outline(self) -> "AreaSection":
        if sum(given is not None for given in (self.bbox, self.outline, self.region, self.partitions)) != 1:
            raise ValueError(
                'give one of bbox = [west, south, east, north], outline = "FILE.geojson", region = "NAME" and '
                'partitions = "FILE.geojson"'
            )
        if self.splits is not None and self.partitions is None:
            raise ValueError('splits = "FILE.csv" belongs to partitions = "FILE.geojson"')
        if (self.region is None) != (self.boundaries is None):
            raise ValueError('region = "NAME" and boundaries = "FILE" belong together')
        return self


class AbsenceSection(Section):
    """How often the simulated Earth leaves something out."""

    modality: Share = 0.03
    """Share of chips without one of the modalities."""
    month: Share = 0.08
    """Share of optical months lost to cloud."""
    polarisation: Share = 0.05
    """Share of chips without one polarisation of the radar."""
    cloud: Share = 0.15
    """Mean share of a month's pixels hidden by cloud."""
    swath: Share = 0.05
    """Share of chips that lie partly in the gap between two swaths, in each optical and radar month, and in coherence."""
    pairs: MeanPairs = 4.8
    """Mean number of coherence pairs; every chip has 0 to 40."""


class AreaAbsenceSection(Section):
    """What differs in one of the [areas]; a key that is not given is as in [source.absences]."""

    modality: Share | None = None
    """Share of this area's chips without one of the modalities."""
    month: Share | None = None
    """Share of its optical months lost to cloud."""
    polarisation: Share | None = None
    """Share of its chips without one polarisation of the radar."""
    cloud: Share | None = None
    """Mean share of a month's pixels hidden by cloud there."""
    swath: Share | None = None
    """Share of its chips that lie partly in the gap between two swaths."""
    pairs: MeanPairs | None = None
    """Mean number of coherence pairs there."""


class SourceSection(Section):
    """Where pixels and labels come from."""

    kind: Literal["simulated", "folder", "scenes", "earthengine"] = "simulated"
    """`simulated`: a made-up Earth, for learning the tool and testing it. `folder`: your chips on disk. `scenes`: whole scenes of
    satellites, from an open catalogue or your own files, made into monthly chips. `earthengine`: the same, computed by Google
    Earth Engine."""
    path: Path | None = None
    """The chip folder (kind = "folder"): chips.csv, one sub-folder a modality, labels.csv."""
    world_seed: int = Field(0, ge=0, lt=2**31)
    """Which simulated Earth (kind = "simulated")."""
    months: tuple[Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")], ...] = ("2020-01", "2020-02", "2020-03")
    """Months of optical and radar means (all kinds but "folder"); one to 24."""
    optical: OpticalSection | None = None
    radar: RadarSection | None = None
    coherence: CoherenceSection | None = None
    earthengine: EngineSection | None = None
    absences: AbsenceSection = AbsenceSection()
    area_absences: dict[Name, AreaAbsenceSection] = Field(default_factory=dict)

    def absences_of(self, area: str) -> AbsenceSection:
        """The rates of an area: its own where given, else those of the study."""
        own = self.area_absences.get(area, AreaAbsenceSection()).model_dump(exclude_none=True)
        return self.absences.model_copy(update=own)

    @model_validator(mode="after")
    def _folder_has_a_path(self) -> "SourceSection":
        if (self.kind == "folder") != (self.path is not None):
            raise ValueError('path = "FOLDER" belongs to kind = "folder", and to no other kind')
        return self

    @model_validator(mode="after")
    def _scenes_have_a_sensor(self) -> "SourceSection":
        if (self.kind == "scenes") != any(one is not None for one in (self.optical, self.radar, self.coherence)):
            raise ValueError(
                '[source.optical], [source.radar] and [source.coherence] belong to kind = "scenes", which needs at least one of them'
            )
        return self

    @model_validator(mode="after")
    def _earth_engine_has_a_sensor(self) -> "SourceSection":
        is_asked = self.earthengine is not None and self.earthengine.has_pixels
        if (self.kind == "earthengine") != is_asked:
            raise ValueError(
                "[source.earthengine.optical], [source.earthengine.radar] and [source.earthengine.coherence] belong to "
                'kind = "earthengine", which needs one of them or more, and [source.earthengine] project = "my-project"'
            )
        return self


class SplitSection(Section):
    """Which chips train, which choose, which test."""

    scheme: Literal["auto", "bands", "blocks", "leave_area_out", "groups", "random", "given"] = "auto"
    """`bands`: the paper's geographic bands. `blocks`: square blocks like a checkerboard, of which one fold tests and the next
    validates. `leave_area_out`: one area tests whole. `groups`: whole groups of chips.csv. `given`: the split of
    chips.csv or of partitions. `auto`: given if there, else groups, else bands, else random; the run says which."""
    area: Name | None = None
    """The area that tests (`leave_area_out`); the others train and validate, in bands or by whole groups."""
    bands: int = Field(60, ge=5, le=10_000)
    """Number of bands an area is cut into."""
    shares: tuple[Share, Share, Share] = (0.6, 0.2, 0.2)
    """Train, validation, test."""
    block_km: float = Field(50.0, ge=0.1, le=2000)
    """Side of a block (`blocks`)."""
    folds: int = Field(5, ge=3, le=100)
    """How many colours the checkerboard has (`blocks`)."""
    fold: int = Field(0, ge=0)
    """Which of the folds tests (`blocks`), 0 to folds - 1; the next one validates."""
    buffer_chips: int | None = Field(None, ge=0, le=100)
    """Chips around test, then around validation, that belong to no split, cut from train, then val, never from test; 0 is the
    paper's. Not given: 1 for `bands`, `blocks` and `leave_area_out`, where places are known; none for the others."""
    buffer_m: float | None = Field(None, gt=0, le=1e6)
    """The same in metres of ground, rounded up to whole chips; in place of buffer_chips."""

    @model_validator(mode="after")
    def _an_area_is_left_out(self) -> "SplitSection":
        if (self.scheme == "leave_area_out") != (self.area is not None):
            raise ValueError('area = "NAME" belongs to scheme = "leave_area_out", which needs it')
        return self

    @model_validator(mode="after")
    def _fold_is_one_of_the_folds(self) -> "SplitSection":
        if self.fold >= self.folds:
            raise ValueError(f"fold = {self.fold}: with folds = {self.folds} they count from 0 to {self.folds - 1}")
        return self

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "SplitSection":
        if abs(sum(self.shares) - 1) > 1e-6 or min(self.shares) <= 0:
            raise ValueError("shares = [train, val, test] must be above 0 and sum to 1")
        return self
