"""How the commands on chips (`embed`, `missing`) get at pixels: from a study, or from a chip folder."""

from dataclasses import replace
from pathlib import Path

from terrashot.domain.split import SplitRecipe, choose_scheme, make_split
from terrashot.domain.tables import Chips, Labels
from terrashot.durable.files import sweep_leftovers
from terrashot.engine import available_cores
from terrashot.errors import InputError
from terrashot.ingest.folder import open_chip_folder, read_folder_labels
from terrashot.ingest.harvest import harvest
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.store.chips import ZarrChipStore, open_chip_store
from terrashot.store.layout import ZARR
from terrashot.store.study import Study
from terrashot.store.tables import read_chips, read_own_labels


def open_chips(path: Path, work_folder: Path) -> Work[tuple[Chips, ZarrChipStore]]:
    """Chips and store of a study's folder, of its chips.zarr, or of a chip folder that is harvested first."""
    folder = _study_folder(path)
    if (folder / ZARR).is_dir():
        return read_chips(Study(folder / "study.toml", folder).chips), open_chip_store(folder)
    if not path.is_dir():
        raise InputError(f"{path}: no chip folder, no study and no chip store; docs/files.md tells how they lie")
    opened = open_chip_folder(path)
    for note in opened.notes:
        yield Said(note)
    sweep_leftovers(work_folder)
    work = harvest(opened.sources, opened.chips.ids, work_folder, workers=available_cores())
    harvested = yield from relay(work, lambda done: [Progress("read", done.done, done.total, done.modality)])
    if harvested.failed:
        chip_id, reason = next(iter(harvested.failed.items()))
        raise InputError(
            f"{len(harvested.failed)} chips could not be read, the first {chip_id}: {reason}; mend or remove them"
        )
    scheme, sentence = choose_scheme(opened.chips)
    yield Said(sentence)
    split = make_split(opened.chips, SplitRecipe(scheme))
    return replace(opened.chips, split=split), open_chip_store(work_folder)


def labels_beside(path: Path, chips: Chips) -> Labels | None:
    """Labels of the study, or of the chip folder; None where there are none."""
    folder = _study_folder(path)
    if (folder / ZARR).is_dir():
        labels = Study(folder / "study.toml", folder).labels
        return read_own_labels(labels) if labels.is_file() else None
    return read_folder_labels(path, chips.ids) if (path / "labels.csv").is_file() else None


def _study_folder(path: Path) -> Path:
    return path.parent if path.name == ZARR else path
