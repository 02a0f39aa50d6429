"""Parts of step `ingest` where coherence comes from pairs of dates: which products there are, and cutting them."""

from collections.abc import Iterator
from contextlib import closing

import shapely

from terrashot.coherence_sections import CoherenceSection
from terrashot.domain.grid import chip_from_id
from terrashot.domain.tables import Chips
from terrashot.durable.files import make_folder, sha256_of_file
from terrashot.durable.ledger import Ledger
from terrashot.engine import ordered_map
from terrashot.errors import InputError
from terrashot.ingest.harvest import Patience
from terrashot.ingest.own_products import own_product, own_product_paths
from terrashot.ingest.pair_list import PairList, Product, item_of
from terrashot.ingest.pair_products import CutOrder, orders_of
from terrashot.ingest.pair_source import MODALITY
from terrashot.ingest.scene_file import Listed, read_listed, write_listed
from terrashot.raster.gunw_product import VARIABLES
from terrashot.remote.address import AddressRules
from terrashot.remote.client import Client
from terrashot.remote.gunw_search import fetch_products
from terrashot.steps.coherence_plan import cuts, cutter, list_path, own_products_digest, period
from terrashot.steps.find_scenes import places_of
from terrashot.steps.plan import Context
from terrashot.steps.progress import Progress, Said, Work
from terrashot.store.manifest import digest_of
from terrashot.store.repair import known_chips

UNFILTERED_SINCE = 3
"""Version of the products that have it."""


def find_pairs(context: Context, section: CoherenceSection, chips: Chips) -> Work[None]:
    """Writes the file of products, unless what was asked for was found before.

    Raises:
        NetworkError: the catalogue is not to be had.
        InputError: a folder of products that cannot be used.
    """
    path, question = list_path(context), question_of_pairs(context, section, chips)
    if path.is_file() and read_listed(path).question == question:
        return
    make_folder(context.study.scenes)
    listed = yield from list_products(context, section, chips, question)
    write_listed(path, listed)
    yield Said(f"{MODALITY}: {len(listed.items)} GUNW products")
    if listed.refused:
        yield Said(f"{len(listed.refused)} products were left out, the first: {listed.refused[0]}")


def list_products(context: Context, section: CoherenceSection, chips: Chips, question: str) -> Work[Listed]:
    """The products over the chips whose pairs are wanted; of none a cell is fetched.

    Raises:
        NetworkError, InputError: as `find_pairs`.
    """
    found, refused = yield from (_own(context, section) if section.folder else _searched(context, section, chips))
    first, last = period(context, section)
    least_version = UNFILTERED_SINCE if section.filter == "unfiltered" else 0
    wanted = [
        product
        for product in found
        if first <= product.name.pair.later <= last
        and product.name.pair.days <= section.max_days
        and product.name.version[0] >= least_version
    ]
    over = _that_meet(wanted, chips)
    return Listed(question, [item_of(product) for product in over], refused=refused)


def question_of_pairs(context: Context, section: CoherenceSection, chips: Chips) -> str:
    """Digest of all that decides which products are found; the catalogue's newest do not."""
    places = [] if section.folder else [[places.boxes().wkt] for places in places_of(context, chips)]
    days = [str(day) for day in period(context, section)]
    return digest_of([section.model_dump(mode="json"), days, own_products_digest(context, section), places])


def cut_pairs(context: Context, section: CoherenceSection, chips: Chips) -> Work[None]:
    """Squares for all chips that are not in the store yet, product by product, each fetched once.

    A product that cannot be had fails its pairs and no others; three in a row that the network keeps from us end the work.

    Raises:
        NetworkError: there is no network, or the login is refused.
        StorageError: no space, no permission.
    """
    known = cuts(context, section)
    needed = needed_orders(context, section, chips)
    orders = [order for order in needed if not known.is_done(order.product.name.text, order.chip_ids)]
    if not orders:
        return
    cut, patience = cutter(context, section), Patience()
    for done, failure in enumerate(ordered_map(cut, orders, context.workers), start=1):
        if failure is None:
            patience.reached()
        else:
            patience.lost(failure)
        yield Progress("coherence", done, len(orders), f"products cut for {len(chips)} chips")


def needed_orders(context: Context, section: CoherenceSection, chips: Chips) -> list[CutOrder]:
    """Products that chips need which are not in the store yet, each with its chips."""
    path = list_path(context)
    pairs = PairList(path, sha256_of_file(path), section.most_pairs)
    needs: dict[str, tuple[Product, list[str]]] = {}
    for chip_id in _without_pairs(context, chips):
        for found in pairs.over(chip_from_id(chip_id)):
            for product in found.products:
                needs.setdefault(product.name.text, (product, []))[1].append(chip_id)
    return list(orders_of(needs))


def _without_pairs(context: Context, chips: Chips) -> list[str]:
    if not context.study.ledger.is_file():
        return list(chips.ids)
    with closing(Ledger(context.study.ledger)) as ledger:
        known = known_chips(ledger, MODALITY, chips.ids)
    return [chip_id for chip_id in chips.ids if chip_id not in known]


def _own(context: Context, section: CoherenceSection) -> Work[tuple[list[Product], tuple[str, ...]]]:
    """The user's products; one that cannot be read is left out, and said."""
    assert section.folder is not None, "asked for where there is a folder"
    paths = own_product_paths(context.study.resolve(section.folder))
    found: list[Product] = []
    refused: list[str] = []
    for done, path in enumerate(paths, start=1):
        try:
            found.append(own_product(path, VARIABLES[section.filter]))
        except InputError as error:
            refused.append(str(error))
        yield Progress("products", done, len(paths), MODALITY)
    return found, tuple(refused)


def _searched(context: Context, section: CoherenceSection, chips: Chips) -> Work[tuple[list[Product], tuple[str, ...]]]:
    found: dict[str, Product] = {}
    refused: dict[str, None] = {}
    boxes = list(_boxes(context, chips))
    with Client(AddressRules(frozenset(context.config.ingest.allowed_hosts))) as client:
        for done, box in enumerate(boxes, start=1):
            brought = fetch_products(
                box, period(context, section), section.max_days, client, search_url=section.search_url
            )
            refused |= dict.fromkeys(brought.refused)
            for one in brought.products:
                found[one.name.text] = Product(one.name, one.footprint, one.href, one.n_bytes, one.md5)
            yield Progress("search", done, len(boxes), f"{MODALITY}: {len(found)} products")
    return [found[name] for name in sorted(found)], tuple(refused)


def _boxes(context: Context, chips: Chips) -> Iterator[shapely.Polygon]:
    """Around each connected part of each area; a frame is larger than most."""
    for places in places_of(context, chips):
        yield from (shapely.box(*part.bounds) for part in places.boxes().geoms)


def _that_meet(products: list[Product], chips: Chips) -> list[Product]:
    """Those over a chip."""
    assert chips.footprint is not None, "chips of our own grid have places"
    tree = shapely.STRtree(list(chips.footprint))
    return [product for product in products if len(tree.query(product.footprint, predicate="intersects"))]
