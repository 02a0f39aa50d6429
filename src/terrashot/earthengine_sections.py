"""The parts of the study file that tell of Google Earth Engine: whose project computes, which pixels, which labels."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from terrashot.domain.coherence_season import Season, SeasonalDays
from terrashot.domain.reference_maps import LAND_COVER
from terrashot.scene_sections import Kind, Section

Orbits = Literal["mixed", "apart", "ascending", "descending"]


class EngineOpticalSection(Section):
    """Sentinel-2: a mean or median of clear reflectance each month."""

    bands: tuple[Kind, ...] = Field(("red", "green", "blue"), min_length=1, max_length=12)
    """Kinds of channel: `coastal`, `blue`, `green`, `red`, `rededge1` to `rededge3`, `nir`, `nir08`, `nir09`, `swir16`, `swir22`."""
    statistic: Literal["mean", "median"] = "mean"
    """Of the clear passes of a month."""
    max_cloud_percent: float = Field(80.0, gt=0, le=100)
    """Images that their makers call cloudier are not looked at."""
    mask: Literal["scl", "cloud_score", "qa60"] = "scl"
    """What hides clouds: the scene classification, Cloud Score+ at 0.6, or the cloud bits, which are empty from 2022-01-25 to
    2024-02-28: those months are refused."""


class EngineRadarSection(Section):
    """Sentinel-1: a mean of power each month, in dB of sigma0, which is not the gamma0 of open catalogues."""

    orbits: Orbits = "mixed"
    """Passes northward and southward averaged together, each in channels of their own, or one of them left out."""


class EngineCoherenceSection(Section):
    """Seasonal coherence of December 2019 to November 2020, near 90 m: medians of pairs so many days apart."""

    seasons: tuple[Season, ...] = Field(("winter", "spring", "summer", "fall"), min_length=1)
    """Of the north: winter is December 2019 to February 2020."""
    days: tuple[SeasonalDays, ...] = Field((12, 24, 36, 48), min_length=1)
    """Between the two dates of a pair."""
    polarisation: Literal["vv", "hh"] = "vv"
    """`hh` is there for some coasts and ice alone."""


class EngineSection(Section):
    """Google Earth Engine: docs/earth-engine.md. Any of its three sensors, or none where it gives labels alone."""

    # Neither decides what a chip shows, so neither is part of any digest: another project fetches nothing again.
    project: str | None = Field(None, pattern=r"^([a-z0-9.-]{1,100}:)?[a-z0-9][a-z0-9-]{3,62}$", exclude=True)
    """Your Google Cloud project, which must be registered for Earth Engine. Never changes a result."""
    service_url: str = Field(
        "https://earthengine-highvolume.googleapis.com", pattern=r"^https?://\S{1,200}$", exclude=True
    )
    """Where the service is asked; this is its door for programs. Never changes a result."""
    optical: EngineOpticalSection | None = None
    radar: EngineRadarSection | None = None
    coherence: EngineCoherenceSection | None = None

    @property
    def has_pixels(self) -> bool:
        """Whether one of its sensors is asked for."""
        return not (self.optical is None and self.radar is None and self.coherence is None)

    @model_validator(mode="after")
    def _has_a_project(self) -> "EngineSection":
        if self.project is None:
            raise ValueError(
                'Earth Engine computes for a Google Cloud project of yours: give project = "my-project" (docs/earth-engine.md)'
            )
        return self


class EngineLabelSection(Section):
    """A target that Earth Engine computes from a reference map: the share of some classes, or a mean amount as a share."""

    map: Literal["worldcover-v100", "worldcover-v200", "ghs-built-s", "mod44b-061", "mod44b-006", "gsw-1.4"]
    """ESA WorldCover of 2020 (v100) or 2021 (v200), built-up surface of GHSL, tree cover of MODIS, share of the time with water
    since 1984."""
    classes: tuple[Annotated[int, Field(ge=0, le=255)], ...] = ()
    """Of WorldCover, which needs them: 10 tree, 20 shrub, 30 grass, 40 crop, 50 built, 60 bare, 70 snow, 80 water, 90 wetland,
    95 mangrove, 100 moss."""
    year: int = Field(2020, ge=1975, le=2030)
    """Of `ghs-built-s` (every fifth year) and `mod44b`."""

    @model_validator(mode="after")
    def _classes_go_with_land_cover(self) -> "EngineLabelSection":
        if self.map.startswith("worldcover") != bool(self.classes):
            raise ValueError("classes = [40] belongs to the maps worldcover-v100 and worldcover-v200, which need it")
        unknown = [number for number in self.classes if number not in LAND_COVER]
        if unknown:
            raise ValueError(f"classes: WorldCover has no class {unknown[0]}; it has {', '.join(map(str, LAND_COVER))}")
        if self.map == "ghs-built-s" and self.year % 5:
            raise ValueError(f"year = {self.year}: ghs-built-s is of every fifth year, 1975 to 2030")
        return self
