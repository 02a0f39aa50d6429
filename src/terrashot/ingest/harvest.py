"""Sources x chips -> store: shard by shard, resumable, whatever the number of workers."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from terrashot.domain.modality import Absence, Imagery
from terrashot.domain.tables import Labels
from terrashot.durable.ledger import Ledger
from terrashot.engine import ordered_map
from terrashot.errors import InputError, MissingImageryError, NetworkError
from terrashot.ingest.behind import Behind
from terrashot.ingest.chips_ahead import ChipsAhead
from terrashot.ingest.source import ImagerySource, LabelSource
from terrashot.store.layout import Layout
from terrashot.store.pack_chip import pack_chip
from terrashot.store.packed_chip import PackedChip
from terrashot.store.repair import KnownChips, keep_chips, known_chips
from terrashot.store.write import (
    ModalityForm,
    NewShard,
    WrittenShard,
    open_ledger_to_write,
    prepare_store,
    record_shard,
)

MOST_UNREACHED = 3
"""Chips in a row of which the network gives nothing, after which the work ends."""
UNREACHED = "not reached"
"""Beginning of the reason where the network failed, and not the data."""


@dataclass(frozen=True, slots=True)
class ShardDone:
    """So many shards are in the store."""

    modality: str
    done: int
    total: int
    seconds: float
    chips: int
    """Of all modalities together, read in those seconds."""
    failed: int
    """Of these, chips of a modality that could not be read."""


@dataclass(frozen=True, slots=True)
class Harvested:
    """What a finished harvest found."""

    n_chips: int
    statuses: dict[str, int]
    """Channels by status, over the shards written now."""
    failed: dict[str, str]
    """Chips that could not be read, with the first reason."""


@dataclass(frozen=True, slots=True)
class Order:
    """One shard of one modality, to be read and written."""

    source: ImagerySource
    layout: Layout
    shard: int
    places: dict[str, int]
    """Place in the shard, by chip."""
    known: KnownChips
    """Chips that an earlier harvest read; kept if they still lie there as they were written."""


def harvest(
    sources: Sequence[ImagerySource], chip_ids: Sequence[str], folder: Path, *, workers: int
) -> Generator[ShardDone, None, Harvested]:
    """What was found, after every chip is in the store of `folder`.

    A shard that the ledger names is not written again, unless one of its chips failed or is damaged, and then those
    chips alone are read. Workers write shard files; this process alone writes the ledger.

    Raises:
        LockedError: another process writes to this store.
    """
    started = time.monotonic()
    statuses: Counter[str] = Counter()
    with closing(open_ledger_to_write(folder)) as ledger:
        layouts = prepare_store(folder, ledger, [_form(source) for source in sources], chip_ids)
        orders = _orders(sources, layouts, ledger, set(chip_ids))
        filled = chain.from_iterable(ordered_map(partial(_fill, folder), _by_shard(orders), workers))
        n_chips = n_failed = 0
        for done, written in enumerate(filled, start=1):
            record_shard(ledger, written)
            found = [[row["status"] for row in rows] for _, rows in written.chips.values()]
            statuses.update(chain.from_iterable(found))
            n_chips, n_failed = n_chips + len(found), n_failed + sum("failed" in own for own in found)
            yield ShardDone(written.modality, done, len(orders), time.monotonic() - started, n_chips, n_failed)
        failed = _failed(ledger, layouts)
    return Harvested(len(chip_ids), dict(statuses), failed)


def gather_labels(source: LabelSource, chip_ids: Sequence[str], *, workers: int) -> Labels:
    """The source's labels of these chips, in their order."""
    found = list(ordered_map(source.read, chip_ids, workers if len(chip_ids) > 200 else 1, chunk=64))
    targets = {target: np.array([row[target][0] for row in found], dtype=np.float64) for target in source.targets}
    shares = {target: np.array([row[target][1] for row in found], dtype=np.float64) for target in source.targets}
    return Labels(tuple(chip_ids), targets, shares)


def _form(source: ImagerySource) -> ModalityForm:
    return ModalityForm(
        source.modality, source.side_px, max(1, source.max_channels), source.unit, source.channels, source.differences
    )


def _orders(
    sources: Sequence[ImagerySource], layouts: dict[str, Layout], ledger: Ledger, wanted: set[str]
) -> list[Order]:
    places = {chip_id: position for chip_id, position in ledger.all("chip") if chip_id in wanted}
    done, damaged = ({key for key, _ in ledger.all(kind)} for kind in ("shard", "damage"))
    orders = []
    for source in sources:
        layout = layouts[source.modality]
        shards: dict[int, dict[str, int]] = {}
        for chip_id, position in sorted(places.items(), key=lambda item: item[1]):
            shards.setdefault(position // layout.shard_chips, {})[chip_id] = position % layout.shard_chips
        for shard, chips in sorted(shards.items()):
            key = f"{source.modality}/{shard}"
            if key not in done or _any_failed(ledger, source.modality, chips):
                begun = chips if key in done | damaged else {}
                orders.append(Order(source, layout, shard, chips, known_chips(ledger, source.modality, begun)))
    return orders


def _by_shard(orders: Sequence[Order]) -> list[list[Order]]:
    """Orders of the same chips together."""
    together: dict[int, list[Order]] = {}
    for order in orders:
        together.setdefault(order.shard, []).append(order)
    return [together[shard] for shard in sorted(together)]


def _any_failed(ledger: Ledger, modality: str, chips: dict[str, int]) -> bool:
    rows = (row for chip_id in chips for row in ledger.get("image", f"{modality}/{chip_id}") or ())
    return any(row["status"] == "failed" for row in rows)


def _failed(ledger: Ledger, layouts: dict[str, Layout]) -> dict[str, str]:
    failed: dict[str, str] = {}
    for key, rows in ledger.all("image"):
        modality, _, chip_id = key.partition("/")
        if modality in layouts:
            for row in rows:
                if row["status"] == "failed":
                    failed.setdefault(chip_id, row["reason"])
    return failed


def _fill(folder: Path, orders: Sequence[Order]) -> list[WrittenShard]:
    """The same shard of several modalities, chip by chip: what the sources of a chip share is then made once."""
    kept = [keep_chips(folder, order.layout, order.shard, order.places, order.known) for order in orders]
    # All modalities have shards of one size, so that a shard holds the same chips in each.
    wanted = [(number, chip_id) for chip_id in orders[0].places for number in range(len(orders))]
    unread = [(number, chip_id) for number, chip_id in wanted if chip_id not in kept[number]]
    patience = Patience()
    with ExitStack() as opened:
        shards = [opened.enter_context(NewShard(folder, order.layout, order.shard)) for order in orders]
        imagery = opened.enter_context(ChipsAhead([order.source for order in orders], unread))
        with Behind() as behind:
            for number, chip_id in wanted:
                found = kept[number].pop(chip_id, None) or _found(
                    partial(imagery, number), orders[number], chip_id, patience
                )
                behind.do(partial(_put, shards[number], orders[number], chip_id, found))
        return [shard.finish() for shard in shards]


def _put(shard: NewShard, order: Order, chip_id: str, found: PackedChip | Imagery | Absence) -> None:
    """Nothing; the chip lies in the file of its shard. In the thread behind, while the next one is read."""
    packed = found if isinstance(found, PackedChip) else pack_chip(order.layout, chip_id, found)
    shard.add(chip_id, order.places[chip_id], packed)


class Patience:
    """How many chips in a row the network kept from us."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def reached(self) -> None:
        """Nothing; the network answers."""
        self._in_a_row = 0

    def lost(self, error: NetworkError) -> None:
        """Nothing, unless it is one chip too many: then there is no network, and trying all others would take days.

        Raises:
            NetworkError: as it was.
        """
        self._in_a_row += 1
        if self._in_a_row == MOST_UNREACHED:
            raise error


def _found(read: Callable[[str], Imagery], order: Order, chip_id: str, patience: Patience) -> Imagery | Absence:
    """The chip's imagery, or why there is none: one bad chip must not stop the others."""
    try:
        found = read(chip_id)
        patience.reached()
        return found
    except MissingImageryError as error:
        # Chip and modality stand in columns of their own; without them equal reasons can be counted.
        return Absence(None, "missing", str(error).removeprefix(f"chip {chip_id}: {order.source.modality}: "))
    except InputError as error:
        return Absence(None, "failed", str(error))
    except NetworkError as error:
        patience.lost(error)
        return Absence(None, "failed", f"{UNREACHED}: {error}")
