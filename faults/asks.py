"""Commands that meet a given file: each makes all around it, lets it be written, and returns the command's arguments."""

from collections.abc import Callable
from pathlib import Path

from faults.forge import FOLDER_STUDY, OUTLINE_STUDY, chip_folder, study_of
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
