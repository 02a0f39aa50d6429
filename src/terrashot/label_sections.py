"""The part of the study file's [labels] that tells of reference maps: which map, where it lies, what is taken of it."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from terrashot.domain.reference_maps import PRODUCTS, MapProduct
from terrashot.scene_sections import Section

Class = Annotated[int, Field(ge=-(2**31), lt=2**32)]


class MapSection(Section):
    """A target that is read from a reference map: share of classes, or mean of numbers, over each chip."""

    product: str | None = None
    """`worldcover-2020`, `worldcover-2021`, `ghs-built-s`, `mod44b-tree-cover` or `jrc-gsw-occurrence`; not given, a map of your
    own."""
    file: Path | None = None
    """One GeoTIFF, or a zip file that holds one."""
    folder: Path | None = None
    """Tiles: all GeoTIFFs and zip files of a folder. Where they overlap, the first by name counts."""
    catalogue: str | None = Field(None, pattern=r"^[a-z0-9-]{1,64}$")
    """A STAC catalogue that has the product: `planetary-computer`."""
    search_url: str | None = Field(None, pattern=r"^https?://\S{1,500}$")
    """Another server that answers as that catalogue does: `https://.../search`."""
    url: str | None = Field(None, pattern=r"^https?://\S{1,500}$")
    """A GeoTIFF (`https://.../map.tif`), or the beginning of the addresses of a product's tiles, in place of its maker's open bucket,
    which is asked where nothing else is given."""
    classes: tuple[Class, ...] | None = Field(None, min_length=1, max_length=256)
    """The target is the share of valid ground that is of one of these classes."""
    mean: bool = False
    """The target is the mean of the numbers (a map of your own)."""
    band: int = Field(1, ge=1, le=1024)
    """Of the file, counting from 1."""
    nodata: tuple[float, ...] = Field((), max_length=16)
    """Numbers that say nothing, beside the one that the file itself states and those of the product."""
    scale: float | None = Field(None, allow_inf_nan=False)
    """Value = number * scale + offset (a map of your own); not given, as the file says."""
    offset: float | None = Field(None, allow_inf_nan=False)
    """Not given, as the file says."""
    min_valid_fraction: float = Field(0.9, ge=0, le=1)
    """A chip of which the map knows less has no label."""

    @property
    def known_product(self) -> MapProduct | None:
        """What is known of the product; None of a map of the user's own."""
        return None if self.product is None else PRODUCTS[self.product]

    @model_validator(mode="after")
    def _product_is_known(self) -> "MapSection":
        if self.product is not None and self.product not in PRODUCTS:
            raise ValueError(f"product = {self.product!r}: there are {', '.join(PRODUCTS)}")
        return self

    @model_validator(mode="after")
    def _lies_in_one_place(self) -> "MapSection":
        named = [self.file, self.folder, self.catalogue, self.url]
        given, product = sum(each is not None for each in named), self.known_product
        has_bucket = product is not None and product.tiles is not None
        if given > 1 or (given == 0 and not has_bucket):
            raise ValueError(
                'give one of file = "MAP.tif", folder = "FOLDER", url = "https://..." and catalogue = "NAME"'
            )
        if self.catalogue is not None and (product is None or self.catalogue not in product.catalogues):
            has = ", ".join(name for name, each in PRODUCTS.items() if self.catalogue in each.catalogues)
            raise ValueError(f"catalogue = {self.catalogue!r} has no such product; it has {has or 'none that we know'}")
        if self.search_url is not None and self.catalogue is None:
            raise ValueError('search_url belongs to catalogue = "NAME"')
        if self.url is not None and not has_bucket and not self.is_one_file:
            raise ValueError(f"url = {self.url!r}: the address of a GeoTIFF, that ends with .tif, is needed")
        return self

    @model_validator(mode="after")
    def _says_what_is_taken(self) -> "MapSection":
        product = self.known_product
        if product is None and self.mean == (self.classes is not None):
            raise ValueError("give one of classes = [CLASS, ...], whose share is the label, and mean = true")
        if product is None:
            return self
        if product.kind == "amount" and self.classes is not None:
            raise ValueError(f"{product.title} has no classes; drop the key: its mean is the label")
        if product.kind == "classes" and (self.mean or self.classes is None):
            raise ValueError(
                f"{product.title} is a map of classes: give classes = [CLASS, ...], whose share is the label"
            )
        strange = [each for each in self.classes or () if each not in product.legend]
        if strange:
            raise ValueError(f"classes: {product.title} has no class {strange[0]}; it has {_listed(product.legend)}")
        if self.scale is not None or self.offset is not None:
            raise ValueError(f"scale and offset of {product.title} are known; drop the keys")
        return self

    @property
    def is_one_file(self) -> bool:
        """Whether `url` is that of one GeoTIFF."""
        return self.url is not None and self.url.partition("?")[0].lower().endswith((".tif", ".tiff"))


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
