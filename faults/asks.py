"""Commands that meet a given file: each makes all around it, lets it be written, and returns the command's arguments."""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faults import damage
from faults.child import command_line, run_child
from faults.forge import FOLDER_STUDY, OUTLINE_STUDY, chip_folder, study_of
from faults.scenes import write_tif
from faults.studies import copy_of, finished, ready_for

Write = Callable[[Path], object]
Arguments = list[object]


def image(folder: Path, write: Write, *, name: str) -> Arguments:
    chips = chip_folder(folder / "chips")
    (chips / "s2rgbm" / "c0.npy").unlink()
    (chips / Path(name).parent).mkdir(exist_ok=True)
    write(chips / name)
    return ["embed", "--model", finished() / "model", "--chips", chips, "--out", folder / "out.parquet"]


def in_chips(folder: Path, write: Write, *, name: str, step: str) -> Arguments:
    chips = chip_folder(folder / "chips")
    study = study_of(folder / "study", FOLDER_STUDY.format(path="../chips"))
    write(chips / name)
    return ["run", study, "--only", step]


def outline(folder: Path, write: Write) -> Arguments:
    write(folder / "outline.geojson")
    return ["run", study_of(folder / "study", OUTLINE_STUDY.format(path="../outline.geojson")), "--only", "chips"]


def table(folder: Path, write: Write, *, name: str, option: str) -> Arguments:
    folder.mkdir(exist_ok=True)
    write(folder / name)
    given = {"--embeddings": finished() / "embeddings.parquet", "--labels": finished() / "labels.parquet"}
    given[option] = folder / name
    return ["fewshot", *(word for pair in given.items() for word in pair), "--out", folder / "out"]


def own(folder: Path, write: Write, *, name: str, words: tuple[str, ...], before: str = "") -> Arguments:
    """A file of a study of ours."""
    study = copy_of(ready_for(before) if before else finished(), folder / "study")
    (study / name).parent.mkdir(exist_ok=True)
    write(study / name)
    first, *rest = words
    return [first, study / rest[0] if first == "verify" and rest else study, *(rest if first != "verify" else [])]


def scenes(folder: Path, write: Write, *, name: str, is_read: bool = False) -> Arguments:
    """A file of a study of the scenes of a file of items; `is_read`: after they were read once."""
    before = ("--only", "chips", "--only", "ingest") if is_read else ("--only", "chips")
    study = copy_of(_scenes_study(*before), folder / "study")
    (study / name).parent.mkdir(exist_ok=True)
    write(study / name)
    return ["run", study, "--only", "ingest"]


def own_scenes(folder: Path, write: Write, *, name: str) -> Arguments:
    """A file in a folder of a user's own scenes."""
    study = copy_of(_scenes_study("--only", "chips"), folder / "study")
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace(OF_ITEMS, 'folder = "own"'))
    (study / "own").mkdir()
    (study / "own" / "scenes.toml").write_text('bands = ["red"]\nunit = "reflectance"\nscale = 0.0001\n')
    west, _, _, north = damage.CHIP.bounds_m
    write_tif(study / "own" / "2020-02-05.tif", np.ones((64, 64), np.uint16), west, north)
    write(study / "own" / name)
    return ["run", study, "--only", "ingest"]


OF_ITEMS = 'catalogue = "earth-search/sentinel-2-l2a"\nitems = "items.json"'


@functools.cache
def _scenes_study(*words: str) -> Path:
    """After these steps; shared, so only to be copied from."""
    study = damage.make_study(Path(tempfile.mkdtemp(prefix="faults-studies-")) / "scenes", share=0.0, reach_deg=0.006)
    ended = run_child(command_line("run", study, *words), study.parent / "notes")
    assert ended.code == 0, ended.error
    return study
