"""The sources that a study file names."""

from dataclasses import dataclass
from pathlib import Path

from terrashot.domain.tables import Labels
from terrashot.ingest.folder import ChipFolder, open_chip_folder
from terrashot.ingest.source import ImagerySource, LabelSource
from terrashot.ingest.world.sources import SimulatedLabels, World, simulated_sources
from terrashot.steps.plan import Context


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a study's pixels and labels come from."""

    imagery: tuple[ImagerySource, ...]
    labels: LabelSource | Labels
    """Asked chip by chip, or a table that is there."""


def chip_folder(context: Context) -> ChipFolder:
    """The chip folder of a study of kind `folder`."""
    return open_chip_folder(folder_path(context))


def folder_path(context: Context) -> Path:
    """Where that folder lies."""
    path = context.config.source.path
    assert path is not None, "the study file was checked: a folder study has a path"
    return context.study.resolve(path)


def make_sources(context: Context) -> Sources:
    """The sources of the study's kind."""
    if context.config.source.kind == "folder":
        folder = chip_folder(context)
        return Sources(folder.sources, folder.labels())
    source, absences = context.config.source, context.config.source.absences
    world = World(
        seed=source.world_seed,
        chip_px=context.config.grid.chip_px,
        months=source.months,
        without_modality=absences.modality,
        without_month=absences.month,
        without_polarisation=absences.polarisation,
        cloud_share=absences.cloud,
    )
    return Sources(simulated_sources(world, context.config.grid.pixel_m), SimulatedLabels(world))
