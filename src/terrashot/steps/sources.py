"""The sources that a study file names."""

from collections.abc import Sequence
from dataclasses import replace

from terrashot.areas.outline import read_outline
from terrashot.areas.region import read_region
from terrashot.chip_sections import AbsenceSection, AreaSection
from terrashot.domain.area import Area, Outline, box_outline
from terrashot.domain.tables import Labels
from terrashot.ingest.folder import ChipFolder, open_chip_folder, read_folder_labels
from terrashot.ingest.label_file import read_labels_of
from terrashot.ingest.source import ImagerySource, LabelSource
from terrashot.ingest.world.absences import Absences
from terrashot.ingest.world.sources import SimulatedLabels, World, simulated_sources
from terrashot.steps.coherence_plan import coherence_source
from terrashot.steps.earth_engine import engine_labels, engine_sources
from terrashot.steps.listed_chips import folder_path, partition_chips
from terrashot.steps.plan import Context
from terrashot.steps.scene_sensors import scene_source, sensors


def chip_folder(context: Context) -> ChipFolder:
    """The chip folder of a study of kind `folder`."""
    listed = partition_chips(context) if context.config.has_partitions else None
    return open_chip_folder(folder_path(context), listed)


def imagery_sources(context: Context) -> tuple[ImagerySource, ...]:
    """One source a modality."""
    if context.config.source.kind == "folder":
        return chip_folder(context).sources
    if context.config.source.kind == "scenes":
        readers, coherence = context.config.ingest.readers, context.config.source.coherence
        of_scenes = (scene_source(context, sensor, readers=readers) for sensor in sensors(context))
        return (*of_scenes, *([] if coherence is None else [coherence_source(context, coherence)]))
    if context.config.source.kind == "earthengine":
        return engine_sources(context)
    world = replace(_world(context), absences=_rates(context.config.source.absences), by_area=_rates_by_area(context))
    return simulated_sources(world, context.config.grid.pixel_m)


def label_source(context: Context, chip_ids: Sequence[str]) -> LabelSource | Labels | None:
    """What is asked for labels chip by chip, or the table that is there; None where all come from maps or a user's own places."""
    has_others = bool(context.config.labels.maps or context.config.labels.own)
    if context.config.source.kind == "folder":
        is_there = (folder_path(context) / "labels.csv").is_file()
        return None if has_others and not is_there else read_folder_labels(folder_path(context), chip_ids)
    if context.config.labels.file is not None:
        return read_labels_of(context.study.resolve(context.config.labels.file), chip_ids, context.study.chips.name)
    if context.config.labels.earthengine:
        return engine_labels(context)
    return None if has_others else SimulatedLabels(_world(context))


def _world(context: Context) -> World:
    """The ground alone, with rates of absence by default."""
    source = context.config.source
    return World(seed=source.world_seed, chip_px=context.config.grid.chip_px, months=source.months)


def _rates_by_area(context: Context) -> tuple[tuple[Area, Absences], ...]:
    """All areas if one has rates of its own: a chip that two hold belongs to the first, be that the one without."""
    config = context.config
    if not config.source.area_absences:
        return ()
    outlines = ((name, outline_of(context, section)[0]) for name, section in config.areas.items())
    return tuple((Area(name, outline), _rates(config.source.absences_of(name))) for name, outline in outlines)


def outline_of(context: Context, section: AreaSection) -> tuple[Outline, tuple[str, ...]]:
    """The outline that the study file gives for an area, and what must be said of it."""
    if section.bbox is not None:
        return box_outline(*section.bbox), ()
    if section.outline is not None:
        return read_outline(context.study.resolve(section.outline))
    assert section.region is not None, "the study file was checked: an area has a box, an outline or a region"
    assert section.boundaries is not None, "the study file was checked: a region has boundaries"
    return read_region(context.study.resolve(section.boundaries), section.region)


def _rates(section: AbsenceSection) -> Absences:
    return Absences(
        modality=section.modality,
        month=section.month,
        polarisation=section.polarisation,
        cloud=section.cloud,
        swath=section.swath,
        pairs=section.pairs,
    )
