"""The GUNW products over a study's chips in a file of the study, and which pairs of them a chip has.

Kept as STAC items, which other programs read. Processes are handed the file's name alone, and read it themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import shapely

from terrashot.domain.cells import cells_of, footprints
from terrashot.domain.coherence_pair import Pair, ProductName, evenly, product_name
from terrashot.domain.grid import Chip
from terrashot.errors import IntegrityError, one_line
from terrashot.ingest.scene_file import read_listed

INNER_DEG: Final = 0.03
"""Some 3 km: so far inside a product's outline ground surely has cells, for outlines in catalogues are rough."""
SLIVER: Final = 0.01
"""Of a chip's area, for which no further product is fetched."""
ASSET: Final = "netcdf"


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """One GUNW product, and where it lies."""

    name: ProductName
    footprint: shapely.Geometry
    """Longitude and latitude in degrees."""
    href: str
    """An address, or a path on this disk."""
    n_bytes: int | None = None
    md5: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ChipPair:
    """A pair over one chip."""

    pair: Pair
    products: tuple[Product, ...]
    """Whose cells it is made of; each cell from the first that has it."""


@dataclass(frozen=True, slots=True)
class PairList:
    """A file of products by name; small and picklable."""

    path: Path
    digest: str
    """Of its content, so that a process does not take an older one for it."""
    most_pairs: int

    def over(self, chip: Chip) -> list[ChipPair]:
        """The chip's pairs by their dates, of too many so many evenly over the period; with the products that each needs."""
        (outline,) = footprints(cells_of([chip]))
        index = _opened(self.path, self.digest)
        near: dict[Pair, list[Product]] = {}
        for number in index.tree.query(outline, predicate="intersects").tolist():
            near.setdefault(index.products[number].name.pair, []).append(index.products[number])
        needed = {pair: needed_of(products, outline) for pair, products in near.items()}
        kept = evenly(sorted(pair for pair, products in needed.items() if products), self.most_pairs)
        return [ChipPair(pair, needed[pair]) for pair in kept]

    @property
    def products(self) -> tuple[Product, ...]:
        """All of them, by name."""
        return _opened(self.path, self.digest).products


def needed_of(products: list[Product], outline: shapely.Geometry) -> tuple[Product, ...]:
    """Those of one pair that a chip is made of, the newest version first; none whose ground is had from those before it."""
    taken: list[Product] = []
    missing = outline
    for product in sorted(products, key=lambda one: one.name.rank):
        if shapely.intersection(missing, product.footprint).area > SLIVER * outline.area:
            taken.append(product)
            missing = shapely.difference(missing, shapely.buffer(product.footprint, -INNER_DEG))
    return tuple(taken)


def item_of(product: Product) -> dict[str, Any]:
    """The product as a STAC item, dated by its later pass."""
    pair = product.name.pair
    told = {"file:size": product.n_bytes, "file:checksum": product.md5 and f"d50110{product.md5}"}  # multihash of MD5
    asset = {"href": product.href, "type": "application/netcdf", **{k: v for k, v in told.items() if v is not None}}
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": product.name.text,
        "geometry": shapely.geometry.mapping(product.footprint), "bbox": list(product.footprint.bounds), "links": [],
        "properties": {
            "datetime": f"{pair.later}T00:00:00Z", "start_datetime": f"{pair.earlier}T00:00:00Z",
            "end_datetime": f"{pair.later}T00:00:00Z", "sat:orbit_state": pair.direction, "sat:relative_orbit": pair.track,
        },
        "assets": {ASSET: asset},
    }  # fmt: skip


def product_from(item: Mapping[str, Any]) -> Product:
    """The product that `item_of` wrote."""
    asset = item["assets"][ASSET]
    md5, n_bytes = asset.get("file:checksum"), asset.get("file:size")
    footprint = shapely.geometry.shape(item["geometry"])
    return Product(product_name(item["id"]), footprint, asset["href"], n_bytes, md5 and md5.removeprefix("d50110"))


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    products: tuple[Product, ...]
    tree: shapely.STRtree = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", shapely.STRtree([product.footprint for product in self.products]))


@lru_cache(maxsize=4)
def _opened(path: Path, digest: str) -> _Index:
    try:
        found = [product_from(item) for item in read_listed(path).items]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, IntegrityError):
            raise
        raise IntegrityError(
            f"{path}: no list of products of ours ({one_line(error)}); remove it, and run again"
        ) from None
    return _Index(tuple(sorted(found, key=lambda one: one.name.text)))
