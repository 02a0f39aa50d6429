"""The part of the study file's [source] that tells of interferometric coherence: whose it is, and which pairs of dates."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from terrashot.domain.coherence_season import Season, SeasonalDays
from terrashot.scene_sections import Section

Day = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Polarisation = Literal["vv", "vh", "hh", "hv"]
OF_PAIRS = ("search_url", "folder", "start", "end")
"""Keys that say nothing of seasonal medians."""


class CoherenceSection(Section):
    """Interferometric coherence of Sentinel-1, near 90 m: pairs of dates, or the medians of four seasons. docs/coherence.md."""

    product: Literal["gunw", "seasonal"] = "gunw"
    """`gunw`: ARIA's pairs of dates, each a channel; needs an Earthdata login, or files of your own. `seasonal`: medians of the
    seasons of December 2019 to November 2020, the same year everywhere; needs no account."""
    search_url: str | None = Field(None, pattern=r"^https?://\S{1,500}$")
    """Another server that answers as NASA's catalogue of granules does (`gunw`): `https://.../search/granules.umm_json`."""
    folder: Path | None = None
    """GUNW products that you have, NetCDF, under their own names; nothing is searched for then (`gunw`)."""
    start: Day | None = None
    """First day on which a pair may end (`gunw`); not given, the first day of the first of [source] months."""
    end: Day | None = None
    """Last day on which a pair may end (`gunw`); not given, the last day of the last of [source] months."""
    max_days: int = Field(48, ge=1, le=1000)
    """Most days between the two dates of a pair (`gunw`); the paper's pairs have 48 at most."""
    most_pairs: int = Field(40, ge=1, le=40)
    """Most pairs of a chip (`gunw`); of more, so many evenly over the period."""
    filter: Literal["filtered", "unfiltered"] = "filtered"
    """`filtered`: of the phase after the filter, in all versions. `unfiltered`: in products of version 3 alone (`gunw`)."""
    tiles_url: str = Field(
        "https://sentinel-1-global-coherence-earthbigdata.s3.us-west-2.amazonaws.com", pattern=r"^https?://\S{1,500}$"
    )
    """Where `data/tiles` of the seasonal data set lies; a mirror's address, for instance (`seasonal`)."""
    seasons: tuple[Season, ...] = Field(("winter", "spring", "summer", "fall"), min_length=1, max_length=4)
    """Seasons, of the northern half of the Earth (`seasonal`)."""
    days: tuple[SeasonalDays, ...] = Field((12,), min_length=1, max_length=6)
    """Days between the dates of the pairs whose median it is (`seasonal`); 6 where both satellites passed, mostly Europe."""
    polarisations: tuple[Polarisation, ...] = Field(("vv",), min_length=1, max_length=4)
    """`vv` over most land, `hh` over ice (`seasonal`)."""

    @model_validator(mode="after")
    def _keys_belong_to_the_product(self) -> "CoherenceSection":
        given = [key for key in OF_PAIRS if getattr(self, key) is not None]
        if self.product == "seasonal" and given:
            raise ValueError(f'{given[0]} belongs to product = "gunw"')
        if self.folder is not None and self.search_url is not None:
            raise ValueError('folder = "FOLDER" takes the place of a search; drop search_url')
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"start = {self.start} is after end = {self.end}")
        for key in ("seasons", "days", "polarisations"):
            if len(set(getattr(self, key))) != len(getattr(self, key)):
                raise ValueError(f"{key} must name each once")
        return self
