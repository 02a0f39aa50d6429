"""The part of the study file's [labels] that tells of a user's own points, lines and polygons, and what is made of them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from terrashot.scene_sections import Kind, Section

Column = Annotated[str, Field(min_length=1, max_length=200)]
ClassName = Annotated[str, Field(min_length=1, max_length=100)]
How = Literal["majority", "presence", "fraction", "count", "mean"]


class OwnLabelsSection(Section):
    """A target that is made of your own points, lines or polygons, joined to the chips by place."""

    file: Path
    """A CSV with longitude and latitude (`.csv`, `.tsv`, `.txt`), or GeoJSON, GeoPackage, shapefile, FlatGeobuf or GeoParquet."""
    how: How
    """`majority`: the class with most points, length or area in the chip. `presence`: 1 where there is any. `fraction`: share of the
    chip's area. `count`: number of rows. `mean`: of the numbers in `column`, weighted by length or area."""
    column: Column | None = None
    """The column that holds classes, or numbers (`mean`)."""
    of: tuple[ClassName, ...] = ()
    """The classes that are looked for (`presence`, `fraction`, `count`); none given means every row."""
    classes: tuple[ClassName, ...] = ()
    """All classes that may stand in the column: a row of another one is bad. None given means any."""
    elsewhere: Literal["none", "unknown"] = "none"
    """What is where no row lies (`presence`, `fraction`, `count`): `none`, for data that tell all there is, counts as 0; `unknown` as
    no label."""
    min_covered: float = Field(0.0, ge=0, le=1)
    """A chip of which polygons cover less has no label (`majority`, `mean`)."""
    layer: Column | None = None
    """Of a GeoPackage with several."""
    lon: Column = "lon"
    """Column of a CSV that holds the longitude, or the easting where `crs` is in metres."""
    lat: Column = "lat"
    """Column of a CSV that holds the latitude, or the northing."""
    crs: str | None = Field(None, min_length=1, max_length=2000)
    """Coordinate system, such as `EPSG:32632`, of a CSV that is not in degrees, or of a file that does not say."""
    made_from: tuple[Kind, ...] = ()
    """Modalities that these labels were themselves made from, such as `s2rgbm`: results are then marked as partly circular."""

    @model_validator(mode="after")
    def _has_the_column_that_it_needs(self) -> "OwnLabelsSection":
        if self.how in ("majority", "mean") and self.column is None:
            raise ValueError(f'how = "{self.how}" needs column = "NAME", which holds the {self._held}')
        if self.column is None and (self.of or self.classes):
            raise ValueError('of and classes need column = "NAME", which holds the classes')
        return self

    @model_validator(mode="after")
    def _keys_fit_how(self) -> "OwnLabelsSection":
        if self.how in ("majority", "mean") and (self.of or self.elsewhere == "unknown"):
            raise ValueError(f'of and elsewhere belong to presence, fraction and count, not to how = "{self.how}"')
        if self.how == "mean" and self.classes:
            raise ValueError('classes belong to a column of classes; how = "mean" reads numbers')
        if self.how not in ("majority", "mean") and self.min_covered:
            raise ValueError(f'min_covered belongs to majority and mean, not to how = "{self.how}"')
        strange = [name for name in self.of if self.classes and name not in self.classes]
        if strange:
            raise ValueError(f"of: '{strange[0]}' is none of the classes")
        return self

    @property
    def _held(self) -> str:
        return "numbers" if self.how == "mean" else "classes"
