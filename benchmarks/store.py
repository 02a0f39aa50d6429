"""How much faster one channel of one chip is read than by zarr-python from the same store.

python benchmarks/store.py [--quick]
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import zarr
from interleaved import report, seconds_a_call
from simulated_store import simulated_store

from terrashot.store.layout import ZARR


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    chip_px, n_chips = (64, 64) if quick else (448, 32)
    with tempfile.TemporaryDirectory() as folder:
        store = simulated_store(Path(folder), chip_px=chip_px, n_chips=n_chips)
        array = zarr.open_group(Path(folder) / ZARR, mode="r")["s2rgbm"]
        picks = [(c, s.slot) for c in store.chip_ids for s in store.channels(c, "s2rgbm")]
        rng = np.random.default_rng(0)
        chosen = [picks[i] for i in rng.choice(len(picks), min(64, len(picks)), replace=False)]
        place = {chip_id: row for row, chip_id in enumerate(store.chip_ids)}
        times = seconds_a_call(
            {
                "ours": lambda: store.read("s2rgbm", chosen),
                "zarr-python": lambda: [array[place[chip_id], slot] for chip_id, slot in chosen],
            },
            rounds=3 if quick else 5,
        )
    ratios = [theirs / mine for theirs, mine in zip(times["zarr-python"], times["ours"], strict=True)]
    report(
        "store", ratios, "zarr-python, one channel of one chip at a time, decoded to values by us and left raw by it",
        chip_px=chip_px, milliseconds_a_channel={k: round(1000 * min(v) / len(chosen), 4) for k, v in times.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()
