"""The source that a study would make of a folder of GUNW products, for some chips."""

from collections.abc import Sequence
from pathlib import Path

from terrashot.domain.grid import Chip
from terrashot.durable.files import sha256_of_file
from terrashot.durable.spool import Spool
from terrashot.ingest.own_products import own_product, own_product_paths
from terrashot.ingest.pair_cuts import Cuts
from terrashot.ingest.pair_list import PairList, Product, item_of
from terrashot.ingest.pair_products import CutOrder, Cutter, ProductFiles
from terrashot.ingest.pair_source import PairSource
from terrashot.ingest.scene_file import Listed, write_listed

SIDE = 50


def source_of(folder: Path, chips: Sequence[Chip], most_pairs: int = 40, *, side_px: int = SIDE) -> PairSource:
    """Of the products in `folder/own`; lists and squares lie beside."""
    products = [own_product(path, "coherence") for path in own_product_paths(folder / "own")]
    files = ProductFiles(folder / "own", is_own=True)
    return cut_source(folder, chips, products, files, most_pairs, side_px=side_px)


def cut_source(
    folder: Path,
    chips: Sequence[Chip],
    products: Sequence[Product],
    files: ProductFiles,
    most_pairs: int = 40,
    *,
    side_px: int = SIDE,
) -> PairSource:
    """Of these products, whose files lie there or are fetched."""
    path = folder / "gunw.json"
    write_listed(path, Listed("q", [item_of(product) for product in products]))
    pairs = PairList(path, sha256_of_file(path), most_pairs)
    cuts = Cuts(Spool(folder / "cuts"), "recipe", side_px)
    cut = Cutter(files, cuts, "coherence")
    for product in products:
        cut(CutOrder(product, tuple(chip.id for chip in chips)))
    return PairSource(pairs, cuts)
