"""Coherence as a study of whole scenes asks for it: its source, its period, and where its files lie."""

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from terrashot.coherence_sections import CoherenceSection
from terrashot.domain.modality import coherence_side_px
from terrashot.durable.files import sha256_of_file
from terrashot.durable.spool import Spool
from terrashot.errors import ConfigError
from terrashot.ingest.far_files import FarFiles
from terrashot.ingest.months import first_day, in_calendar_order, last_day
from terrashot.ingest.pair_cuts import Cuts
from terrashot.ingest.pair_list import PairList
from terrashot.ingest.pair_products import Cutter, ProductFiles
from terrashot.ingest.pair_source import MODALITY, PairSource
from terrashot.ingest.seasonal_source import SeasonalSource
from terrashot.ingest.source import ImagerySource
from terrashot.raster.gunw_product import VARIABLES
from terrashot.remote.earthdata import Credentials, find_credentials
from terrashot.steps.artefacts import digest_of_states
from terrashot.steps.plan import Context
from terrashot.store.manifest import digest_of


def coherence_source(context: Context, section: CoherenceSection) -> ImagerySource:
    """Pairs or seasons of every chip; pairs can be read once their products are found and cut."""
    if section.product == "seasonal":
        return seasonal_source(context, section)
    path = list_path(context)
    digest = sha256_of_file(path) if path.is_file() else ""
    return PairSource(PairList(path, digest, section.most_pairs), cuts(context, section))


def seasonal_source(context: Context, section: CoherenceSection) -> SeasonalSource:
    """The seasonal medians of every chip."""
    settings = context.config.ingest
    far = FarFiles(allowed_hosts=frozenset(settings.allowed_hosts), spool=Spool(context.study.fetched))
    return SeasonalSource(
        section.tiles_url, section.seasons, section.polarisations, section.days, side_px(context), far, settings.readers
    )


def pairs_wanted(context: Context) -> CoherenceSection | None:
    """The study's section of coherence, if it asks for pairs of dates."""
    section = context.config.source.coherence
    return section if section is not None and section.product == "gunw" else None


def side_px(context: Context) -> int:
    """Cells along a chip's side."""
    return coherence_side_px(context.config.grid.chip_px * context.config.grid.pixel_m)


def list_path(context: Context) -> Path:
    """Where the study keeps what was found out of GUNW products."""
    return context.study.scenes / f"{MODALITY}.json"


def cuts(context: Context, section: CoherenceSection) -> Cuts:
    """The squares that are cut for the study's chips."""
    recipe = digest_of(
        [section.filter, context.config.grid.model_dump(mode="json"), own_products_digest(context, section)]
    )
    return Cuts(Spool(context.study.cuts), recipe[:16], side_px(context))


def cutter(context: Context, section: CoherenceSection) -> Cutter:
    """Fetches and cuts products.

    Raises:
        ConfigError: credentials of the environment or the netrc file that cannot be used.
    """
    settings = context.config.ingest
    if section.folder is not None:
        files = ProductFiles(context.study.resolve(section.folder), is_own=True)
    else:
        folder = context.study.products if settings.keep_products else context.study.cuts / "products"
        files = ProductFiles(
            folder,
            keeps=settings.keep_products,
            credentials=credentials(),
            allowed_hosts=frozenset(settings.allowed_hosts),
        )
    return Cutter(files, cuts(context, section), VARIABLES[section.filter])


def credentials() -> Credentials:
    """What opens the Earthdata login, from the environment or the netrc file.

    Raises:
        ConfigError: they cannot be used.
    """
    return find_credentials(os.environ, Path.home())


def period(context: Context, section: CoherenceSection) -> tuple[date, date]:
    """First and last day on which a pair may end.

    Raises:
        ConfigError: a day that is none, or the last before the first.
    """
    months = in_calendar_order(context.config.source.months)
    try:
        first = date.fromisoformat(section.start) if section.start else first_day(months[0])
        last = date.fromisoformat(section.end) if section.end else last_day(months[-1])
    except ValueError as error:
        raise ConfigError(f"[source.coherence] start, end: {error}; write a day as 2020-03-31") from None
    if first > last:
        raise ConfigError(
            f"[source.coherence]: its first day, {first}, is after its last, {last}; correct start, end or months"
        )
    return first, last


def own_products_digest(context: Context, section: CoherenceSection) -> str | None:
    """Of names, sizes and times of the user's own products; None where they are searched for."""
    if section.folder is None:
        return None
    return digest_of_states(sorted(context.study.resolve(section.folder).glob("*.nc")))


def own_coherence_digests(context: Context) -> Mapping[str, str]:
    """The same by name, as the manifest tells it; empty where there are none."""
    section = context.config.source.coherence
    digest = None if section is None else own_products_digest(context, section)
    return {} if digest is None else {"products of coherence": digest}
