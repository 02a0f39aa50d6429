"""What was cut for each chip from whole products: small squares on the chips' own lattices, kept until all chips are in the store.

So that each product is fetched once however many chips it serves, and may go before the first chip is put together.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from terrashot.durable.files import sha256_of
from terrashot.durable.spool import Spool
from terrashot.errors import InputError

Square = Float32[np.ndarray, "2 side side"]
"""What one product gives to each cell of a chip: coherence times share, and the share of the cell that it has, 0 to 1."""
UNREACHED, UNREAD = "not reached", "failed to read"
"""Beginnings of the reason where the network kept a product from us, and where the product is bad."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Squares by product and chip; small and picklable, for any number of processes."""

    spool: Spool
    recipe: str
    """What they are cut by; squares of another recipe are others."""
    side_px: int

    def put(self, product: str, squares: Mapping[str, Square | None]) -> None:
        """Nothing; a product's squares are there by chip, None where it shows nothing of one, and the product is done.

        Raises:
            StorageError: no space, no permission.
        """
        for chip_id, square in squares.items():
            content = b"" if square is None else square.astype("<f4").tobytes()
            self.spool.put(self._chip_key(chip_id), {_number(product): content})
        self._tell(product, {"chips": sorted(squares)})

    def fail(self, product: str, reason: str) -> None:
        """Nothing; chips that need the product are told the reason, and it is tried again by the next run."""
        self._tell(product, {"reason": reason})

    def is_done(self, product: str, chip_ids: Sequence[str]) -> bool:
        """Whether all these chips have their squares of a product."""
        done = self._told(product).get("chips")
        return isinstance(done, list) and set(chip_ids) <= set(done)

    def reason(self, product: str) -> str | None:
        """Why there are no squares of a product, if that was found."""
        found = self._told(product).get("reason")
        return None if found is None else str(found)

    def of(self, chip_id: str) -> "ChipCuts":
        """All squares of a chip."""
        return ChipCuts(self, self.spool.get(self._chip_key(chip_id)))

    def forget(self, product: str) -> None:
        """Nothing; the product is cut again by the next run."""
        self.spool.forget(self._product_key(product))

    def _tell(self, product: str, told: Mapping[str, object]) -> None:
        self.spool.forget(self._product_key(product))
        self.spool.put(self._product_key(product), {0: json.dumps(told).encode()})

    def _told(self, product: str) -> dict[str, object]:
        content = self.spool.get(self._product_key(product)).get(0)
        return {} if content is None else json.loads(content)

    def _chip_key(self, chip_id: str) -> str:
        return f"{self.recipe} chip {chip_id}"

    def _product_key(self, product: str) -> str:
        return f"{self.recipe} product {product}"


@dataclass(frozen=True, slots=True)
class ChipCuts:
    """The squares of one chip."""

    cuts: Cuts
    pieces: Mapping[int, bytes]

    def square(self, product: str) -> Square | None:
        """What a product shows of the chip; None where nothing.

        Raises:
            InputError: it could not be had, with the reason; or what was cut is lost, and is cut again by the next run.
        """
        content = self.pieces.get(_number(product))
        side_px = self.cuts.side_px
        if content is None or len(content) not in (0, 8 * side_px**2):
            reason = self.cuts.reason(product)
            if reason is None:
                self.cuts.forget(product)
                reason = f"{UNREAD}: {product}: what was cut of it is lost; run again"
            raise InputError(reason)
        if not content:
            return None
        return np.frombuffer(content, "<f4").reshape(2, side_px, side_px).astype(np.float32)


def _number(product: str) -> int:
    """Stable whatever other products there are."""
    return int(sha256_of(product.encode())[:16], 16)
