"""Seconds to simulate all channels of a chip on one core, beside drawing as many random numbers.

    python benchmarks/simulate.py [--quick] [--px 448]

One JSON line. `ratio`: simulating over drawing a normal number for every value, which the noise alone takes; lower is
better. `seconds_a_chip`: the three sensors of a chip read in turn, as `terrashot run` reads them. `megabytes_a_chip`: peak of what
is allocated meanwhile.
"""

import argparse
import json
import statistics
import tracemalloc

import numpy as np
from interleaved import seconds_a_call
from threadpoolctl import threadpool_limits

from terrashot.domain.grid import Grid, to_metres, utm_zone
from terrashot.ingest.world.absences import Absences
from terrashot.ingest.world.sources import World, simulated_sources

PLACES = ((9.5, 45.2), (-45.0, -22.1), (115.0, 32.0), (-96.0, 41.0), (72.1, 30.6))


def chip_ids(px: int) -> list[str]:
    """A chip in each of five regions."""
    lon, lat = np.array(PLACES).T
    zones = (int(epsg) for epsg in utm_zone(lon, lat))
    return [Grid(z, px * 10.0).chip_at(*to_metres(z).transform(*at)).id for z, at in zip(zones, PLACES, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--px", type=int, default=448)
    said = parser.parse_args()
    every = Absences(modality=0, month=0, polarisation=0)
    sources, ids = simulated_sources(World(0, said.px, absences=every), 10.0), chip_ids(said.px)
    rng, n_values = np.random.default_rng(0), sum(source.read(ids[0]).values.size for source in sources)
    calls = {
        "ours": lambda: [source.read(chip_id) for chip_id in ids for source in sources],
        "noise": lambda: rng.standard_normal((len(ids), n_values), dtype=np.float32),
    }
    with threadpool_limits(1):
        spent = seconds_a_call(calls, rounds=3 if said.quick else 9)
        megabytes = peak_megabytes(sources, ids[0])
    ratios = [ours / noise for ours, noise in zip(spent["ours"], spent["noise"], strict=True)]
    answer = {
        "name": "simulate", "ratio": round(statistics.median(ratios), 2), "against": "drawing as many normal numbers",
        "better": "lower", "low": round(min(ratios), 2), "high": round(max(ratios), 2), "repeats": len(ratios),
        "px": said.px, "seconds_a_chip": round(statistics.median(spent["ours"]) / len(ids), 4),
        "megabytes_a_chip": round(megabytes),
    }  # fmt: skip
    print(json.dumps(answer))


def peak_megabytes(sources, chip_id: str) -> float:
    """Most that is allocated at once while the sensors of a chip are read in turn."""
    tracemalloc.start()
    for source in sources:
        source.read(chip_id)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    main()
