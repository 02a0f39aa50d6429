"""Products of coherence: cut short, with a flipped bit, and from a storage that misbehaves behind the login."""

import functools
import hashlib
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import shapely

from faults.answers import FAULTS
from faults.child import Surroundings, run_child
from faults.earthdata import SECRETS, Earthdata
from faults.forge import limit_memory
from faults.gunw_files import GRIDS, V2, write_gunw
from faults.limited import within
from faults.outcome import Case, Outcome, Row, Verdict, crashed, exact, refused, silent
from faults.server import drawn_hits, script_of
from terrashot.domain.coherence_pair import product_name
from terrashot.domain.grid import Grid, to_metres
from terrashot.durable.spool import Spool
from terrashot.errors import InputError, TerrashotError
from terrashot.ingest.pair_cuts import Cuts
from terrashot.ingest.pair_list import Product
from terrashot.ingest.pair_products import CutOrder, Cutter, ProductFiles, cut_square
from terrashot.raster.gunw_product import open_gunw_product
from terrashot.remote.budget import Limits

QUICK, SOAK = {"cut": 100, "flipped": 200}, {"cut": 10_000, "flipped": 50_000}
SECONDS, MORE_BYTES = 2.0, 500_000_000
SIDE_PX, CELLS = 16, 40
LON, LAT = -99.0, 19.4
CHIP = Grid(32614, 1440.0).chip_at(*to_metres(32614).transform(LON, LAT))
IN_HASTE = Limits(max_attempts=3, max_requests=40, max_seconds=0.5, max_bytes=4_000_000, stall_s=0.1, first_wait_s=0.01)
TOLD = (
    "503", "429 for an hour", "reset", "short body", "wrong range", "hang in the body", "redirect loop", "redirect elsewhere",
    "web page with 200", "expired signature", "wrong length", "replaced file",
)  # fmt: skip
"""Faults of the storage that a quick run injects; a soak injects all."""


@functools.cache
def product() -> bytes:
    """A small product over the chip."""
    rng = np.random.default_rng(0)
    cells = rng.uniform(0.1, 1, (CELLS, CELLS)).astype(np.float32)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        half = CELLS / 2400
        return write_gunw(Path(folder) / "a.nc", cells, LON - half, LAT + half).read_bytes()


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for what, n_damages in (SOAK if soak else QUICK).items():
        tally = functools.cache(functools.partial(_tally, what, n_damages, seed))
        for outcome in ("refused", "exact", "undetectable"):
            yield Case(f"product {what}: {outcome}", functools.partial(_verdict, tally=tally, outcome=Outcome(outcome)))
    for fault in FAULTS if soak else TOLD:
        yield Case(f"storage: {fault}", functools.partial(_fetched, fault=fault, seed=seed))


def _verdict(folder: Path, tally: Callable[[], dict[str, object]], outcome: Outcome) -> Verdict:
    found = tally()
    if found["bad"]:
        return silent(str(found["bad"])) if outcome is Outcome.REFUSED else Verdict(Outcome.EXACT, times=0)
    return Verdict(outcome, times=int(str(found[outcome.value])))


def _tally(what: str, n_damages: int, seed: int) -> dict[str, object]:
    """How many ended in each way, in a child: its library is C code."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        work = functools.partial(_damage, what, n_damages, seed, Path(name))
        around = Surroundings(before=functools.partial(limit_memory, MORE_BYTES))
        ended = run_child(work, Path(name) / "notes", around)
        if ended.code != 0 or ended.forbidden:
            return {"bad": f"crashed: {ended.code} {ended.forbidden[:1]} {ended.error[-300:]}"}
        found: dict[str, object] = json.loads(ended.out.splitlines()[-1])
        return found


def _damage(what: str, n_damages: int, seed: int, folder: Path) -> None:
    path, counts, bad = folder / f"{V2}.nc", Counter[str](), []
    path.write_bytes(product())
    clean, chunks = _square(path), _chunks(path)
    for number in range(n_damages):
        rng = np.random.default_rng([seed, *what.encode(), number])
        content, bit = bytearray(product()), int(rng.integers(0, 8 * len(product())))
        if what == "cut":
            del content[int(rng.integers(0, len(content))) :]
        else:
            content[bit // 8] ^= 1 << bit % 8
        path.unlink()
        path.write_bytes(content)
        outcome = _outcome(path, clean)
        if outcome == "other":
            # Chunks of deflate end with a checksum; the axes and the file's own tables have none.
            is_sure = what == "cut" or any(bit // 8 in chunk for chunk in chunks)
            outcome = "silent" if is_sure else "undetectable"
        counts[outcome] += 1
        bad += [] if outcome in ("refused", "exact", "undetectable") else [f"number {number}: {outcome}"]
    print(
        json.dumps({**{name: counts[name] for name in ("refused", "exact", "undetectable")}, "bad": "; ".join(bad[:3])})
    )


def _outcome(path: Path, clean: bytes) -> str:
    try:
        with within(SECONDS):
            return "exact" if _square(path) == clean else "other"
    except InputError as error:
        return "refused" if path.name in str(error) else f"names nothing: {error}"
    except BaseException as error:
        return f"crashed: {type(error).__name__}: {str(error)[:200]}"


def _square(path: Path) -> bytes:
    with open_gunw_product(path, "coherence") as opened:
        square = cut_square(opened, CHIP, SIDE_PX)
    return b"" if square is None else square.tobytes()


def _chunks(path: Path) -> list[range]:
    with h5py.File(path, "r") as file:
        data = file[f"{GRIDS}/coherence"]
        found = [data.id.get_chunk_info(number) for number in range(data.id.get_num_chunks())]
    return [range(chunk.byte_offset, chunk.byte_offset + chunk.size) for chunk in found]


def _fetched(folder: Path, fault: str, seed: int) -> Verdict:
    """Through login and storage to the squares of a chip."""
    rng = random.Random(f"{seed} {fault}")
    with Earthdata({V2: product()}, script=script_of(fault, drawn_hits(rng, first=3))) as served:
        files = ProductFiles(
            folder / "products",
            credentials=served.credentials("token"),
            allowed_hosts=served.hosts,
            limits=IN_HASTE,
            login_limits=IN_HASTE,
        )
        cuts = Cuts(Spool(folder / "cuts"), "recipe", SIDE_PX)
        md5, nowhere = hashlib.md5(product()).hexdigest(), shapely.box(LON, LAT, LON, LAT)
        one = Product(product_name(V2), nowhere, served.url_of(V2), len(product()), md5)
        try:
            failure = Cutter(files, cuts, "coherence")(CutOrder(one, (CHIP.id,)))
        except TerrashotError as error:
            return crashed(f"{type(error).__name__} beside the network's own: {error}")
        seen = " ".join(request.text for request in served.storage.seen)
    reason = cuts.reason(V2)
    if any(secret in f"{seen} {reason} {failure}" for secret in SECRETS):
        return silent("a credential was told, or shown to the storage")
    if reason is not None:
        return refused() if V2 in reason or "127.0.0.1" in reason else silent(f"names nothing: {reason}")
    square = cuts.of(CHIP.id).square(V2)
    (folder / "whole.nc").write_bytes(product())
    is_whole = square is not None and square.tobytes() == _square(folder / "whole.nc")
    return exact() if is_whole else silent("other squares than the product's")


ROW = Row("coherence", "products of coherence damaged, or from a storage that misbehaves", cases)
