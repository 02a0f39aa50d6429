"""How much faster one channel of one chip is read than by zarr-python from the same store, and what a chip takes.

python benchmarks/store.py [--quick]

The chips are simulated, the page cache is warm. We give values (float32, NaN where there is no data) after checking a
checksum; zarr-python, tensorstore and the .npy copy give stored numbers (values in the `_decoded` keys), GeoTIFFs
values. Goals, at 448 px: 10 times zarr-python, twice tensorstore one read at a time, 7 times a float32 GeoTIFF a chip,
0.3 of a raw write. `ratio` reads 64 channels in one call, as training does; every `of_` key reads one a call on both
sides and says how many times as fast we are.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from interleaved import report, seconds_a_call
from simulated_store import simulated_store
from store_rivals import HAS_RASTERIO, Read, bytes_below, readers, write_geotiffs
from store_writes import write_seconds

from terrashot.ingest.world.sources import SimulatedOptical, World
from terrashot.store.chips import ZarrChipStore
from terrashot.store.layout import ZARR

MODALITY = "s2rgbm"
MOST_READ, MOST_WRITTEN = 64, 16
"""Channels a timed call, chips a timed write."""
CODED = ("zarr-python", "tensorstore")
"""They give stored numbers; timed with our decoding after them too."""
FLOATS, PACKED = "geotiff_float32", "geotiff_uint16_deflate"

Times = Mapping[str, Sequence[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    chip_px, n_chips = (64, 64) if quick else (448, 32)
    rounds = 3 if quick else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = simulated_store(folder / "store", chip_px=chip_px, n_chips=n_chips)
        sizes = bytes_a_chip(store, folder)
        chosen = _choose(store)
        times = seconds_a_call(_reads(store, chosen, folder), rounds=rounds)
        chips = store.chip_ids[:MOST_WRITTEN]
        writes = write_seconds(SimulatedOptical(World(0, chip_px)), chips, folder, rounds=rounds)
    report(
        "store", _ratios(times, "zarr-python", "ours"),
        "zarr-python, one channel of one chip at a time, decoded to values by us and left raw by it",
        imagery="simulated", chip_px=chip_px, of_zarr_python_decoded=_median(times, "zarr-python, decoded"),
        of_tensorstore=_median(times, "tensorstore"), of_tensorstore_decoded=_median(times, "tensorstore, decoded"),
        of_geotiff=_median(times, "geotiff"),
        of_memmap=_median(times, "memmap"), write_of_raw=_median(writes, "raw", "ours"),
        write_of_raw_flushed=_median(writes, "flushed", "ours"), bytes_a_chip=sizes,
        milliseconds_a_channel={k: round(1000 * min(v) / len(chosen), 4) for k, v in times.items()},
        milliseconds_a_written_chip={k: round(1000 * min(v) / len(chips), 3) for k, v in writes.items()},
    )  # fmt: skip


def bytes_a_chip(store: ZarrChipStore, folder: Path) -> dict[str, dict[str, float]]:
    """By modality and in total: our bytes, those of GeoTIFFs left in `folder`, and our share of them.

    Our total has the ledger and the metadata too. Chips without a modality count, with no bytes anywhere.
    """
    found = {m: {"ours": bytes_below(store.folder / ZARR / m)} for m in store.modalities}
    for kind in (FLOATS, PACKED) if HAS_RASTERIO else ():
        for modality, sizes in found.items():
            geotiffs = write_geotiffs(store, modality, folder / kind / modality, is_packed=kind == PACKED)
            sizes[kind] = bytes_below(geotiffs)
    total = {kind: sum(sizes[kind] for sizes in found.values()) for kind in found[MODALITY]}
    found["total"] = total | {"ours": bytes_below(store.folder)}
    return {name: _a_chip(sizes, len(store.chip_ids)) for name, sizes in found.items()}


def _a_chip(sizes: Mapping[str, int], n_chips: int) -> dict[str, float]:
    shares = {f"of_{kind}": round(sizes["ours"] / size, 4) for kind, size in sizes.items() if kind != "ours"}
    return {kind: round(size / n_chips) for kind, size in sizes.items()} | shares


def _choose(store: ZarrChipStore) -> list[tuple[str, int]]:
    picks = [(c, s.slot) for c in store.chip_ids for s in store.channels(c, MODALITY)]
    rng = np.random.default_rng(0)
    return [picks[i] for i in rng.choice(len(picks), min(MOST_READ, len(picks)), replace=False)]


def _reads(store: ZarrChipStore, chosen: Sequence[tuple[str, int]], folder: Path) -> dict[str, Callable[[], object]]:
    """What is timed, by name, once it is known that all of them read the same numbers."""
    rivals = {name: read for name, read in readers(store, MODALITY, folder, folder / FLOATS / MODALITY).items() if read}
    decode = store.layout(MODALITY).encoding.decode
    for name, read in rivals.items():
        for chip_id, slot in chosen[:4]:
            theirs = read(chip_id, slot) if name == "geotiff" else decode(read(chip_id, slot))
            np.testing.assert_array_equal(theirs, store.read(MODALITY, [(chip_id, slot)])[0])
    decoded = {
        f"{name}, decoded": lambda c, s, read=rivals[name]: decode(read(c, s)) for name in CODED if name in rivals
    }
    singly = {"ours, singly": lambda c, s: store.read(MODALITY, [(c, s)]), **rivals, **decoded}
    return {
        "ours": lambda: store.read(MODALITY, chosen),
        **{name: lambda read=read: _each(read, chosen) for name, read in singly.items()},
    }


def _each(read: Read, chosen: Sequence[tuple[str, int]]) -> None:
    for chip_id, slot in chosen:
        read(chip_id, slot)


def _ratios(times: Times, theirs: str, ours: str) -> list[float]:
    return [their / our for their, our in zip(times[theirs], times[ours], strict=True)]


def _median(times: Times, theirs: str, ours: str = "ours, singly") -> float | None:
    """How many times as fast we are, inside a round; None where the rival is not installed."""
    return round(statistics.median(_ratios(times, theirs, ours)), 4) if theirs in times else None


if __name__ == "__main__":
    main()
