"""The sensors that a study of whole scenes names: their products, what is made of them, and where their files lie."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from terrashot.durable.spool import Spool
from terrashot.errors import ConfigError
from terrashot.ingest.any_files import AnyFiles
from terrashot.ingest.far_files import FarFiles
from terrashot.ingest.months import in_calendar_order
from terrashot.ingest.near_files import NearFiles
from terrashot.ingest.own_product import OPTICAL_UNITS, RADAR_UNITS, read_own_product
from terrashot.ingest.scene_file import SceneFile
from terrashot.ingest.scene_source import OPTICAL, RADAR, Recipe, SceneSource
from terrashot.ingest.window import OpenPlane
from terrashot.remote.profiles import Profile, profile_of
from terrashot.scene_sections import OpticalSection, RadarSection
from terrashot.steps.artefacts import digest_of_given, digest_of_states
from terrashot.steps.coherence_plan import own_coherence_digests
from terrashot.steps.plan import Context

RADAR_KINDS = ("vv", "vh")


@dataclass(frozen=True, slots=True)
class Sensor:
    """One modality of a study of whole scenes."""

    modality: str
    section: OpticalSection | RadarSection
    product: Profile
    recipe: Recipe


def sensors(context: Context) -> Iterator[Sensor]:
    """Optical first.

    Raises:
        ConfigError: months that are none, no such catalogue, or one whose product is of the other sensor, lacks a band or
            cannot be read.
        InputError: a folder of scenes without a `scenes.toml` that can be used.
    """
    source = context.config.source
    months = in_calendar_order(source.months)
    if source.optical is not None:
        product = _product(context, source.optical, source.optical.bands)
        yield Sensor(OPTICAL, source.optical, product, Recipe(months, source.optical.bands, source.optical.statistic))
    if source.radar is not None:
        product = _product(context, source.radar, None)
        kinds = tuple(kind for kind in RADAR_KINDS if kind in product.channels)
        yield Sensor(RADAR, source.radar, product, Recipe(months, kinds, "mean", source.radar.orbits))


def scene_path(context: Context, sensor: Sensor) -> Path:
    """Where the study keeps what was found out of the sensor's scenes."""
    return context.study.scenes / f"{sensor.modality}.json"


def scene_source(context: Context, sensor: Sensor, *, readers: int) -> SceneSource:
    """The sensor's months of every chip; they can be read once its scenes are found."""
    path = scene_path(context, sensor)
    grid, digest = context.config.grid, digest_of_given(path) if path.is_file() else ""
    return SceneSource(
        sensor.product,
        sensor.recipe,
        SceneFile(path, digest),
        grid.chip_px,
        opener(context, sensor),
        readers,
    )


def opener(context: Context, sensor: Sensor) -> OpenPlane:
    """Opens the files of the sensor's scenes."""
    section, settings = sensor.section, context.config.ingest
    if section.folder is not None:
        return NearFiles(context.study.resolve(section.folder))
    far = FarFiles(
        sensor.product.signing, allowed_hosts=frozenset(settings.allowed_hosts), spool=Spool(context.study.fetched)
    )
    if section.items is not None:
        return AnyFiles(NearFiles(context.study.resolve(section.items).parent), far)
    return far


def own_files_digests(context: Context) -> Mapping[str, str]:
    """Digests, by sensor, of the user's own file of items, or of names, sizes and times of the user's own scenes."""
    source = context.config.source
    named = {"optical": source.optical, "radar": source.radar}
    found = {name: own_digest(context, section) for name, section in named.items() if section is not None}
    scenes = {f"scenes of {name}": digest for name, digest in found.items() if digest is not None}
    return {**scenes, **own_coherence_digests(context)}


def own_digest(context: Context, section: OpticalSection | RadarSection) -> str | None:
    """Of the sensor's own file of items or scenes, as `own_files_digests`; None where a catalogue is searched."""
    if section.items is not None:
        path = context.study.resolve(section.items)
        return digest_of_given(path) if path.is_file() else None
    if section.folder is None:
        return None
    return digest_of_states(sorted(context.study.resolve(section.folder).glob("*")))


def _product(context: Context, section: OpticalSection | RadarSection, bands: Sequence[str] | None) -> Profile:
    is_radar = bands is None
    name = "radar" if is_radar else "optical"
    if section.folder is not None:
        path = context.study.resolve(section.folder) / "scenes.toml"
        units = RADAR_UNITS if is_radar else OPTICAL_UNITS
        return read_own_product(path, bands, units).profile(path.parent.name)
    product = profile_of(cast(str, section.catalogue))
    _refuse_other_sensor(product, name, is_radar)
    absent = [band for band in bands or () if band not in product.channels]
    if absent:
        raise ConfigError(
            f"[source.{name}] bands: {section.catalogue} has no '{absent[0]}'; it has {', '.join(product.channels)}"
        )
    return product if section.search_url is None else replace(product, search_url=section.search_url)


def _refuse_other_sensor(product: Profile, name: str, is_radar: bool) -> None:
    whose = f"[source.{name}] catalogue: {product.catalogue} {product.collection}"
    if product.unit == "uncalibrated" and is_radar:
        raise ConfigError(f"{whose} has numbers that nobody calibrated; take planetary-computer/sentinel-1-rtc")
    if (product.unit != "reflectance") != is_radar:
        raise ConfigError(f"{whose} is of the other sensor")
    if product.signing == "login":
        raise ConfigError(
            f"{whose}: its files need an account, for which there is no client here; take another catalogue"
        )
