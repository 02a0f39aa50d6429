"""From a whole product, near or far, to the squares of the chips that it serves; the product goes when they are cut."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from terrashot.domain.grid import Chip, chip_from_id
from terrashot.durable.files import make_folder, remove
from terrashot.errors import InputError, IntegrityError, NetworkError
from terrashot.ingest.pair_cuts import UNREACHED, UNREAD, Cuts, Square
from terrashot.ingest.pair_list import Product
from terrashot.ingest.product_claims import refuse_another
from terrashot.raster.gunw_product import GunwProduct, open_gunw_product
from terrashot.raster.onto_chip import chip_place, onto
from terrashot.raster.window_needed import part_of, window_needed
from terrashot.remote.address import AddressRules
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.download import fetch_file
from terrashot.remote.earthdata import Credentials, EarthdataLogin
from terrashot.remote.ranges import RemoteRanges
from terrashot.remote.signing import LOGIN_LIMITS

PRODUCT_LIMITS = Limits(max_requests=4000, max_seconds=3600.0, max_bytes=4 << 30, stall_s=60.0, longest_wait_s=60.0)
"""Of one product: 70 MB in an hour are 20 KB a second."""


RIM_PX = 3
"""Of nothing around a product's window: what lies beyond a frame is absent, and known to be."""


@dataclass(frozen=True, slots=True)
class ProductFiles:
    """Where whole products lie while chips are cut from them; small and picklable."""

    folder: Path
    is_own: bool = False
    """The user's own files: nothing is fetched, and nothing removed."""
    keeps: bool = False
    credentials: Credentials = field(default_factory=Credentials, repr=False)
    allowed_hosts: frozenset[str] = frozenset()
    limits: Limits = PRODUCT_LIMITS
    login_limits: Limits = LOGIN_LIMITS

    @contextmanager
    def whole(self, product: Product) -> Iterator[Path]:
        """The product on this disk, fetched where it is not; removed at the end, unless it is to be kept, or something failed.

        Raises:
            NetworkError: it cannot be fetched within its budget; what came is kept for the next run.
            InputError, IntegrityError: there is no such file, or it is another than its provider says.
        """
        if self.is_own:
            yield self.folder / product.href
            return
        path = make_folder(self.folder) / f"{product.name.text}.nc"
        if not path.is_file():
            self._fetch(product, path)
        yield path
        if not self.keeps:
            remove(path)

    def discard(self, product: Product) -> None:
        """Nothing; a fetched product that cannot be read is fetched anew by the next run."""
        if not self.is_own:
            remove(self.folder / f"{product.name.text}.nc")

    def _fetch(self, product: Product, path: Path) -> None:
        login = _login(self.credentials, self.allowed_hosts, self.login_limits)
        with Client(login.rules) as client:
            budget = Budget(self.limits)
            ranges = RemoteRanges(product.href, client, budget, login.access(budget))
            if product.n_bytes is not None and ranges.size != product.n_bytes:
                raise IntegrityError(
                    f"{ranges.name}: has {ranges.size} bytes, its catalogue says {product.n_bytes}; run again"
                )
            fetch_file(ranges, path, md5=product.md5)


@dataclass(frozen=True, slots=True)
class CutOrder:
    """One product, and the chips that need it."""

    product: Product
    chip_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cutter:
    """Fetches, cuts and lets go of one product after the other; small and picklable."""

    files: ProductFiles
    cuts: Cuts
    variable: str

    def __call__(self, order: CutOrder) -> NetworkError | None:
        """None when the chips have their squares, or the reason why not, beside the squares; a failure of the network also here.

        Raises:
            StorageError: no space, no permission.
        """
        name = order.product.name.text
        try:
            with self.files.whole(order.product) as path, open_gunw_product(path, self.variable) as product:
                refuse_another(product, order.product.name)
                squares = {chip_id: self._square(product, chip_from_id(chip_id)) for chip_id in order.chip_ids}
                self.cuts.put(name, squares)
        except NetworkError as error:
            self.cuts.fail(name, f"{UNREACHED}: {error}")
            return error
        except (InputError, IntegrityError) as error:
            self.files.discard(order.product)
            self.cuts.fail(name, f"{UNREAD}: {error}")
        return None

    def _square(self, product: GunwProduct, chip: Chip) -> Square | None:
        return cut_square(product, chip, self.cuts.side_px)


def cut_square(product: GunwProduct, chip: Chip, side_px: int) -> Square | None:
    """Coherence on the chip's own lattice, brought there once, with the share of each cell; None where the product has nothing of it.

    Raises:
        InputError: the product cannot be read.
    """
    target = chip_place(chip, side_px)
    needed = window_needed(product.place, target)
    if needed is None:
        return None
    values = product.read(*needed)
    is_there = np.isfinite(values)
    if not is_there.any():
        return None
    # The value's share and the presence go the same way, so that frames which meet in a cell give what one raster of both would.
    planes = np.array([np.where(is_there, values, np.float32(0)), is_there.astype(np.float32)])
    rows, cols = (slice(part.start - RIM_PX, part.stop + RIM_PX) for part in needed)
    square = onto(
        np.pad(planes, ((0, 0), (RIM_PX, RIM_PX), (RIM_PX, RIM_PX))), part_of(product.place, rows, cols), target
    )
    square = np.nan_to_num(square, copy=False, nan=0.0)
    return square if square[1].any() else None


@cache
def _login(credentials: Credentials, allowed_hosts: frozenset[str], limits: Limits) -> EarthdataLogin:
    """One a process, so that its session at a host of files serves all products."""
    return EarthdataLogin(credentials, AddressRules(allowed_hosts), limits)


def orders_of(needs: dict[str, tuple[Product, list[str]]]) -> Sequence[CutOrder]:
    """One order a product, by its name, its chips in the order of their ids: neighbours in one chunk of the file."""
    return [CutOrder(product, tuple(sorted(chip_ids))) for _, (product, chip_ids) in sorted(needs.items())]
