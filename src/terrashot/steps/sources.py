"""The sources that a study file names."""

from collections.abc import Sequence
from pathlib import Path

from terrashot.domain.tables import Labels
from terrashot.ingest.folder import ChipFolder, open_chip_folder, read_folder_labels
from terrashot.ingest.source import ImagerySource, LabelSource
from terrashot.ingest.world.sources import SimulatedLabels, World, simulated_sources
from terrashot.steps.plan import Context


def chip_folder(context: Context) -> ChipFolder:
    """The chip folder of a study of kind `folder`."""
    return open_chip_folder(folder_path(context))


def folder_path(context: Context) -> Path:
    """Where that folder lies."""
    path = context.config.source.path
    assert path is not None, "the study file was checked: a folder study has a path"
    return context.study.resolve(path)


def imagery_sources(context: Context) -> tuple[ImagerySource, ...]:
    """One source a modality."""
    if context.config.source.kind == "folder":
        return chip_folder(context).sources
    return simulated_sources(_world(context), context.config.grid.pixel_m)


def label_source(context: Context, chip_ids: Sequence[str]) -> LabelSource | Labels:
    """What is asked for labels chip by chip, or the table that is there."""
    if context.config.source.kind == "folder":
        return read_folder_labels(folder_path(context), chip_ids)
    return SimulatedLabels(_world(context))


def _world(context: Context) -> World:
    source, absences = context.config.source, context.config.source.absences
    return World(
        seed=source.world_seed,
        chip_px=context.config.grid.chip_px,
        months=source.months,
        without_modality=absences.modality,
        without_month=absences.month,
        without_polarisation=absences.polarisation,
        cloud_share=absences.cloud,
    )
