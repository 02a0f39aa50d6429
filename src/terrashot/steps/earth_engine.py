"""What a study file names of Earth Engine: the service, the sources of pixels that it computes, and the labels."""

from collections.abc import Iterator

from terrashot.domain.modality import coherence_side_px
from terrashot.durable.spool import Spool
from terrashot.earthengine_sections import EngineSection
from terrashot.errors import ConfigError
from terrashot.ingest.clear_sky import refuse_months_without_qa60
from terrashot.ingest.earthengine.coherence_source import EarthEngineCoherence
from terrashot.ingest.earthengine.labels import EarthEngineLabels, MapLabel
from terrashot.ingest.earthengine.maps import MAPS
from terrashot.ingest.earthengine.monthly_source import EarthEngineOptical, EarthEngineRadar
from terrashot.ingest.earthengine.optical import BANDS
from terrashot.ingest.earthengine.radar import KINDS
from terrashot.ingest.months import in_calendar_order
from terrashot.ingest.scene_source import Recipe
from terrashot.ingest.source import ImagerySource
from terrashot.remote.earth_engine import EarthEngine, Engine
from terrashot.remote.google_login import GoogleLogin
from terrashot.remote.kept_answers import KeptAnswers
from terrashot.steps.plan import Context


def engine_of(context: Context) -> Engine:
    """The service at work for the study's project, its answers kept until the step is done; nothing is asked yet."""
    section, hosts = _section(context), frozenset(context.config.ingest.allowed_hosts)
    assert section.project is not None, "the study file was checked: Earth Engine has a project"
    engine = EarthEngine(section.project, section.service_url, hosts, GoogleLogin(hosts))
    return KeptAnswers(engine, Spool(context.study.fetched))


def engine_sources(context: Context) -> tuple[ImagerySource, ...]:
    """One source a modality that is asked for.

    Raises:
        ConfigError: months that are none, a band that Sentinel-2 lacks, or a mask that is empty in one of the months.
    """
    return tuple(_sources(context))


def _sources(context: Context) -> Iterator[ImagerySource]:
    section, source, grid = _section(context), context.config.source, context.config.grid
    engine, readers = engine_of(context), context.config.ingest.readers
    months = in_calendar_order(source.months)
    if (optical := section.optical) is not None:
        _refuse_bands(optical.bands)
        if optical.mask == "qa60":
            refuse_months_without_qa60(months)
        recipe = Recipe(months, optical.bands, optical.statistic)
        yield EarthEngineOptical(engine, recipe, grid.chip_px, optical.mask, optical.max_cloud_percent, readers)
    if section.radar is not None:
        yield EarthEngineRadar(engine, Recipe(months, KINDS, "mean", section.radar.orbits), grid.chip_px, readers)
    if (coherence := section.coherence) is not None:
        side_px = coherence_side_px(grid.chip_px * grid.pixel_m)
        yield EarthEngineCoherence(engine, coherence.seasons, coherence.days, side_px, coherence.polarisation)


def engine_labels(context: Context) -> EarthEngineLabels:
    """What is asked for labels chip by chip.

    Raises:
        ConfigError: a map is not of the year.
    """
    labels = [
        MapLabel(target, asked.map, asked.year, asked.classes)
        for target, asked in context.config.labels.earthengine.items()
    ]
    for label in labels:
        years = MAPS[label.map].years
        if years is not None and label.year not in years:
            raise ConfigError(
                f"[labels.earthengine.{label.target}]: year = {label.year}: {label.map} is of {years[0]} to {years[-1]}"
            )
    return EarthEngineLabels(engine_of(context), tuple(labels))


def _section(context: Context) -> EngineSection:
    section = context.config.source.earthengine
    assert section is not None, "the study file was checked: there is a section where Earth Engine is asked"
    return section


def _refuse_bands(bands: tuple[str, ...]) -> None:
    absent = [band for band in bands if band not in BANDS]
    if absent:
        raise ConfigError(
            f"[source.earthengine.optical] bands: Sentinel-2 has no '{absent[0]}'; it has {', '.join(BANDS)}"
        )
    twice = sorted({band for band in bands if bands.count(band) > 1})
    if twice:
        raise ConfigError(f"[source.earthengine.optical] bands: '{twice[0]}' is there twice; give each once")
