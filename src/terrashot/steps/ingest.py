"""Step `ingest`: pixels of every chip into the store."""

from terrashot.errors import InputError
from terrashot.ingest.harvest import Harvested, harvest
from terrashot.steps.plan import PIXELS, Context, config_digest
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.steps.sources import imagery_sources
from terrashot.store.chips import open_chip_store
from terrashot.store.repair import waits_for_repair
from terrashot.store.tables import read_chips, write_presence
from terrashot.store.write import forget_other_pixels


def ingest(context: Context) -> Work[None]:
    """Fills the chip store and writes presence.parquet.

    Raises:
        InputError: more chips failed than [ingest] max_failed_share allows; all others are in the store.
    """
    chips = read_chips(context.study.chips)
    if forget_other_pixels(context.study.folder, config_digest(PIXELS, context.config)):
        yield Said("the chips that are there show something else ([source] or [grid] changed); all are read again")
    work = harvest(imagery_sources(context), chips.ids, context.study.folder, workers=context.workers)
    harvested = yield from relay(work, lambda done: [Progress("ingest", done.done, done.total, done.modality)])
    write_presence(context.study.presence, open_chip_store(context.study.folder).presence())
    counts = ", ".join(f"{count} {status}" for status, count in sorted(harvested.statuses.items()))
    yield Said(f"channels written now: {counts or 'none, all were there'}")
    _refuse_failures(harvested, context.config.ingest.max_failed_share)


def store_repairs(context: Context) -> str | None:
    """Why a finished harvest goes on: `terrashot verify --repair` marked parts of the store."""
    return "parts of the chip store are marked for repair" if waits_for_repair(context.study.folder) else None


def _refuse_failures(harvested: Harvested, max_failed_share: float) -> None:
    if len(harvested.failed) > max_failed_share * harvested.n_chips:
        chip_id, reason = next(iter(harvested.failed.items()))
        raise InputError(
            f"{len(harvested.failed)} of {harvested.n_chips} chips could not be read, the first {chip_id}: {reason}; "
            "mend them and run again (only they are read), or allow it: [ingest] max_failed_share"
        )
