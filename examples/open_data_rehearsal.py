"""Rehearses a study of open data without a network: python examples/open_data_rehearsal.py FOLDER [--chips 48]

Makes simulated scenes of Sentinel-2 and Sentinel-1 over a small area across a zone edge, serves them on loopback as Earth Search and
Planetary Computer serve real ones, and beside them reference maps of the same ground as the makers of WorldCover and GHS-BUILT-S name
theirs; writes FOLDER/study.toml, and runs that study from its outline to its report, with the paper's four targets read off the
maps. Nothing in it is a picture of real land. `--only-serve` goes on serving until interrupted; `--fault 7=busy` lets request 7 go
wrong (busy, short, reset, forbidden).
"""

import argparse
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import get_args

from rehearsal_catalogue import write_catalogue
from rehearsal_ground import MONTHS, Plan, write_labels
from rehearsal_maps import BUILT_PATH
from rehearsal_server import Fault, RehearsalServer

STUDY = """\
# Simulated scenes on loopback, made by examples/open_data_rehearsal.py.
[study]
name = "simulated-open-data"
[source]
kind = "scenes"
months = {months}
[source.optical]
catalogue = "earth-search/sentinel-2-l2a"
search_url = "{url}/v1/search"
max_cloud_percent = 90
[source.radar]
catalogue = "planetary-computer/sentinel-1-rtc"
search_url = "{url}/api/stac/v1/search"
orbits = "mixed"
[grid]
chip_px = {chip_px}
[areas.edge]
bbox = {bbox}
[ingest]
allowed_hosts = ["{host}"]
[labels.maps.vegetation]
product = "worldcover-2020"
url = "{url}"
classes = [10]
[labels.maps.cropland]
product = "worldcover-2020"
url = "{url}"
classes = [40]
[labels.maps.water]
product = "worldcover-2020"
catalogue = "planetary-computer"
search_url = "{url}/api/stac/v1/search"
classes = [80]
[labels.maps.builtup]
product = "ghs-built-s"
url = "{url}/{built_path}"
[split]
scheme = "random"
[pretrain]
preset = "tiny"
epochs = 4
batch_size = 16
[fewshot]
sizes = [5, 10]
repeats = 3
most_repeats = 3
heads = ["logistic"]
"""


def make(plan: Plan, folder: Path) -> Path:
    """The folder that is served, with labels as a person would bring them beside it."""
    scenes = folder / "served"
    shutil.rmtree(scenes, ignore_errors=True)
    scenes.mkdir(parents=True)
    write_catalogue(plan, scenes)
    write_labels(plan, folder / "labels.csv")
    return scenes


def write_study(plan: Plan, server: RehearsalServer, folder: Path) -> Path:
    """The study file, with the server's address in it."""
    months = "[" + ", ".join(f'"{month}"' for month in MONTHS) + "]"
    study = folder / "study.toml"
    study.write_text(
        STUDY.format(
            months=months,
            host=server.host,
            url=server.url,
            chip_px=plan.chip_px,
            bbox=list(plan.bbox),
            built_path=BUILT_PATH,
        ),
        "utf-8",
    )
    return study


def run(study: Path) -> int:
    """The exit code of the run, which prints for itself."""
    return subprocess.run([sys.executable, "-m", "terrashot", "run", str(study)], check=False).returncode


def told(server: RehearsalServer) -> str:
    """What was asked of the server, in a line."""
    searches = sum(each.method == "POST" for each in server.asked)
    return f"{searches} searches and {len(server.asked) - searches} other requests for {len(server.counts)} addresses"


def fault_of(text: str) -> tuple[int, Fault]:
    """7=busy as a request's number and its fault."""
    number, _, name = text.partition("=")
    faults: dict[str, Fault] = {known: known for known in get_args(Fault)}
    return int(number), faults[name]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chips", type=int, default=48)
    parser.add_argument("--chip-px", type=int, default=32)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", type=fault_of, action="append", default=[], metavar="NUMBER=NAME")
    parser.add_argument("--only-serve", action="store_true")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    plan = Plan(given.chips, given.chip_px)
    scenes = make(plan, given.folder)
    with RehearsalServer(scenes, dict(given.fault), given.port) as server:
        study = write_study(plan, server, given.folder)
        print(f"simulated scenes of {len(plan.chip_ids)} chips at {server.url}; {study}", flush=True)
        if given.only_serve:
            threading.Event().wait()
        code = run(study)
        print(told(server))
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
