"""The source that a study would make of a folder of GUNW products, for some chips."""

from pathlib import Path

from terrashot.durable.files import sha256_of_file
from terrashot.durable.spool import Spool
from terrashot.ingest.own_products import own_product, own_product_paths
from terrashot.ingest.pair_cuts import Cuts
from terrashot.ingest.pair_list import PairList, item_of
from terrashot.ingest.pair_products import CutOrder, Cutter, ProductFiles
from terrashot.ingest.pair_source import PairSource
from terrashot.ingest.scene_file import Listed, write_listed

SIDE = 50


def source_of(folder: Path, chips, most_pairs=40) -> PairSource:
    """Of the products in `folder/own`; lists and squares lie beside."""
    products = [own_product(path, "coherence") for path in own_product_paths(folder / "own")]
    write_listed(folder / "gunw.json", Listed("q", [item_of(product) for product in products]))
    pairs = PairList(folder / "gunw.json", sha256_of_file(folder / "gunw.json"), most_pairs)
    cuts = Cuts(Spool(folder / "cuts"), "recipe", SIDE)
    cut = Cutter(ProductFiles(folder / "own", is_own=True), cuts, "coherence")
    for product in products:
        cut(CutOrder(product, tuple(chip.id for chip in chips)))
    return PairSource(pairs, cuts)
