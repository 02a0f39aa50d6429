"""The parts of the study file's [source] that tell of whole scenes of satellites: whose they are, and what is made of them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Kind = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class ScenesSection(Section):
    """Where scenes come from: searched for in a catalogue, listed in a file of STAC items, or GeoTIFFs in a folder."""

    catalogue: str | None = Field(None, pattern=r"^[a-z0-9./-]{1,64}$")
    """Whose, as docs/ingest.md lists them: `earth-search/sentinel-2-l2a`. Not with `folder`."""
    search_url: str | None = Field(None, pattern=r"^https?://\S{1,500}$")
    """Another server that answers as that catalogue does, a mirror for instance: `https://.../search`."""
    items: Path | None = None
    """A file of STAC items of that catalogue, in place of a search."""
    folder: Path | None = None
    """Your own GeoTIFFs in any coordinate system, with a `scenes.toml` beside them: docs/ingest.md."""

    @model_validator(mode="after")
    def _come_from_one_place(self) -> "ScenesSection":
        if (self.folder is None) == (self.catalogue is None):
            raise ValueError('give one of catalogue = "NAME/PRODUCT" and folder = "FOLDER"')
        if self.folder is not None and (self.items is not None or self.search_url is not None):
            raise ValueError('items = "FILE" and search_url belong to catalogue = "NAME/PRODUCT", not to folder')
        if self.items is not None and self.search_url is not None:
            raise ValueError('items = "FILE" takes the place of a search; drop search_url')
        return self


class OpticalSection(ScenesSection):
    """Sentinel-2, or other optical scenes: a mean or median of clear reflectance each month."""

    bands: tuple[Kind, ...] = Field(("red", "green", "blue"), min_length=1, max_length=16)
    """Kinds of channel, as docs/ingest.md lists them: `nir`, `swir16`."""
    statistic: Literal["mean", "median"] = "mean"
    """Of the clear passes of a month; a median forgives clouds that the mask missed, and holds all passes in memory."""
    max_cloud_percent: float = Field(80.0, gt=0, le=100)
    """Scenes that their catalogue calls cloudier are not looked at."""


class RadarSection(ScenesSection):
    """Sentinel-1: a mean of power each month, in dB, of terrain-corrected scenes."""

    orbits: Literal["mixed", "apart", "ascending", "descending"] = "mixed"
    """Passes northward and southward averaged together, each in channels of their own, or one of them left out."""
