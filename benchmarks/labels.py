"""Seconds of labels of chips from a reference map by those of the bare reads of the same bytes.

python benchmarks/labels.py [--quick]

Chips of 4,480 m on made maps in degrees, of pixels of 10 m: one of classes, blocked and packed as WorldCover, and one of numbers.
Ours brings the chips' outlines into the map, reads it piece by piece, holds its blocks against their checksums and weighs every
cell by the share of it that lies inside: shares of three classes, or the mean. The bare reads are each chip's window, by rasterio,
in the order of the file, opened once; nothing is done with the pixels. `ratio` is ours by bare for the classes; the goal is at most
1.3. `mean` is the same for numbers, and `cpu` both in CPU time. `exactextract` is how many times longer exactextract takes than
ours, with its largest difference; goals: 5 for shares of classes, 2.5 for means. Every run is in a fresh process, so that no block is
found unpacked; compiled code is warm, as in any run but the first. `minutes_for_845251_chips` is one process at the rate measured
here.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.feature import JSONFeatureSource
from exactextract.raster import RasterioRasterSource
from made_land_cover import Made, write_classes, write_heights

from ingest import Spent, afresh, interleaved, ratios, watch
from terrashot.domain.cells import Cells
from terrashot.domain.reference_maps import PRODUCTS
from terrashot.ingest.near_files import NearFiles
from terrashot.labels.chip_outlines import boxes_of, outlines_deg
from terrashot.labels.from_maps import ReferenceMap, Shares, shares_of
from terrashot.labels.map_tiles import MapTile
from terrashot.labels.map_values import Taken
from terrashot.raster.geotiff import CACHE_BYTES
from terrashot.steps.map_tiles import plane_at
from terrashot.steps.progress import finish

QUICK, FULL = Made(5 * 1024), Made(16 * 1024)
PAPER_CHIPS = 845_251
TARGETS = ((10,), (40,), (80,))
CLASSES, NUMBERS = Taken(TARGETS, PRODUCTS["worldcover-2020"]), Taken((None,))


def ours(path: Path, taken: Taken, cells: Cells) -> Shares:
    """What the map says of the chips."""
    open_tile = NearFiles(path.parent)
    with open_tile(plane_at(path.name)) as asset:
        tile = MapTile(path.name, plane_at(path.name), asset.header().place)
    return finish(shares_of(ReferenceMap("made", (tile,), open_tile, 1, taken), cells, workers=1, is_far=False))


def bare(path: Path, cells: Cells) -> None:
    """Nothing, after each chip's window was read, in the order of blocks."""
    boxes = boxes_of(outlines_deg(cells))
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES, GDAL_NUM_THREADS="1"), rasterio.open(path) as file:
        a, _, c, _, e, f = file.transform[:6]
        cols, rows = (boxes[:, ::2] - c) / a, (boxes[:, 3::-2] - f) / e
        windows = np.column_stack(
            [np.floor(rows[:, 0]), np.ceil(rows[:, 1]), np.floor(cols[:, 0]), np.ceil(cols[:, 1])]
        )
        windows = windows.astype(int)
        for top, bottom, left, right in windows[np.lexsort((windows[:, 2], windows[:, 0]))].tolist():
            file.read(1, window=((top, bottom), (left, right)))


def theirs(path: Path, cells: Cells, what: str) -> np.ndarray:
    """What exactextract says of the chips: (N,) means, or (N, 3) shares of the targets' classes."""
    rings = outlines_deg(cells).vertices.reshape(len(cells), -1, 2)
    shapes = [shapely.geometry.mapping(polygon) for polygon in shapely.polygons(rings)]
    features = JSONFeatureSource(
        [
            {"type": "Feature", "id": str(number), "properties": {}, "geometry": shape}
            for number, shape in enumerate(shapes)
        ]
    )
    with rasterio.open(path) as file:
        raster = RasterioRasterSource(file)
        if what == "mean":
            return np.array([row["properties"]["mean"] for row in exact_extract(raster, features, "mean")])
        found = [row["properties"] for row in exact_extract(raster, features, ["unique", "frac"])]
    shares = [dict(zip(np.asarray(f["unique"]).tolist(), np.asarray(f["frac"]).tolist(), strict=True)) for f in found]
    return np.array([[own.get(classes[0], 0.0) for classes in TARGETS] for own in shares])


def spent_on(work: Callable[[], object]) -> Spent:
    with watch() as spent:
        work()
    return spent


def difference(path: Path, taken: Taken, cells: Cells, what: str) -> float:
    """The largest between exactextract and ours."""
    expected = theirs(path, cells, what).reshape(len(cells), -1)
    return float(np.abs(ours(path, taken, cells).means - expected).max())


def made_in(folder: Path, made: Made) -> None:
    write_classes(folder / "classes.tif", made)
    write_heights(folder / "numbers.tif", made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    made, rounds = (QUICK, 3) if quick else (FULL, 5)
    cells = made.cells
    some = cells.take(np.arange(min(len(cells), 40 if quick else 200)))
    with TemporaryDirectory() as name:
        folder = Path(name)
        afresh(partial(made_in, folder, Made(2048)))
        for path, taken in ((folder / "classes.tif", CLASSES), (folder / "numbers.tif", NUMBERS)):
            ours(path, taken, Made(2048).cells)  # compiles
        afresh(partial(made_in, folder, made))
        ways: dict[str, Callable[[], Spent]] = {}
        for kind, taken, what in (("classes", CLASSES, "frac"), ("numbers", NUMBERS, "mean")):
            path = folder / f"{kind}.tif"
            ways[f"{kind} ours"] = partial(spent_on, partial(ours, path, taken, cells))
            ways[f"{kind} bare"] = partial(spent_on, partial(bare, path, cells))
            ways[f"{kind} ours some"] = partial(spent_on, partial(ours, path, taken, some))
            ways[f"{kind} theirs some"] = partial(spent_on, partial(theirs, path, some, what))
        found = interleaved(ways, rounds)
        off = {
            "classes": afresh(partial(difference, folder / "classes.tif", CLASSES, some, "frac")),
            "mean": afresh(partial(difference, folder / "numbers.tif", NUMBERS, some, "mean")),
        }
        packed = (folder / "classes.tif").stat().st_size / made.side_px**2
    (ratio, cpu), (mean, mean_cpu) = (ratios(found, kind) for kind in ("classes", "numbers"))
    rivals = {
        what: statistics.median(
            t.seconds / o.seconds for t, o in zip(found[f"{kind} theirs some"], found[f"{kind} ours some"], strict=True)
        )
        for what, kind in (("classes", "classes"), ("mean", "numbers"))
    }
    rate = len(cells) / statistics.median(own.seconds for own in found["classes ours"])
    print(json.dumps({
        "name": "labels", "ratio": round(statistics.median(ratio), 4),
        "against": "each chip's window read by rasterio in the order of the file, nothing else done", "better": "lower",
        "low": round(min(ratio), 4), "high": round(max(ratio), 4), "repeats": rounds, "mean": round(statistics.median(mean), 4),
        "cpu": {"classes": cpu, "mean": mean_cpu},
        "exactextract": {
            what: {"times": round(rivals[what], 3), "largest_difference": off[what]} for what in rivals
        },
        "chips": len(cells), "chips_a_second": round(rate, 1), "packed_bytes_a_pixel": round(packed, 4),
        "minutes_for_845251_chips": round(PAPER_CHIPS / rate / 60, 1),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
